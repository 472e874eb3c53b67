import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// Pages of the database that a disk has lost: read as zeros, or not at all.
@Suite struct LostPageTests {
    /// An archive of many messages, its files in a folder of their own, with everything in the database's file.
    private final class Copy {
        let fixture: ArchiveFixture
        let directory: String
        let backup: String
        let restored: String
        let messages: [ArchivedMessageID]

        init(_ count: UInt32 = 200) throws {
            let fixture = try ArchiveFixture()
            self.fixture = fixture
            directory = fixture.directory + "-copy"
            backup = fixture.directory + "-backup"
            restored = fixture.directory + "-restored"
            try fixture.contact("Maria", "maria@client.example")
            let outcomes = try fixture.archive.ingest(
                (1...count).map { number in
                    fixture.arrival(
                        number, from: number % 2 == 0 ? "maria@client.example" : "s\(number)@other.example",
                        messageID: "m\(number)@client.example", text: "Text \(number)"
                    ) {
                        // One that is too long for a page.
                        if number == 7 { $0.subject = String(repeating: "long ", count: 2000) }
                    }
                })
            let messages = outcomes.compactMap { outcome -> ArchivedMessageID? in
                switch outcome {
                case .linked(let id, _), .review(let id): id
                default: nil
                }
            }
            self.messages = messages
            let texts = messages.map { message in
                SearchText(message: message, body: String(repeating: "word\(message.rawValue) ", count: 900))
            }
            try fixture.archive.index(texts)
            _ = try fixture.archive.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
            try FileManager.default.copyItem(atPath: fixture.directory, toPath: directory)
        }

        deinit {
            for path in [directory, backup, restored] { try? FileManager.default.removeItem(atPath: path) }
        }

        var database: String { directory + "/mailworker.db" }

        func open() throws -> Archive { try Archive.open(directory: directory, key: fixture.key) }

        /// The pages of a table, as they lie in the tree.
        func pages(_ table: String, _ kind: String = "leaf") throws -> [Int] {
            try fixture.archive.read { db in
                try Int.fetchAll(
                    db, sql: "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY path",
                    arguments: [table, kind])
            }
        }

        func change(_ page: Int, _ body: (inout [UInt8]) -> Void) throws {
            let file = try #require(FileHandle(forUpdatingAtPath: database))
            try file.seek(toOffset: UInt64(page - 1) * 4096)
            var bytes = Array(try #require(try file.read(upToCount: 4096)))
            body(&bytes)
            try file.seek(toOffset: UInt64(page - 1) * 4096)
            try file.write(contentsOf: bytes)
            try file.close()
        }

        func empty(_ page: Int) throws { try change(page) { $0 = [UInt8](repeating: 0, count: 4096) } }

        /// The messages of the rows on a page of the undamaged archive.
        func rows(on page: Int, of table: String) throws -> Set<ArchivedMessageID> {
            try fixture.archive.read { db in
                let owner = PageOwner(name: table)
                return Set(try PageRows(db: db).messages(on: UInt32(page), of: owner))
            }
        }

        func restore() throws -> RestoreReport {
            try? FileManager.default.removeItem(atPath: restored)
            return try Archive.restore(from: backup, to: restored)
        }
    }

    private static func places(_ report: VerifyReport, _ page: Int) -> [Finding] {
        report.findings.filter {
            $0.place == "database page \(page)" || $0.place.hasPrefix("database page \(page) (")
        }
    }

    private static func named(_ report: VerifyReport) -> Set<ArchivedMessageID> {
        Set(report.findings.compactMap(\.message))
    }

    @Test(arguments: ["messages", "participants", "ledger", "originals", "history", "review_items"])
    func `a page that is nothing but zeros is named, with the messages of its rows`(table: String) throws {
        let copy = try Copy()
        let page = try #require(try copy.pages(table).dropFirst().first)
        let lost = try copy.rows(on: page, of: table)
        #expect(lost.count > 5 && lost.count < copy.messages.count)
        try copy.empty(page)
        let report = try copy.open().verify()
        #expect(Self.places(report, page).map(\.place) == ["database page \(page) (\(table))"])
        #expect(Self.places(report, page).first?.text.contains("empty") == true)
        #expect(lost.isSubset(of: Self.named(report)), "\(table)")
    }

    /// Nothing else would find it: the chain ends there, and the text goes on with zeros.
    @Test
    func `the last page of a text that is too long for one is named when it is zeros, with its message`()
        throws
    {
        let copy = try Copy()
        let page = try #require(try copy.pages("messages", "overflow").last)
        try copy.empty(page)
        let archive = try copy.open()
        let report = try archive.verify()
        #expect(Self.places(report, page).map(\.place) == ["database page \(page) (messages)"])
        let long = copy.messages[6]
        #expect(try copy.fixture.archive.message(long).subject?.hasPrefix("long long") == true)
        #expect(report.findings.contains { $0.message == long && $0.text.contains("page \(page)") })
        // No page but that one, and nobody else's.
        #expect(Self.named(report) == [long])
    }

    @Test func `a page of zeros that was read once stays named when it is written anew`() throws {
        let copy = try Copy()
        let page = try #require(try copy.pages("messages", "overflow").last)
        try copy.empty(page)
        do {
            let archive = try copy.open()
            try archive.pool.write { db in
                _ = try String.fetchAll(db, sql: "SELECT subject FROM messages")
                try db.execute(sql: "UPDATE messages SET subject = 'short' WHERE length(subject) > 1000")
            }
            try archive.pool.close()
        }
        #expect(try PageCheck(path: copy.database).run().damaged == [])
        #expect(try !Self.places(copy.open().verify(), page).isEmpty)
    }

