import Foundation
import GRDB
import MailModel
import Synchronization
import Testing

@testable import Archive

@Suite struct VerifyTests {
    /// An archive of many small messages, with its database in one file.
    private func filled(_ count: UInt32 = 300) throws -> (ArchiveFixture, [ArchivedMessageID: Content]) {
        let fixture = try ArchiveFixture()
        try fixture.contact("Maria", "maria@client.example")
        let arrivals = (1...count).map { number in
            fixture.arrival(
                number, from: number % 3 == 0 ? "x\(number)@y.example" : "maria@client.example",
                text: "Number \(number)")
        }
        let outcomes = try fixture.archive.ingest(arrivals)
        var contents: [ArchivedMessageID: Content] = [:]
        for (outcome, arrival) in zip(outcomes, arrivals) {
            switch outcome {
            case .linked(let id, _), .review(let id): contents[id] = arrival.content
            default: Issue.record("\(outcome)")
            }
        }
        try fixture.archive.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        return (fixture, contents)
    }

    /// Reads a message of the fixture as the fixture made it.
    private func reader(
        _ contents: [ArchivedMessageID: Content]
    ) -> @Sendable ([MessageBytes]) throws(MailFailure) -> [Content?] {
        let byID = Dictionary(uniqueKeysWithValues: contents.values.map { ($0.messageID!.rawValue, $0) })
        return { batch in
            batch.map { bytes in
                let text = bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                let id = text.firstMatch(of: /Message-ID: <(.*)>/).map { String($0.1) }
                return id.flatMap { byID[$0] }
            }
        }
    }

