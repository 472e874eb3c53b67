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
}
