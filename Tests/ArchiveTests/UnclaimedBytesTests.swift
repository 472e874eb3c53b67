import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// What a process that died, or a disk that was full, leaves in the packs holds nobody's mail after an erasure.
@Suite struct UnclaimedBytesTests {
    private func write(_ bytes: [UInt8], behind pack: Int, of fixture: ArchiveFixture) throws {
        let handle = try #require(
            FileHandle(forWritingAtPath: fixture.directory + "/originals/pack-00000\(pack).mwp"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }

    /// A record as `append` writes it.
    private func record(_ arrival: Arrival) -> [UInt8] {
        let bytes = arrival.original.withUnsafeBytes { Array($0) }
        return PackFormat.recordHeader(
            length: bytes.count, digest: arrival.originalDigest, chain: [UInt8](repeating: 1, count: 32))
            + bytes
    }

    /// The archive of a process that has ended: nobody holds its packs.
    private func left(_ arrivals: [Arrival], in fixture: ArchiveFixture) throws {
        let other = try fixture.reopened()
        _ = try other.ingest(arrivals)
        try other.pool.close()
    }

    private func message(_ text: String, _ fixture: ArchiveFixture) throws -> ArchivedMessageID {
        try #require(
            try fixture.archive.messages(withID: MessageID(rawValue: "\(text)@client.example")).first)
    }

    @Test(arguments: [100, 130, 10_000], [false, true])
    func `an append that was cut off is gone after an erasure`(length: Int, isSealed: Bool) throws {
        let fixture = try ArchiveFixture()
        let body = String(repeating: "Sensitive line. ", count: 20)
        let torn = fixture.arrival(2, messageID: "torn@client.example", text: body)
        try left([fixture.arrival(1, text: "First")], in: fixture)
        try write(Array(record(torn).prefix(length)), behind: 1, of: fixture)
        // As earlier versions left it.
        if isSealed {
            try fixture.archive.pool.write { try $0.execute(sql: "UPDATE packs SET is_sealed = 1") }
        }
        let size = try fixture.packBytes().count
        #expect(try fixture.archive.verify().trailingBytes == Int64(min(length, record(torn).count)))

        try fixture.archive.makePrivate(try message("First", fixture))
        #expect(try !fixture.holds("Sensitive"))
        #expect(try fixture.packBytes().count == size - min(length, record(torn).count))
        let report = try fixture.archive.verify()
        #expect(report.findings == [] && report.trailingBytes == 0)
    }