    @Test func `a reader that cannot be had ends the verification, for nothing was compared`() throws {
        let (fixture, _) = try filled(20)
        let unavailable = MailFailure(.archiveCorrupt, kind: .transient, "nobody reads")
        #expect(throws: unavailable) {
            try fixture.archive.verify(reread: { _ throws(MailFailure) in throw unavailable })
        }
    }

    @Test func `a message that cannot be read any more is named, and the others are compared`() throws {
        let (fixture, contents) = try filled(20)
        let id = try #require(contents.keys.min { $0.rawValue < $1.rawValue })
        let report = try fixture.archive.verify(reread: reader(contents.filter { $0.key != id }))
        #expect(report.readDifferently.map(\.message) == [id])
        #expect(report.rereadMessages == 20)
    }

    /// The archive's files in a folder of their own, with everything in the database's file.
    private func copy(of fixture: ArchiveFixture) throws -> String {
        _ = try fixture.archive.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        let path = fixture.directory + "-copy"
        try FileManager.default.copyItem(atPath: fixture.directory, toPath: path)
        return path
    }

    private func flip(_ bit: Int, at offset: Int, of path: String) throws {
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.seek(toOffset: UInt64(offset))
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data([byte ^ UInt8(1 << bit)]))
        try handle.close()
    }

    @Test func `any flipped bit of any database page is found`() throws {
        let (fixture, _) = try filled()
        let path = fixture.directory + "/mailworker.db"
        let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
        #expect(try PageCheck(path: path).run().isIntact)
        var random = Seeded(state: 7)
        for _ in 1...200 {
            // Beyond page 1, whose header is looked at in another test.
            let offset = Int.random(in: 4096..<size, using: &random)
            let bit = Int.random(in: 0..<8, using: &random)
            try flip(bit, at: offset, of: path)
            #expect(try PageCheck(path: path).run().damaged == [UInt32(offset / 4096 + 1)])
            try flip(bit, at: offset, of: path)
        }
        #expect(try PageCheck(path: path).run().isIntact)
    }

    @Test(arguments: [40, 700, 4080])
    func `a flipped bit of the first page is found although opening writes that page`(offset: Int) throws {
        let (fixture, _) = try filled()
        let copy = try copy(of: fixture)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try flip(3, at: offset, of: copy + "/mailworker.db")
        for _ in 1...2 {
            guard let archive = try? Archive.open(directory: copy, key: nil) else {
                #expect(try !Archive.verifyFiles(directory: copy, after: Self.damaged).isClean)
                continue
            }
            #expect(try archive.verify().findings.contains { $0.place.hasPrefix("database page 1") })
        }
    }

    /// Without the schema nothing of a database can be read.
    @Test func `a damaged page of the schema is named, and everything is read all the same`() throws {
        let (fixture, contents) = try filled(20)
        let pages = try fixture.archive.read { db in
            try Int64.fetchAll(
                db, sql: "SELECT pageno FROM dbstat WHERE name = 'sqlite_schema' AND pageno > 1")
        }
        #expect(pages.count > 5)
        var random = Seeded(state: 5)
        for (number, page) in pages.enumerated() {
            let copy = try copy(of: fixture)
            defer { try? FileManager.default.removeItem(atPath: copy) }
            // In its head, in a text, or in the sum itself.
            let offset = [3, Int.random(in: 1000..<4088, using: &random), 4090][number % 3]
            try flip(2, at: Int(page - 1) * 4096 + offset, of: copy + "/mailworker.db")
            let archive = try Archive.open(directory: copy, key: nil)
            for message in contents.keys { #expect(try archive.original(of: message).count > 0) }
            let places = try archive.verify().findings.map(\.place)
            #expect(places == ["database page \(page) (sqlite_schema)"])
        }
    }

    /// What was written there since is not in it.
    @Test func `a copy of the schema that is older than the page is not read`() throws {
        let (fixture, _) = try filled(5)
        let copy = try copy(of: fixture)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let path = copy + "/mailworker.db"
        let old = try Data(contentsOf: URL(fileURLWithPath: SchemaCopy.path(of: path)))
        do {
            let archive = try Archive.open(directory: copy, key: nil)
            try archive.pool.writeWithoutTransaction { db in
                try db.execute(sql: "CREATE TABLE later(id INTEGER)")
                _ = try db.checkpoint(.truncate)
            }
            try archive.pool.close()
        }
        try old.write(to: URL(fileURLWithPath: SchemaCopy.path(of: path)))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let place = try #require(bytes.range(of: Data("CREATE TABLE later".utf8))).lowerBound
        try flip(1, at: place + 7, of: path)
        // The table of later is lost or the archive does not open; never is it silently as before.
        let archive = try? Archive.open(directory: copy, key: nil)
        #expect(archive == nil)
        #expect(try !Archive.verifyFiles(directory: copy, after: Self.damaged).isClean)
    }

    @Test func `a damaged page that is written anew stays damaged to verify`() throws {
        let (fixture, _) = try filled()
        let contact = try fixture.contact("Zacharias Pelikan")
        let copy = try copy(of: fixture)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let path = copy + "/mailworker.db"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let place = try #require(bytes.range(of: Data("Zacharias Pelikan".utf8))).lowerBound
        try flip(0, at: place, of: path)
        let page = UInt32(place / 4096 + 1)
        do {
            let archive = try Archive.open(directory: copy, key: nil)
            try archive.changeContact(contact) { $0 = ContactDraft(name: "Maria") }
            _ = try archive.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        }
        let result = try PageCheck(path: path).run()
        #expect(result.damaged + result.carriedOn == [page])
        #expect(try Archive.open(directory: copy, key: nil).verify().isClean == false)
    }

    @Test func `any flipped bit of a pack is found, and the message named that it belongs to`() throws {
        let (fixture, _) = try filled(100)
        let path = fixture.directory + "/originals/pack-000001.mwp"
        let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
        var random = Seeded(state: 8)
        for _ in 1...100 {
            let offset = Int.random(in: 32..<size, using: &random)
            let bit = Int.random(in: 0..<8, using: &random)
            try flip(bit, at: offset, of: path)
            let report = try fixture.archive.verify()
            let message = try fixture.archive.read { db in
                try Int64.fetchOne(
                    db, sql: "SELECT message FROM originals WHERE offset <= ? ORDER BY offset DESC LIMIT 1",
                    arguments: [offset])
            }
            #expect(report.findings.contains { $0.message?.rawValue == message }, "offset \(offset)")
            // The others are looked at all the same.
            #expect(report.originals == 100)
            try flip(bit, at: offset, of: path)
        }
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func `in a pack that is too short the message without its end is named`() throws {
        let (fixture, _) = try filled(50)
        let path = fixture.directory + "/originals/pack-000001.mwp"
        let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
        try #require(truncate(path, size - 20) == 0)
        let report = try fixture.archive.verify()
        #expect(report.findings.contains { $0.message?.rawValue == 50 })
        #expect(!report.findings.contains { $0.message?.rawValue ?? 50 < 50 })
        #expect(report.originals >= 49)
        #expect(throws: MailFailure.self) {
            try fixture.archive.original(of: ArchivedMessageID(rawValue: 50))
        }
    }

    @Test func `every damaged message is named, not only the first`() throws {
        let (fixture, _) = try filled(50)
        let path = fixture.directory + "/originals/pack-000001.mwp"
        let places = try fixture.archive.read { db in
            try Row.fetchAll(db, sql: "SELECT offset, message FROM originals WHERE id IN (3, 17, 40)")
                .map { ($0[0] as Int, ArchivedMessageID(rawValue: $0[1])) }
        }
        // A header, a length, a body.
        for (index, place) in places.enumerated() { try flip(1, at: place.0 + [0, 9, 90][index], of: path) }
        let report = try fixture.archive.verify()
        for (_, message) in places { #expect(report.findings.contains { $0.message == message }) }
        #expect(report.originals == 50)
    }

    @Test func `text that was changed behind the database's back names its message and its page`() throws {
        let (fixture, contents) = try filled()
        let path = fixture.directory + "/mailworker.db"
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let word = try #require(data.range(of: Data("Number 123\u{0}".utf8.dropLast())))
        try flip(0, at: word.lowerBound, of: path)
        let archive = try fixture.reopened()
        let report = try archive.verify(reread: reader(contents))
        #expect(
            report.findings.contains { $0.place.hasPrefix("database page \(word.lowerBound / 4096 + 1) (") })
        #expect(report.findings.contains { $0.subject == .message && $0.message != nil })
        #expect(report.rereadMessages == 300)
        #expect(report.readDifferently == [])
    }

    @Test func `what a reading knows of attachments beyond what is stored is no difference`() throws {
        let fixture = try ArchiveFixture()
        var arrival = fixture.arrival(1, from: "maria@client.example", text: "With files")
        var attachment = Attachment(
            filename: "act.pdf", declaredName: "C:\\1C\\act.pdf", contentType: "application/pdf", size: 3,
            sha256: Digest256(bytes: Array(repeating: 7, count: 32))!, isInline: false, contentID: nil)
        attachment.isUnpacked = true
        arrival.content?.attachments = [attachment]
        _ = try fixture.archive.ingest([arrival])
        let same = try fixture.archive.verify(reread: always(arrival.content))
        #expect(same.rereadMessages == 1)
        #expect(same.readDifferently == [])
        arrival.content?.attachments[0].sha256 = Digest256(bytes: Array(repeating: 8, count: 32))!
        let other = try fixture.archive.verify(reread: always(arrival.content))
        #expect(other.readDifferently.map(\.text) == [MessageFacts.differs + "attachments"])
    }

    private func always(
        _ content: Content?
    ) -> @Sendable ([MessageBytes]) throws(MailFailure) -> [Content?] {
        { batch in batch.map { _ in content } }
    }

    @Test func `a reading that has changed is no damage`() throws {
        let (fixture, contents) = try filled(20)
        var changed = contents
        let id = try #require(contents.keys.min { $0.rawValue < $1.rawValue })
        changed[id]?.subject = "Read better"
        #expect(try fixture.archive.verify(reread: reader(contents)).readDifferently == [])
        let report = try fixture.archive.verify(reread: reader(changed))
        #expect(report.isClean)
        #expect(report.readDifferently.map(\.message) == [id])
        #expect(report.readDifferently.first?.text.hasSuffix("subject") == true)
    }

    private static let damaged = MailFailure(.archiveCorrupt, kind: .needsPerson, "damaged")

    /// The first page's header says how all others are to be read.
    @Test func `one flipped bit anywhere in the first page is named, and everything is read all the same`()
        throws
    {
        let (fixture, contents) = try filled(20)
        let messages = contents.keys.sorted { $0.rawValue < $1.rawValue }
        // So that the numbers of free pages are not zero.
        try fixture.archive.pool.writeWithoutTransaction { db in
            try db.execute(sql: "CREATE TABLE later AS SELECT randomblob(100000) AS a")
            try db.execute(sql: "DROP TABLE later")
            _ = try db.checkpoint(.truncate)
            try SchemaCopy.refresh(db, database: fixture.directory + "/mailworker.db")
        }
        let copy = try copy(of: fixture)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let path = copy + "/mailworker.db"
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        var random = Seeded(state: 11)
        let places = (0..<108).map { $0 } + (1...20).map { _ in Int.random(in: 108..<4096, using: &random) }
        for place in places {
            // The highest bit is where two places are hardest to tell apart.
            for bit in Set([7, Int.random(in: 0..<7, using: &random)]) {
                try whole.write(to: URL(fileURLWithPath: path))
                for left in ["-wal", "-shm", "-damaged"] {
                    try? FileManager.default.removeItem(atPath: path + left)
                }
                try flip(bit, at: place, of: path)
                let archive = try Archive.open(directory: copy, key: nil)
                let report = try archive.verify()
                #expect(
                    report.findings.map(\.place) == ["database page 1 (sqlite_schema)"],
                    "byte \(place), bit \(bit)")
                #expect(report.originals == 20 && report.messages == 20)
                for message in messages.prefix(3) { #expect(try archive.original(of: message).count > 0) }
                try archive.pool.close()
            }
        }
    }

    @Test func `what keeps an archive from being opened and is no damage is said as it is`() throws {
        let (fixture, _) = try filled(5)
        let copy = try copy(of: fixture)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let readOnly = MailFailure(.archiveReadOnly, kind: .needsPerson, "read only")
        #expect(throws: readOnly) { try Archive.verifyFiles(directory: copy, after: readOnly) }
        try flip(0, at: 5000, of: copy + "/mailworker.db")
        let places = try Archive.verifyFiles(directory: copy, after: readOnly).findings.map(\.place)
        #expect(places == ["database", "database page 2"])
    }

    @Test func `packs that are missing, or end in no record, are named without a database`() throws {
        let fixture = try ArchiveFixture()
        var options = ArchiveOptions()
        options.packBytes = 300
        let archive = try Archive.open(directory: fixture.directory, key: fixture.key, options: options)
        for number in UInt32(1)...5 {
            _ = try archive.ingest([fixture.arrival(number, text: "Number \(number)")])
            _ = try archive.ingest([fixture.arrival(number + 10, text: "Also \(number)")])
        }
        let copy = try copy(of: fixture)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        #expect(
            try Archive.verifyFiles(directory: copy, after: Self.damaged).findings.map(\.place) == [
                "database"
            ])
        try FileManager.default.removeItem(atPath: copy + "/originals/pack-000001.mwp")
        try flip(0, at: 32, of: copy + "/originals/pack-000002.mwp")
        let report = try Archive.verifyFiles(directory: copy, after: Self.damaged)
        #expect(
            report.findings.map(\.place) == ["database", "pack 1", "pack 2, offset 32"])
        #expect(report.originals >= 4)
    }

    @Test func `a database that cannot be opened leaves its pages and the packs to be looked at`() throws {
        let (fixture, _) = try filled()
        try flip(3, at: 3, of: fixture.directory + "/mailworker.db")
        try flip(0, at: 32 + 80, of: fixture.directory + "/originals/pack-000001.mwp")
        // Of one bit in page 1's state, the copy of the schema would tell.
        for place in [27, 31] { try flip(3, at: place, of: fixture.directory + "/mailworker.db") }
        let failure = #expect(throws: MailFailure.self) { try fixture.reopened() }
        let report = try Archive.verifyFiles(directory: fixture.directory, after: #require(failure))
        #expect(report.findings.contains { $0.place == "database" })
        #expect(report.findings.contains { $0.place == "database page 1" })
        #expect(report.findings.contains { $0.place.hasPrefix("pack 1, offset ") })
        #expect(report.originals == 300)
    }

    @Test func `a verification goes on where it was interrupted, with what was found before`() throws {
        let fixture = try ArchiveFixture()
        var options = ArchiveOptions()
        options.packBytes = 300
        let archive = try Archive.open(directory: fixture.directory, key: fixture.key, options: options)
        for number in UInt32(1)...5 {
            _ = try archive.ingest([fixture.arrival(number, text: "Number \(number)")])
        }
        try flip(0, at: 32 + 80, of: fixture.directory + "/originals/pack-000001.mwp")
        let whole = try archive.verify(reread: always(nil))
        #expect(whole.findings.contains { $0.place == "pack 1, offset 32" })

        let reads = Mutex(0)
        let interruption = MailFailure(.archiveBusy, kind: .transient, "killed here")
        #expect(throws: interruption) {
            try archive.verify(
                .anew,
                reread: { batch throws(MailFailure) in
                    let isInterrupted = reads.withLock { reads in
                        reads += 1
                        return reads == 2
                    }
                    if isInterrupted { throw interruption }
                    return batch.map { _ in nil }
                })
        }
        let packs = Mutex<Set<Int64>>([])
        var resumed = try archive.verify(.resumed, reread: always(nil)) { progress in
            packs.withLock { _ = $0.insert(progress.pack) }
        }
        #expect(resumed.resumedPacks >= 1)
        #expect(packs.withLock { $0.contains(1) } == false)
        #expect(
            try packs.withLock { $0.count } + resumed.resumedPacks
                == LonePackCheck.packs(in: fixture.directory + "/originals").count)
        #expect(resumed.resumedFrom != nil)
        resumed.resumedPacks = 0
        resumed.resumedFrom = nil
        #expect(resumed == whole)
        // It has ended, so there is nothing to go on with.
        #expect(try archive.verify(.resumed, reread: always(nil)) == whole)
    }

    /// A record as a verification leaves it that was killed behind the first of several packs.
    private func interrupt(_ archive: Archive) {
        let reads = Mutex(0)
        let interruption = MailFailure(.archiveBusy, kind: .transient, "killed here")
        #expect(throws: interruption) {
            try archive.verify(
                .anew,
                reread: { batch throws(MailFailure) in
                    let isInterrupted = reads.withLock { reads in
                        reads += 1
                        return reads == 2
                    }
                    if isInterrupted { throw interruption }
                    return batch.map { _ in nil }
                })
        }
    }

    @Test func `what an interrupted verification has read counts for a day, and is its owner's alone`() throws
    {
        let fixture = try ArchiveFixture()
        var options = ArchiveOptions(clock: { fixture.clock.now })
        options.packBytes = 300
        let archive = try Archive.open(directory: fixture.directory, key: fixture.key, options: options)
        for number in UInt32(1)...5 {
            _ = try archive.ingest([fixture.arrival(number, text: "Number \(number)")])
        }
        interrupt(archive)
        let record = fixture.directory + "/verify.json"
        #expect(
            try FileManager.default.attributesOfItem(atPath: record)[.posixPermissions] as? Int == 0o600)
        let begun = fixture.clock.now
        let kept = try Data(contentsOf: URL(fileURLWithPath: record))
        fixture.clock.advance(86_400)
        let soon = try archive.verify(.resumed, reread: always(nil))
        #expect(soon.resumedPacks == 1 && soon.resumedFrom == begun)
        try kept.write(to: URL(fileURLWithPath: record))
        try flip(0, at: 32 + 80, of: fixture.directory + "/originals/pack-000001.mwp")
        fixture.clock.advance(1)
        let late = try archive.verify(.resumed, reread: always(nil))
        #expect(late.resumedPacks == 0 && late.resumedFrom == nil)
        #expect(late.findings.contains { $0.place == "pack 1, offset 32" })
    }

    @Test func `of two verifications at the same time the second leaves the record of the first alone`()
        throws
    {
        let fixture = try ArchiveFixture()
        var options = ArchiveOptions(clock: { fixture.clock.now })
        options.packBytes = 300
        let archive = try Archive.open(directory: fixture.directory, key: fixture.key, options: options)
        for number in UInt32(1)...5 {
            _ = try archive.ingest([fixture.arrival(number, text: "Number \(number)")])
        }
        interrupt(archive)
        let record = fixture.directory + "/verify.json"
        let kept = try Data(contentsOf: URL(fileURLWithPath: record))
        let first = try #require(VerifyRecord.lock(in: fixture.directory))
        defer { withExtendedLifetime(first) {} }
        #expect(try archive.verify(.resumed, reread: always(nil)).resumedPacks == 0)
        #expect(try archive.verify(.anew, reread: always(nil)).resumedPacks == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: record)) == kept)
    }

    @Test func `what is filed while a verification runs is no finding`() throws {
        let fixture = try ArchiveFixture()
        var options = ArchiveOptions()
        options.packBytes = 1000
        let archive = try Archive.open(directory: fixture.directory, key: fixture.key, options: options)
        _ = try archive.ingest([fixture.arrival(1, text: String(repeating: "x", count: 1000))])
        _ = try archive.ingest([fixture.arrival(2, text: "Second pack")])
        let worker = Mutex(false)
        // Called while the first pack is read, and so before the second one is.
        let report = try archive.verify(progress: { _ in
            guard !worker.withLock({ isDone in swap(&isDone, true) }) else { return }
            let outcomes = try? archive.ingest(
                (UInt32(3)...9).map { number in fixture.arrival(number, text: "Later \(number)") })
            #expect(outcomes?.count == 7)
        })
        #expect(worker.withLock { $0 })
        #expect(report.findings == [])
        #expect(report.originals == 2 && report.messages == 2 && report.ledgerRows == 2)
        let later = try archive.verify()
        #expect(later.findings == [] && later.originals == 9 && later.messages == 9)
    }

    @Test func `what is erased while a verification runs is no finding`() throws {
        let fixture = try ArchiveFixture()
        var options = ArchiveOptions()
        options.packBytes = 1000
        let archive = try Archive.open(directory: fixture.directory, key: fixture.key, options: options)
        _ = try archive.ingest([fixture.arrival(1, text: String(repeating: "x", count: 1000))])
        guard case .review(let message) = try archive.ingest([fixture.arrival(2, text: "Erased")])[0] else {
            return
        }
        let isDone = Mutex(false)
        let report = try archive.verify(progress: { progress in
            // The pack's places have been read by then, its bytes too: the next verification sees it all.
            guard progress.pack == 1, !isDone.withLock({ swap(&$0, true) }) else { return }
            try? archive.makePrivate(message)
        })
        #expect(report.findings == [])
        #expect(report.erasedOriginals == 1)
    }

    @Test func `a record of an interrupted verification that cannot be read is none`() throws {
        let (fixture, _) = try filled(5)
        let path = fixture.directory + "/verify.json"
        try Data("{\"packs\":[{\"pack\":1}]}".utf8).write(to: URL(fileURLWithPath: path))
        let report = try fixture.archive.verify(.resumed)
        #expect(report.originals == 5 && report.resumedPacks == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}

/// - Returns: what it was.
private func swap(_ value: inout Bool, _ new: Bool) -> Bool {
    defer { value = new }
    return value
}

/// The same numbers every time (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
