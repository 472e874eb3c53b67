import Foundation
import MailModel
import Testing

@testable import Archive

/// Links that whoever has the archive's directories has put where a command of root's opens a file.
@Suite(.enabled(if: geteuid() == 0, "only root could give files away"))
struct PlantedLinkTests {
    private let fixture: ArchiveFixture
    private let outside: String

    init() throws {
        fixture = try ArchiveFixture()
        outside = fixture.directory + "-outside"
        try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: false)
        try Data("root's".utf8).write(to: URL(fileURLWithPath: outside + "/file"))
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        for name in try FileManager.default.subpathsOfDirectory(atPath: fixture.directory) + [""] {
            try #require(chown("\(fixture.directory)/\(name)", 4321, 4321) == 0)
        }
    }

    private func plant(_ name: String, to target: String) throws {
        let path = "\(fixture.directory)/\(name)"
        try? FileManager.default.removeItem(atPath: path)
        try #require(symlink("\(outside)/\(target)", path) == 0 && lchown(path, 4321, 4321) == 0)
    }

    private func isUntouched() throws -> Bool {
        try FileOwner.of(outside + "/file")?.user == 0
            && String(contentsOfFile: outside + "/file", encoding: .utf8) == "root's"
    }

    @Test(arguments: ["file", "new"])
    func `a link in the lock's place gives nothing away and makes nothing`(target: String) throws {
        defer { try? FileManager.default.removeItem(atPath: outside) }
        try plant("locks/maintenance", to: target)
        #expect(throws: MailFailure.self) { try MaintenanceLock(directory: fixture.directory + "/locks") }
        #expect(try isUntouched())
        #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["file"])
    }

    @Test func `what is made behind a link in a directory's place is that directory's owner's`() throws {
        defer { try? FileManager.default.removeItem(atPath: outside) }
        try plant("locks", to: "")
        _ = try MaintenanceLock(directory: fixture.directory + "/locks")
        #expect(FileOwner.of(outside + "/maintenance")?.user == 0)
    }

    @Test(arguments: ["file", "new"])
    func `a link in the database's place is made no database`(target: String) throws {
        defer { try? FileManager.default.removeItem(atPath: outside) }
        try plant("mailworker.db", to: target)
        #expect(throws: MailFailure.self) { try FileModes.reserve(fixture.directory + "/mailworker.db") }
        #expect(try isUntouched())
        #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["file"])
    }

    @Test func `a link in a pack's place is neither read nor overwritten nor cut`() throws {
        defer { try? FileManager.default.removeItem(atPath: outside) }
        let name = "originals/pack-000001.mwp"
        try plant(name, to: "file")
        let path = "\(fixture.directory)/\(name)"
        #expect(throws: MailFailure.self) { try PackFile(reading: path) }
        #expect(throws: MailFailure.self) { try PackFile(overwriting: path) }
        #expect(throws: MailFailure.self) { try PackFile(appendingTo: path) }
        #expect(try fixture.reopened().verify().findings.contains { $0.place == "pack 1" })
        #expect(try isUntouched())
    }
}