    @Test func `erasing somebody without mail takes out what is nobody's too`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        try left([fixture.arrival(1, from: "x@y.example", text: "First")], in: fixture)
        try write(record(fixture.arrival(2, text: "Sensitive")), behind: 1, of: fixture)
        #expect(try fixture.archive.erase(maria).erased == [])
        #expect(try !fixture.holds("Sensitive"))
    }

    /// A batch of which one mail was refused, and that an earlier version left as it was.
    @Test func `a record of which no row speaks is overwritten, and its neighbours stay`() throws {
        let fixture = try ArchiveFixture()
        let refused = fixture.arrival(2, text: "Sensitive")
        try left(
            [fixture.arrival(1, text: "First"), refused, fixture.arrival(3, text: "Third")], in: fixture)
        let sensitive = try message("Sensitive", fixture)
        try fixture.archive.pool.write { db in
            for table in ["review_items", "participants", "ledger", "originals"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE message = ?", arguments: [sensitive.rawValue])
            }
            try db.execute(sql: "DELETE FROM messages WHERE id = ?", arguments: [sensitive.rawValue])
        }
        let pack = try fixture.packBytes()
        try fixture.archive.makePrivate(try message("First", fixture))
        #expect(try fixture.packBytes().range(of: Data("Sensitive".utf8)) == nil)
        #expect(try fixture.packBytes().count == pack.count)
        #expect(try fixture.archive.original(of: try message("Third", fixture)).count > 0)
        let report = try fixture.archive.verify()
        #expect(report.findings == [])
        #expect(report.unclaimedRecords == 1 && report.originals == 1 && report.erasedOriginals == 1)
    }

    /// Two processes that file the same mail: one of them has written for nothing.
    @Test func `a second record of living mail goes with it, and not before`() throws {
        let fixture = try ArchiveFixture()
        let arrival = fixture.arrival(1, text: "Sensitive")
        try left([arrival], in: fixture)
        let other = try fixture.reopened()
        try other.pool.writeWithoutTransaction { db in
            let item = OriginalsStore.Item(bytes: arrival.original, digest: arrival.originalDigest)
            let end = try other.originals.append([item], db: db, at: fixture.clock.now).end
            try db.execute(
                sql: "UPDATE packs SET committed_end = ?, chain = ? WHERE id = ?",
                arguments: [end.end, Data(end.chain), end.pack])
        }
        _ = try other.ingest([fixture.arrival(2, text: "Other")])
        try other.pool.close()
        func count() throws -> Int { try fixture.packBytes().split(separator: Data("Sensitive".utf8)).count }
        let both = try count()
        try fixture.archive.makePrivate(try message("Other", fixture))
        #expect(try count() == both)
        try fixture.archive.makePrivate(try message("Sensitive", fixture))
        #expect(try !fixture.holds("Sensitive"))
        #expect(try fixture.archive.verify().findings == [])
    }

    /// One flipped bit in what the database says of places costs no original.
    @Test(arguments: ["size = size - 1", "size = 3", "offset = offset + 8", "offset = offset - 8"])
    func `where pack and database differ, an erasure overwrites nothing`(change: String) throws {
        let fixture = try ArchiveFixture()
        try left(
            (UInt32(1)...5).map { number in fixture.arrival(number, text: "Number \(number)") }, in: fixture)
        let before = try fixture.packBytes()
        let victim = try message("Number 3", fixture)
        try fixture.archive.pool.write { db in
            try db.execute(
                sql: "UPDATE originals SET \(change) WHERE message = ?", arguments: [victim.rawValue])
        }
        try fixture.archive.makePrivate(try message("Number 5", fixture))
        #expect(
            try fixture.packBytes().prefix(before.count - 100).elementsEqual(
                before.prefix(before.count - 100)))
    }

    /// One flipped bit in a record's header costs neither the erasure nor the mail around it: bits of the length, of the
    /// digest, of the chain and of the magic, also when a second look (as of a backup) meets it.
    @Test(arguments: [0, 8, 9, 10, 14, 20, 50])
    func `with a damaged header an erasure overwrites its own original and no other`(byte: Int) throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest(
            (UInt32(1)...5).map { number in fixture.arrival(number, text: "Number \(number)") })
        let victim = try message("Number 3", fixture)
        let offset = try fixture.archive.read {
            try Int.fetchOne(
                $0, sql: "SELECT offset FROM originals WHERE message = ?", arguments: [victim.rawValue])
        }
        let path = fixture.directory + "/originals/pack-000001.mwp"
        let pack = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        let place = try UInt64(#require(offset) + byte)
        try pack.seek(toOffset: place)
        let octet = try #require(pack.read(upToCount: 1)?.first)
        try pack.seek(toOffset: place)
        try pack.write(contentsOf: Data([octet ^ 4]))
        try pack.close()
        try fixture.archive.makePrivate(victim)
        #expect(try !fixture.holds("Number 3"))
        let places = try fixture.archive.read { try DatabaseSnapshotFile.erased($0) }
        try fixture.archive.originals.overwrite(places, in: [1])
        for number in [1, 2, 4, 5] {
            #expect(try fixture.archive.original(of: message("Number \(number)", fixture)).count > 0)
        }
    }

    @Test func `in a pack that is being written, only what was erased is overwritten`() throws {
        let fixture = try ArchiveFixture()
        let other = try fixture.reopened()
        _ = try other.ingest([fixture.arrival(1, text: "Sensitive")])
        // About to be committed by the other process.
        let item = fixture.arrival(2, text: "Uncommitted")
        try other.pool.writeWithoutTransaction { db in
            _ = try other.originals.append(
                [OriginalsStore.Item(bytes: item.original, digest: item.originalDigest)], db: db,
                at: fixture.clock.now)
        }
        #expect(try fixture.archive.verify().trailingBytes == 0)
        try fixture.archive.makePrivate(try message("Sensitive", fixture))
        #expect(try !fixture.holds("Sensitive"))
        #expect(try fixture.holds("Uncommitted"))
    }
}
