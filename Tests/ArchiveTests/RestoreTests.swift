import CPageSums
import Foundation
import MailModel
import Testing

@testable import Archive

@Suite struct RestoreTests {
    /// A backup of four messages, and a place that has nothing in it.
    private final class Backup: Sendable {
        let fixture: ArchiveFixture
        let path: String
        let target: String

        init() throws {
            fixture = try ArchiveFixture()
            path = fixture.directory + "-backup"
            target = fixture.directory + "-restored"
            _ = try fixture.archive.ingest(
                (UInt32(1)...4).map { number in
                    fixture.arrival(
                        number, messageID: "kept-\(number)@client.example",
                        text: "Kept \(number) " + String(repeating: "x", count: 400))
                })
            _ = try fixture.archive.backup(to: path)
        }

        deinit {
            for path in [path, target] { try? FileManager.default.removeItem(atPath: path) }
        }

        var pack: String { path + "/originals/pack-000001.mwp" }
        var database: String { path + "/mailworker-1.db" }

        func restore(besides others: Set<String> = []) throws -> RestoreReport {
            try Archive.restore(from: path, to: target, besides: others)
        }

        func entries(of directory: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        }
    }

    private static func change(_ path: String, _ body: (inout Data) -> Void) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        body(&bytes)
        try bytes.write(to: URL(fileURLWithPath: path))
    }

    @Test func `what a backup has damaged is named and costs itself, and the rest polls on`() throws {
        let backup = try Backup()
        try Self.change(backup.pack) { bytes in
            bytes[bytes.range(of: Data("Kept 2 xx".utf8))!.upperBound + 50] ^= 4
        }
        let report = try backup.restore()
        let archive = try Archive.open(directory: backup.target, key: backup.fixture.key)
        let ids = try (1...4).map { number in
            try #require(
                try archive.messages(withID: MessageID(rawValue: "kept-\(number)@client.example")).first)
        }
        #expect(report.verification.findings.map(\.message) == [ids[1]])
        #expect(report.verification.messages == 4)
        for id in [ids[0], ids[2], ids[3]] { _ = try archive.original(of: id) }
        let lost = #expect(throws: MailFailure.self) { try archive.original(of: ids[1]) }
        #expect(lost?.code == .originalDamaged)
        let outcomes = try archive.ingest([
            backup.fixture.arrival(4, text: "Known"), backup.fixture.arrival(5, text: "Later"),
        ])
        #expect(outcomes[0] == .alreadyKnown && outcomes[1] != .alreadyKnown)
    }

    @Test func `what a pack of the backup lacks is named, and the rest is restored`() throws {
        let backup = try Backup()
        try Self.change(backup.pack) { $0.removeLast(100) }
        let short = try backup.restore().verification
        #expect(short.messages == 4 && !short.isClean)
        try FileManager.default.removeItem(atPath: backup.target)

        try FileManager.default.removeItem(atPath: backup.pack)
        let missing = try backup.restore().verification
        #expect(missing.messages == 4)
        #expect(missing.findings.contains { $0.subject == .pack && $0.place == "pack 1" })
        let archive = try Archive.open(directory: backup.target, key: backup.fixture.key)
        _ = try archive.ingest([backup.fixture.arrival(5, text: "Later")])
    }

    @Test func `a flipped bit in the database of a backup is put right`() throws {
        let backup = try Backup()
        let size = try Data(contentsOf: URL(fileURLWithPath: backup.database)).count
        // The header of the file, that of the schema's root page, and a place in some other pages.
        let places = [3, 16, 18, 20, 25, 47, 96, 103] + stride(from: 4096 + 5, to: size, by: 17 * 4096 + 700)
        for place in places {
            try Self.change(backup.database) { $0[place] ^= 8 }
            let report = try backup.restore()
            #expect(report.mendedPages == 1, "place \(place)")
            #expect(report.verification.findings == [], "place \(place)")
            try Self.change(backup.database) { $0[place] ^= 8 }
            try FileManager.default.removeItem(atPath: backup.target)
        }
    }

    /// Of a flip of the highest bit of a word the checksum fits hundreds of places of the page.
    @Test(arguments: [UInt8(0x20), 0x40, 0x80])
    func `where the checksum leaves open which bit it was, the backup's digest says it`(bit: UInt8) throws {
        let backup = try Backup()
        let whole = try Data(contentsOf: URL(fileURLWithPath: backup.database))
        for page in stride(from: 2, to: whole.count / 4096, by: 23) {
            let place = page * 4096 + 4 * (page * 37 % 1020) + 3
            try Self.change(backup.database) { $0[place] ^= bit }
            let report = try backup.restore()
            #expect(report.mendedPages == 1, "place \(place)")
            #expect(report.verification.findings == [], "place \(place)")
            try Self.change(backup.database) { $0[place] ^= bit }
            try FileManager.default.removeItem(atPath: backup.target)
        }
    }

    @Test func `a bit that nobody can tell is left as it is, and the page is named`() throws {
        let backup = try Backup()
        let whole = try Data(contentsOf: URL(fileURLWithPath: backup.database))
        let text = try #require(whole.range(of: Data(String(repeating: "x", count: 300).utf8))).lowerBound
        let other = (text / 4096 + 1) * 4096
        try Self.change(backup.database) { bytes in
            for place in 0..<40 { bytes[text / 4096 * 4096 + 100 * place] ^= 0xFF }
            bytes[other + 2003] ^= 0x80
        }
        let report = try backup.restore()
        #expect(report.mendedPages == 0)
        #expect(
            report.verification.findings.contains { $0.place.hasPrefix("database page \(other / 4096 + 1)") })
    }

    @Test func `a bit that has flipped is among those of which the page has its checksum`() throws {
        let backup = try Backup()
        let whole = try Data(contentsOf: URL(fileURLWithPath: backup.database))
        var isOpen = false
        for (page, place, bit) in [
            (1, 3, 0), (2, 7, 7), (3, 2003, 7), (4, 4091, 6), (5, 4094, 5), (6, 1000, 2),
        ] {
            var bytes = [UInt8](whole[page * 4096..<(page + 1) * 4096])
            let flip = PageMending.Flip(place: place, bit: UInt8(bit))
            flip.apply(to: &bytes)
            let found = PageMending.flips(in: bytes, UInt32(page + 1))
            #expect(found.contains(flip), "page \(page + 1), place \(place)")
            // And they are all that there are.
            var others = 0
            for place in 0..<4096 {
                for bit in UInt8(0)..<8 {
                    bytes[place] ^= 1 << bit
                    others += Int(mw_page_is_intact(bytes, 4096, UInt32(page + 1)))
                    bytes[place] ^= 1 << bit
                }
            }
            #expect(found.count == others)
            isOpen = isOpen || found.count > 1
        }
        #expect(isOpen)
    }

    @Test func `a database that is damaged beyond that is restored where it opens, and not called whole`()
        throws
    {
        let backup = try Backup()
        // A page of texts: opening does not read it.
        let whole = try Data(contentsOf: URL(fileURLWithPath: backup.database))
        let text = try #require(whole.range(of: Data(String(repeating: "x", count: 300).utf8))).lowerBound
        try Self.change(backup.database) { bytes in
            for place in 0..<40 { bytes[text / 4096 * 4096 + 100 * place] ^= 0xFF }
        }
        let report = try backup.restore()
        #expect(report.mendedPages == 0)
        #expect(report.verification.findings.contains { $0.text == "it does not match its checksum" })
        try FileManager.default.removeItem(atPath: backup.target)

        try Self.change(backup.database) { bytes in
            for place in 0..<40 { bytes[place] ^= 0xFF }
        }
        let failure = #expect(throws: MailFailure.self) { try backup.restore() }
        #expect(failure?.code == .backupDamaged)
        #expect(!FileManager.default.fileExists(atPath: backup.target))
    }

    @Test func `of two restores to one place one goes on undisturbed`() throws {
        let backup = try Backup()
        nonisolated(unsafe) var refused: [MailFailure.Code?] = []
        let interfere: @Sendable (Int64, Int64) -> Void = { _, _ in
            let failure = #expect(throws: MailFailure.self) { try backup.restore() }
            refused.append(failure?.code)
            let made = #expect(throws: MailFailure.self) {
                try Archive.create(directory: backup.target, key: SecretKey())
            }
            refused.append(made?.code)
        }
        let report = try Archive.restore(from: backup.path, to: backup.target, progress: interfere)
        #expect(!refused.isEmpty && refused.allSatisfy { $0 == .archiveBusy })
        #expect(report.verification.isClean && report.verification.originals == 4)
        let archive = try Archive.open(directory: backup.target, key: backup.fixture.key)
        #expect(try archive.verify().originals == 4)
    }

    @Test func `nothing beside the directory is needed, which may be a link and hold the key`() throws {
        let backup = try Backup()
        let place = backup.target + "-place"
        defer { try? FileManager.default.removeItem(atPath: place) }
        let directory = place + "/archive"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: backup.target, withDestinationPath: directory)
        try Data("key".utf8).write(to: URL(fileURLWithPath: directory + "/mailworker.key"))
        let refused = #expect(throws: MailFailure.self) { try backup.restore() }
        #expect(refused?.code == .archiveExists)
        #expect(try backup.entries(of: directory) == ["mailworker.key"])

        nonisolated(unsafe) var beside: Set<[String]> = []
        let look: @Sendable (Int64, Int64) -> Void = { _, _ in
            beside.insert((try? FileManager.default.contentsOfDirectory(atPath: place)) ?? [])
        }
        _ = try Archive.restore(
            from: backup.path, to: backup.target, besides: ["mailworker.key"], progress: look)
        #expect(beside == [["archive"]])
        #expect(try !backup.entries(of: directory).contains { $0.contains("restoring") })
        #expect(try Data(contentsOf: URL(fileURLWithPath: directory + "/mailworker.key")) == Data("key".utf8))
        #expect(try Archive.open(directory: directory, key: backup.fixture.key).verify().originals == 4)
    }

    @Test func `what an interrupted restore has left is no archive, and the next one clears it`() throws {
        let backup = try Backup()
        let files = FileManager.default
        // While it was being built.
        try files.createDirectory(
            atPath: backup.target + "/.restoring/originals", withIntermediateDirectories: true)
        try Data("half".utf8).write(
            to: URL(fileURLWithPath: backup.target + "/.restoring/originals/pack-000001.mwp"))
        // What lies beside it is not its own until it was complete.
        try files.createDirectory(atPath: backup.target + "/originals", withIntermediateDirectories: false)
        let foreign = #expect(throws: MailFailure.self) { try backup.restore() }
        #expect(foreign?.code == .archiveExists)
        // While it was being moved.
        try Data().write(to: URL(fileURLWithPath: backup.target + "/.restoring/complete"))
        #expect(try backup.restore().verification.originals == 4)
        #expect(try !backup.entries(of: backup.target).contains(".restoring"))
        #expect(try Archive.open(directory: backup.target, key: backup.fixture.key).verify().originals == 4)
    }
}
