import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

@Suite struct OriginalsTests {
    private func pack(_ fixture: ArchiveFixture, _ number: Int) -> String {
        fixture.directory + "/originals/pack-00000\(number).mwp"
    }

    @Test func `bytes that were written without their transaction are gone with the next append`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        // What a kill between fsync and commit leaves: records that no row speaks of.
        let arrival = fixture.arrival(2, text: "Interrupted")
        let item = OriginalsStore.Item(bytes: arrival.original, digest: arrival.originalDigest)
        try fixture.archive.pool.writeWithoutTransaction { db in
            _ = try fixture.archive.originals.append([item], db: db, at: fixture.clock.now)
        }
        #expect(try fixture.packBytes().range(of: Data("Interrupted".utf8)) != nil)

        // The same process goes on in their place.
        _ = try fixture.archive.ingest([fixture.arrival(3, text: "Three")])
        let report = try fixture.archive.verify()
        #expect(report.findings == [])
        #expect(report.unclaimedRecords == 0)
        #expect(report.originals == 2)
        #expect(try fixture.packBytes().range(of: Data("Interrupted".utf8)) == nil)
        #expect(!FileManager.default.fileExists(atPath: pack(fixture, 2)))
    }

    @Test func `a transaction that fails leaves nothing of its batch in the pack`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let size = try fixture.packBytes().count
        // No constraint, so that the batch fails as a whole, as on a disk that is full.
        try fixture.archive.pool.write { db in
            db.add(
                function: DatabaseFunction("fails", argumentCount: 0) { _ in
                    throw DatabaseError(resultCode: .SQLITE_FULL)
                })
            try db.execute(
                sql: "CREATE TRIGGER fails BEFORE INSERT ON originals BEGIN SELECT fails(); END")
        }
        let failure = #expect(throws: MailFailure.self) {
            try fixture.archive.ingest([fixture.arrival(2, text: "Interrupted")])
        }
        #expect(failure != nil)
        #expect(try fixture.packBytes().count == size)
        try fixture.archive.pool.write { try $0.execute(sql: "DROP TRIGGER fails") }
        _ = try fixture.archive.ingest([fixture.arrival(3, text: "Three")])
        let report = try fixture.archive.verify()
        #expect(report.findings == [])
        #expect(report.originals == 2 && report.unclaimedRecords == 0)
        #expect(!FileManager.default.fileExists(atPath: pack(fixture, 2)))
    }

    @Test func `what is refused leaves none of its bytes, and the others of its batch stay`() throws {
        let fixture = try ArchiveFixture()
        let refused = fixture.arrival(2, text: "Refused")
        try fixture.archive.pool.write { db in
            try db.execute(
                sql: """
                    CREATE TRIGGER refuses BEFORE INSERT ON originals WHEN NEW.size = \(refused.original.count)
                        BEGIN SELECT RAISE(ABORT, 'refused'); END
                    """)
        }
        let outcomes = try fixture.archive.ingest([
            fixture.arrival(1, text: "First"), refused, fixture.arrival(3, text: "The last"),
        ])
        guard case .failed = outcomes[1] else { return #expect(Bool(false), "\(outcomes)") }
        #expect(try fixture.packBytes().range(of: Data("Refused".utf8)) == nil)
        let report = try fixture.archive.verify()
        #expect(report.findings == [])
        #expect(report.originals == 2 && report.unclaimedRecords == 1)
        // Alone in its batch, it leaves no trace at all, however often it comes.
        let size = try fixture.packBytes().count
        for _ in 1...2 { _ = try fixture.archive.ingest([refused]) }
        _ = try fixture.archive.ingest([fixture.arrival(1, text: "First")])
        #expect(try fixture.packBytes().count <= size + 200)
        #expect(!FileManager.default.fileExists(atPath: pack(fixture, 2)))
    }

    @Test func `a pack with a torn tail gets no further record, and the tail is cut off`() throws {
        let directory = NSTemporaryDirectory() + "archive-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let key = SecretKey()
        let fixture = try ArchiveFixture()
        var archive: Archive? = try Archive.create(directory: directory, key: key)
        let account = try archive!.addAccount(ArchiveFixture.settings("anna", nil))
        let folder = try archive!.folder(account: account, name: .inbox)
        _ = try archive!.ingest([fixture.arrival(1, folder: folder)])
        archive = nil

        let path = directory + "/originals/pack-000001.mwp"
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("MWR1 torn".utf8))
        try handle.close()
        let torn = try Data(contentsOf: URL(fileURLWithPath: path))
        let counted = try Archive.open(directory: directory, key: key).verify()
        #expect(counted.findings == [])
        #expect(counted.trailingBytes == 9)

        let again = try Archive.open(directory: directory, key: key)
        _ = try again.ingest([
            fixture.arrival(1, folder: folder), fixture.arrival(2, text: "Two", folder: folder),
        ])
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == torn.dropLast(9))
        #expect(FileManager.default.fileExists(atPath: directory + "/originals/pack-000002.mwp"))
        let report = try again.verify()
        #expect(report.findings == [])
        #expect(report.originals == 2 && report.trailingBytes == 0)
    }

    /// A flipped bit in a committed end must not make nobody's what is somebody's.
    @Test func `where the database contradicts itself, nothing is cut off`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1), fixture.arrival(2, text: "Two")])
        let before = try fixture.packBytes()
        try fixture.archive.pool.write { try $0.execute(sql: "UPDATE packs SET committed_end = 32") }
        _ = try fixture.archive.ingest([fixture.arrival(3, text: "Three")])
        #expect(try fixture.packBytes().starts(with: before))
        #expect(FileManager.default.fileExists(atPath: pack(fixture, 2)))
    }

    @Test func `two processes write into packs of their own`() throws {
        let fixture = try ArchiveFixture()
        let other = try fixture.reopened()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        _ = try other.ingest([fixture.arrival(2, text: "Two")])
        _ = try fixture.archive.ingest([fixture.arrival(3, text: "Three")])
        #expect(FileManager.default.fileExists(atPath: pack(fixture, 2)))
        #expect(try other.verify().findings == [])
        #expect(try other.verify().originals == 3)
    }

    @Test func `verify names the message and place of a flipped bit`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1), fixture.arrival(2, text: "Victim")])
        let path = pack(fixture, 1)
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        data[data.count - 3] ^= 1
        try data.write(to: URL(fileURLWithPath: path))

        let victim = try #require(
            try fixture.archive.messages(withID: MessageID(rawValue: "Victim@client.example")).first)
        let reader = try fixture.reopened()
        let report = try reader.verify()
        #expect(report.findings.map(\.message) == [victim])
        #expect(report.findings.map(\.text) == ["the original does not match its checksum"])
        #expect(report.findings.first?.place.hasPrefix("pack 1, offset ") == true)
        let failure = #expect(throws: MailFailure.self) { try reader.original(of: victim) }
        #expect(failure?.code == .originalDamaged)
    }

    @Test func `verify names every record of a pack that is missing or cut short`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1), fixture.arrival(2, text: "Two")])
        let path = pack(fixture, 1)
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        try data.prefix(150).write(to: URL(fileURLWithPath: path))
        #expect(try fixture.reopened().verify().findings.contains { $0.subject == .pack })
        try FileManager.default.removeItem(atPath: path)
        let report = try fixture.reopened().verify()
        #expect(Set(report.findings.compactMap(\.message)).count == 2)
    }

    @Test func `a changed header breaks the chain`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1), fixture.arrival(2, text: "Two")])
        let path = pack(fixture, 1)
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        data[10] ^= 1
        try data.write(to: URL(fileURLWithPath: path))
        #expect(try !fixture.reopened().verify().isClean)
    }

    @Test func `a full pack is sealed and the next one started`() throws {
        let fixture = try ArchiveFixture()
        let store = OriginalsStore(
            directory: fixture.directory + "/originals", fullAt: 100, stop: WriteStop())
        for number in 1...3 {
            let arrival = fixture.arrival(UInt32(number), text: "Number \(number)")
            let item = OriginalsStore.Item(bytes: arrival.original, digest: arrival.originalDigest)
            let placements = try fixture.archive.pool.writeWithoutTransaction { db in
                let (placements, end) = try store.append([item], db: db, at: fixture.clock.now)
                try db.execute(
                    sql: "UPDATE packs SET committed_end = ?, chain = ? WHERE id = ?",
                    arguments: [end.end, Data(end.chain), end.pack])
                return placements
            }
            #expect(placements.map(\.pack) == [Int64(number)])
        }
    }

    @Test func `large and small originals come back byte for byte`() throws {
        let fixture = try ArchiveFixture()
        let sizes = [0, 1, 79, 80, 1 << 20, (1 << 20) + 1, 5 << 20, 3]
        let arrivals = sizes.enumerated().map { index, size -> Arrival in
            var arrival = fixture.arrival(UInt32(index + 1), text: "Size \(size)")
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }
            arrival.original = MessageBytes(bytes)
            arrival.originalDigest = fixture.digest(bytes)
            return arrival
        }
        for (outcome, arrival) in zip(try fixture.archive.ingest(arrivals), arrivals) {
            guard case .review(let id) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            let back = try fixture.archive.original(of: id)
            #expect(back.withUnsafeBytes { fixture.digest(Array($0)) } == arrival.originalDigest)
        }
        #expect(try fixture.archive.verify().findings == [])
    }
}
