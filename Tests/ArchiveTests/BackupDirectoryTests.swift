import Foundation
import MailModel
import Testing

@testable import Archive

/// Directories that a backup is to be written to, and that hold something already.
@Suite struct BackupDirectoryTests {
    private let fixture: ArchiveFixture
    private let target: String

    init() throws {
        fixture = try ArchiveFixture()
        target = fixture.directory + "-backup"
        _ = try fixture.archive.ingest([fixture.arrival(1)])
    }

    private func refusesAndKeeps(_ name: String) throws -> Bool {
        let path = "\(target)/\(name)"
        try FileManager.default.createDirectory(
            atPath: target + "/originals", withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
        let failure = #expect(throws: MailFailure.self) { try fixture.archive.backup(to: target) }
        return try failure?.code == .archiveExists && String(contentsOfFile: path, encoding: .utf8) == "mine"
    }

    @Test(arguments: [
        "mailworker-config-2025.tar.gz", "manifest.json.old", "originals/pack-of-photos.zip",
        "originals/notes.txt",
    ])
    func `a file that no backup has made is not taken away`(name: String) throws {
        defer { try? FileManager.default.removeItem(atPath: target) }
        #expect(try refusesAndKeeps(name))
        // Nor beside an earlier backup.
        try FileManager.default.removeItem(atPath: target)
        _ = try fixture.archive.backup(to: target)
        #expect(try refusesAndKeeps(name))
    }

    @Test func `packs without a backup's database are nobody's to replace`() throws {
        defer { try? FileManager.default.removeItem(atPath: target) }
        #expect(try refusesAndKeeps("originals/pack-000001.mwp"))
    }

    @Test func `the archive's own packs, which lie elsewhere by a link, are not replaced`() throws {
        defer { try? FileManager.default.removeItem(atPath: target) }
        let (live, files) = (fixture.directory + "/originals", FileManager.default)
        try files.createDirectory(atPath: target, withIntermediateDirectories: false)
        try files.moveItem(atPath: live, toPath: target + "/originals")
        try files.createSymbolicLink(atPath: live, withDestinationPath: target + "/originals")
        // As an interrupted backup leaves it.
        try Data().write(to: URL(fileURLWithPath: target + "/mailworker-1.db"))
        let before = try files.attributesOfItem(atPath: target + "/originals/pack-000001.mwp")
        let failure = #expect(throws: MailFailure.self) { try fixture.archive.backup(to: target) }
        #expect(failure?.code == .archiveExists)
        let after = try files.attributesOfItem(atPath: target + "/originals/pack-000001.mwp")
        #expect(before[.systemFileNumber] as? Int == after[.systemFileNumber] as? Int)
    }

    @Test func `what an interrupted backup has left is replaced`() throws {
        defer { try? FileManager.default.removeItem(atPath: target) }
        _ = try fixture.archive.backup(to: target)
        for name in ["manifest.json", "manifest.json.copy"] {
            try FileManager.default.removeItem(atPath: "\(target)/\(name)")
        }
        #expect(try fixture.archive.backup(to: target).findings == [])
    }
}
