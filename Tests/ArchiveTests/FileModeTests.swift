import Foundation
import Testing

@testable import Archive

struct FileModeTests {
    private static func modes(_ directory: String) throws -> [String: Int] {
        let files = FileManager.default
        return try files.subpathsOfDirectory(atPath: directory).reduce(into: [:]) { modes, name in
            let about = try files.attributesOfItem(atPath: "\(directory)/\(name)")
            modes[name] = (about[.posixPermissions] as? NSNumber)?.intValue
        }
    }

    @Test func `no file of an archive is for others, in a directory that they may enter`() throws {
        let directory = NSTemporaryDirectory() + "modes-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        let archive = try Archive.create(directory: directory, key: SecretKey())
        _ = try archive.addUser(name: "anna", email: nil)
        let modes = try Self.modes(directory)
        #expect(modes.keys.contains("mailworker.db") && modes.keys.contains("mailworker.db-wal"))
        for (name, mode) in modes { #expect(mode & 0o077 == 0, "\(name)") }
        #expect(try archive.openToOthers() == [])
    }

    @Test func `what an earlier version left open is closed, and what stays open is named`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let paths = ["/mailworker.db", "/mailworker.db-wal", "/originals/pack-000001.mwp"].map {
            fixture.directory + $0
        }
        for path in paths { chmod(path, 0o644) }
        #expect(try fixture.archive.openToOthers() == paths)
        let archive = try fixture.reopened()
        #expect(try archive.openToOthers() == [paths[2]])
        chmod(fixture.directory, 0o777)
        #expect(try archive.openToOthers().first == fixture.directory)
    }

    @Test(.enabled(if: geteuid() == 0, "only root makes files that are another's"))
    func `what root makes in the service's archive is the service's, and what is not is named`() throws {
        let fixture = try ArchiveFixture()
        for name in try FileManager.default.subpathsOfDirectory(atPath: fixture.directory) + [""] {
            #expect(chown("\(fixture.directory)/\(name)", 4321, 4321) == 0)
        }
        let archive = try fixture.reopened()
        _ = try archive.ingest([fixture.arrival(1)])
        _ = try archive.verify()
        let pack = fixture.directory + "/originals/pack-000001.mwp"
        #expect(FileOwner.of(pack)?.user == 4321 && FileOwner.of(pack)?.group == 4321)
        #expect(try archive.ofOthers() == [])
        #expect(chown(pack, 0, 0) == 0)
        #expect(try archive.ofOthers() == [pack])
    }

    @Test(.enabled(if: geteuid() == 0, "only root makes files that are another's"))
    func `what root restores is the service's, the directory that is made for it too`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let (parent, backup) = (fixture.directory + "-place", fixture.directory + "-backup")
        defer { for path in [parent, backup] { try? FileManager.default.removeItem(atPath: path) } }
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: false)
        #expect(chown(parent, 4321, 4321) == 0)
        _ = try fixture.archive.backup(to: backup)
        var manifest = try #require(try BackupManifest.read(in: backup))
        // So that there is a note on damaged pages too.
        manifest.damagedPages = [3]
        try manifest.write(in: backup)
        let directory = parent + "/archive"
        _ = try Archive.restore(from: backup, to: directory)
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory)
        #expect(names.contains("mailworker.db-damaged") && names.contains("originals/pack-000001.mwp"))
        for name in names + [""] {
            let owner = FileOwner.of("\(directory)/\(name)")
            #expect(owner?.user == 4321 && owner?.group == 4321, "\(name)")
        }
    }
}
