import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// Bits that flip in an archive or in its backup, and backups that are not this archive's.
@Suite struct BackupDamageTests {
    private final class Places: Sendable {
        let fixture: ArchiveFixture
        let backup: String
        let restored: String

        init() throws {
            fixture = try ArchiveFixture()
            backup = fixture.directory + "-backup"
            restored = fixture.directory + "-restored"
            _ = try fixture.archive.ingest(
                (UInt32(1)...4).map { number in
                    fixture.arrival(
                        number, messageID: "kept-\(number)@client.example",
                        text: "Kept \(number) " + String(repeating: "x", count: 400))
                })
        }

        deinit {
            for path in [backup, restored] { try? FileManager.default.removeItem(atPath: path) }
        }

        func message(_ number: Int) throws -> ArchivedMessageID {
            try #require(
                try fixture.archive.messages(withID: MessageID(rawValue: "kept-\(number)@client.example"))
                    .first)
        }

        func restore() throws -> VerifyReport {
            try? FileManager.default.removeItem(atPath: restored)
            return try Archive.restore(from: backup, to: restored).verification
        }
    }

    private static let pack = "/originals/pack-000001.mwp"

    private static func flip(_ path: String, behind text: String? = nil, plus distance: Int) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let start = try text.map { try #require(bytes.range(of: Data($0.utf8))).upperBound } ?? 0
        bytes[start + distance] ^= 4
        // In place: the archive has the file open.
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.write(contentsOf: bytes)
        try handle.close()
    }

    @Test func `what is damaged in the archive is named by its backup, and costs itself`() throws {
        let places = try Places()
        try Self.flip(places.fixture.directory + Self.pack, behind: "Kept 2 xx", plus: 20)
        let report = try places.fixture.archive.backup(to: places.backup)
        #expect(report.findings.map(\.message) == [try places.message(2)])
        #expect(report.findings.first?.place.hasPrefix("pack 1, offset") == true)
        // The next one says so too.
        #expect(try places.fixture.archive.backup(to: places.backup).findings == report.findings)
        let restored = try places.restore()
        #expect(restored.findings.map(\.message) == [try places.message(2)])
        let archive = try Archive.open(directory: places.restored, key: places.fixture.key)
        for number in [1, 3, 4] { _ = try archive.original(of: places.message(number)) }
    }

    @Test func `what the disk cannot read is zeros in a copy, and the bytes around it are there`() throws {
        let places = try Places()
        // The memory of this process as a file: its unmapped pages end with an input/output error.
        let page = Int(getpagesize())
        // Low enough to be a place in a file.
        let memory = try #require(
            mmap(
                UnsafeMutableRawPointer(bitPattern: 0x2000_0000), 3 * page, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        memset(memory, 7, 3 * page)
        munmap(memory + page, page)
        defer { munmap(memory, page) }
        defer { munmap(memory + 2 * page, page) }
        let source = try PackFile(reading: "/proc/self/mem")
        let path = places.fixture.directory + "/copy"
        let target = try #require(try PackFile(creating: path, header: []))
        let start = Int64(Int(bitPattern: memory))
        try source.copy(from: start, to: start + Int64(3 * page), into: target)
        let reader = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        try reader.seek(toOffset: UInt64(start))
        let expected = [UInt8](repeating: 7, count: page)
        #expect(
            try reader.readToEnd().map(Array.init) == expected + [UInt8](repeating: 0, count: page) + expected
        )
    }

    @Test(arguments: [20, -470])
    func `what a backup has damaged is mended from the archive by the next one`(distance: Int) throws {
        let places = try Places()
        _ = try places.fixture.archive.backup(to: places.backup)
        try Self.flip(places.backup + Self.pack, behind: "Kept 2 xx", plus: distance)
        let unread = try places.fixture.archive.backup(to: places.backup, readingBack: false)
        #expect(unread.mendedRecords == 0 && unread.copiedBytes == 0)
        let report = try places.fixture.archive.backup(to: places.backup)
        #expect(report.findings == [])
        #expect(report.mendedRecords >= 1 && report.copiedBytes == 0)
        #expect(try places.restore().findings == [])
    }

    @Test func `what the archive has lost is kept by its backup`() throws {
        let places = try Places()
        let archive = places.fixture.archive
        _ = try archive.backup(to: places.backup)
        // The header of a record, so that the chain is broken in the archive.
        try Self.flip(places.fixture.directory + Self.pack, behind: "Kept 2 xx", plus: 401 + 20)
        _ = try archive.ingest([places.fixture.arrival(5, text: "Later")])
        #expect(try archive.backup(to: places.backup).findings == [])
        #expect(try places.restore().findings == [])

        try FileManager.default.removeItem(atPath: places.fixture.directory + Self.pack)
        let report = try archive.backup(to: places.backup)
        #expect(report.findings.map(\.place) == ["pack 1"])
        let restored = try places.restore()
        #expect(restored.findings == [] && restored.originals == 5)
    }

    @Test func `a page that was damaged when it was copied is named by the backup and after a restore`()
        throws
    {
        let places = try Places()
        let archive = places.fixture.archive
        try archive.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        let page = try archive.pool.read { db in
            try Int.fetchOne(
                db, sql: "SELECT pageno FROM dbstat WHERE name = 'participants' AND pagetype = 'leaf'")
        }
        try archive.pool.close()
        let number = try #require(page)
        try Self.flip(places.fixture.directory + "/mailworker.db", plus: number * 4096 - 100)
        let report = try places.fixture.reopened().backup(to: places.backup)
        #expect(report.findings.map(\.place) == ["database page \(number)"])
        #expect(try places.restore().findings.contains { $0.place.hasPrefix("database page \(number)") })
    }

    @Test func `the backup of another archive is refused, and stays whole`() throws {
        let places = try Places()
        _ = try places.fixture.archive.backup(to: places.backup)
        let other = try ArchiveFixture()
        _ = try other.archive.ingest([other.arrival(1, text: "Other")])
        let failure = #expect(throws: MailFailure.self) { try other.archive.backup(to: places.backup) }
        #expect(failure?.code == .archiveExists)
        // One of the first format does not say whose it is; its packs do.
        for name in ["manifest.json", "manifest.json.copy"] {
            let path = places.backup + "/" + name
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let earlier = text.replacing("\"format\" : 2", with: "\"format\" : 1")
                .replacing(/"archive" : "[^"]*",/, with: "")
            try earlier.write(toFile: path, atomically: true, encoding: .utf8)
        }
        let again = #expect(throws: MailFailure.self) { try other.archive.backup(to: places.backup) }
        #expect(again?.code == .archiveExists)
        #expect(try places.restore().originals == 4)
        #expect(try places.fixture.archive.backup(to: places.backup).copiedBytes == 0)
    }

    @Test func `until a backup is complete the one before is whole, whatever a pack has become`() throws {
        let places = try Places()
        _ = try places.fixture.archive.backup(to: places.backup)
        _ = try places.restore()
        let other = try Archive.open(directory: places.restored, key: places.fixture.key)
        _ = try places.fixture.archive.ingest([places.fixture.arrival(5, text: "First future")])
        _ = try places.fixture.archive.backup(to: places.backup)
        _ = try other.ingest([places.fixture.arrival(5, text: "Quite another future of this archive")])

        let between = places.fixture.directory + "-between"
        defer { try? FileManager.default.removeItem(atPath: between) }
        var seen = 0
        let report = try other.backup(to: places.backup) { _, _ in
            try? FileManager.default.removeItem(atPath: between)
            guard let found = try? Archive.restore(from: places.backup, to: between) else { return }
            seen += 1
            #expect(found.verification.findings == [] && found.verification.originals == 5)
            let pack = try? Data(contentsOf: URL(fileURLWithPath: between + Self.pack))
            #expect(pack?.range(of: Data("First future".utf8)) != nil)
        }
        #expect(seen > 0 && report.copiedBytes == report.originalBytes)
        let packs = try FileManager.default.contentsOfDirectory(atPath: places.backup + "/originals")
        #expect(packs == ["pack-000001.mwp.2"])
        #expect(try other.backup(to: places.backup).copiedBytes == 0)
        try? FileManager.default.removeItem(atPath: between)
        #expect(try Archive.restore(from: places.backup, to: between).verification.findings == [])
        let pack = try Data(contentsOf: URL(fileURLWithPath: between + Self.pack))
        #expect(pack.range(of: Data("Quite another".utf8)) != nil)
    }

    @Test func `a flipped bit of the manifest is found, and the other copy of it read`() throws {
        let places = try Places()
        _ = try places.fixture.archive.backup(to: places.backup)
        let url = URL(fileURLWithPath: places.backup + "/manifest.json")
        let whole = try Data(contentsOf: url)
        let manifest = try #require(try BackupManifest.read(in: places.backup))
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 1 << UInt8(place % 8)
            try bytes.write(to: url)
            let found = try BackupManifest.read(in: places.backup)
            #expect(found?.database == manifest.database && found?.databaseSHA256 == manifest.databaseSHA256)
            #expect(found?.packs.map(\.bytes) == manifest.packs.map(\.bytes), "place \(place)")
        }
    }
}