    @Test func `a free page that was never written is no damage`() throws {
        let copy = try Copy(20)
        let archive = try copy.open()
        try archive.pool.writeWithoutTransaction { db in
            try db.execute(sql: "CREATE TABLE later AS SELECT randomblob(40000) AS a")
            try db.execute(sql: "DROP TABLE later")
            _ = try db.checkpoint(.truncate)
        }
        try archive.pool.close()
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: copy.database)))
        let free = BlankPages(path: copy.database, pageSize: 4096) {
            Array(bytes[Int($1)..<Int($1) + $0])
        }.freeLeaves()
        #expect(free.count > 5)
        for page in free { try copy.empty(Int(page)) }
        #expect(try copy.open().verify().findings == [])
        // Nor does a backup call it lost.
        #expect(try copy.open().backup(to: copy.backup).findings == [])
        #expect(try copy.restore().verification.findings == [])
    }

    @Test(arguments: ["participants", "messages"])
    func `a page that the disk cannot read is named with its messages, and what lies behind it is looked at`(
        table: String
    ) throws {
        let copy = try Copy()
        let page = try #require(try copy.pages(table).dropFirst().first)
        let lost = try copy.rows(on: page, of: table)
        #expect(lost.count > 5)
        // The last page of the file.
        let last = try Data(contentsOf: URL(fileURLWithPath: copy.database)).count / 4096
        #expect(last > page)
        try copy.change(last) { $0[100] ^= 1 }
        let sector = BadSector(page: page, of: copy.database)
        defer { withExtendedLifetime(sector) {} }
        let report = try copy.open().verify()
        #expect(Self.places(report, page).map(\.place) == ["database page \(page) (\(table))"])
        #expect(Self.places(report, page).first?.text == "the disk cannot read the page")
        #expect(lost.isSubset(of: Self.named(report)))
        #expect(Self.places(report, last).map(\.text).first?.hasPrefix("the page is not as it was") == true)
        #expect(report.databasePages >= last, "\(report.databasePages)")
        #expect(report.originals == copy.messages.count)
    }

    @Test(arguments: ["participants", "messages", "originals"])
    func `a backup of a database that the disk cannot read in full has the rest, and says what is missing`(
        table: String
    ) throws {
        let copy = try Copy()
        let page = try #require(try copy.pages(table).dropFirst().first)
        let lost = try copy.rows(on: page, of: table)
        do {
            let sector = BadSector(page: page, of: copy.database)
            defer { withExtendedLifetime(sector) {} }
            let report = try copy.open().backup(to: copy.backup)
            let found = report.findings.filter { $0.place == "database page \(page)" }
            #expect(
                found.map(\.text) == [
                    "the archive's disk has lost the page, and nothing of it is in the copy"
                ])
            #expect(report.originalBytes > 0)
        }
        let restored = try copy.restore()
        #expect(restored.carriedPages == 1)
        #expect(!Self.places(restored.verification, page).isEmpty)
        // The packs are whole, whatever the rows say.
        let pack = "/originals/pack-000001.mwp"
        let packs = try [copy.directory, copy.restored].map {
            try Data(contentsOf: URL(fileURLWithPath: $0 + pack))
        }
        #expect(packs[0] == packs[1])
        let archive = try Archive.open(directory: copy.restored, key: copy.fixture.key)
        #expect(try !archive.verify().isClean)
        for message in copy.messages where !lost.contains(message) {
            #expect(try archive.original(of: message).count > 0)
        }
    }

    @Test func `an earlier backup is not replaced by one of a database that has lost pages`() throws {
        let copy = try Copy(30)
        _ = try copy.open().backup(to: copy.backup)
        let page = try #require(try copy.pages("participants").first)
        try copy.empty(page)
        let failure = #expect(throws: MailFailure.self) { try copy.open().backup(to: copy.backup) }
        #expect(failure?.code == .archiveCorrupt && failure?.remedy?.contains("empty directory") == true)
        #expect(failure?.detail?.contains("pages \(page)") == true)
        let names = try FileManager.default.contentsOfDirectory(atPath: copy.backup).sorted()
        #expect(names == ["mailworker-1.db", "manifest.json", "manifest.json.copy", "originals"])
        let restored = try copy.restore()
        #expect(restored.verification.findings == [] && restored.verification.originals == 30)
        #expect(restored.carriedPages == 0)

        // Into an empty one, and then again into that.
        try FileManager.default.removeItem(atPath: copy.backup)
        for _ in 1...2 { #expect(try !copy.open().backup(to: copy.backup).isClean) }
    }

    @Test func `what a disk has lost of a backup is missing in what is restored of it, and stays named`()
        throws
    {
        let copy = try Copy(60)
        _ = try copy.open().backup(to: copy.backup)
        let path = copy.backup + "/mailworker-1.db"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let text = try #require(bytes.range(of: Data("long long long".utf8))).lowerBound / 4096 * 4096
        bytes.replaceSubrange(text..<text + 4096, with: [UInt8](repeating: 0, count: 4096))
        try bytes.write(to: URL(fileURLWithPath: path))
        let report = try copy.restore()
        #expect(report.verification.findings.contains { $0.text == "it does not match its checksum" })
        #expect(!Self.places(report.verification, text / 4096 + 1).isEmpty)
        let archive = try Archive.open(directory: copy.restored, key: copy.fixture.key)
        #expect(try !Self.places(archive.verify(), text / 4096 + 1).isEmpty)
    }

    @Test func `what is restored with fewer messages than were there is said`() throws {
        let copy = try Copy(5)
        _ = try copy.open().backup(to: copy.backup)
        var manifest = try #require(try BackupManifest.read(in: copy.backup))
        manifest.messages = 6
        try manifest.write(in: copy.backup)
        let places = try copy.restore().verification.findings.map(\.place)
        #expect(places == ["messages of the backup"])
    }
}
