import Foundation
import MailModel
import Testing

@testable import Archive

#if canImport(Glibc)
    import Glibc
#endif

/// What is no file in the place of one: a pipe that nobody ever writes into would be waited for, for ever.
@Suite(.timeLimit(.minutes(1))) struct SpecialFileTests {
    private func plant(_ path: String) throws {
        try? FileManager.default.removeItem(atPath: path)
        try #require(mkfifo(path, 0o600) == 0)
    }

    @Test func `a pipe in a pack's place is named, and the rest is looked at`() throws {
        let fixture = try ArchiveFixture()
        guard case .review(let message) = try fixture.archive.ingest([fixture.arrival(1)])[0] else {
            Issue.record("not filed")
            return
        }
        let reopened = try fixture.reopened()
        let pack = fixture.directory + "/originals/pack-000001.mwp"
        try plant(pack)
        #expect(throws: MailFailure.self) { try reopened.original(of: message) }
        #expect(try !reopened.verify().isClean)
        #expect(try reopened.brokenPacks().count == 1)
        #expect(throws: MailFailure.self) { try PackFile(overwriting: pack) }
        #expect(throws: MailFailure.self) { try PackFile(appendingTo: pack) }
    }

    @Test func `pipes in the places of notes and locks keep no archive from being opened`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        for name in ["mailworker.db-schema", "mailworker.db-damaged"] {
            try plant("\(fixture.directory)/\(name)")
        }
        let reopened = try fixture.reopened()
        #expect(try reopened.reviewItems().count == 1)
        try plant(fixture.directory + "/key")
        #expect(throws: MailFailure.self) { try SecretKey(file: fixture.directory + "/key") }
    }

    @Test func `a backup with a pipe among its packs is restored without it`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let (backup, target) = (fixture.directory + "-backup", fixture.directory + "-restored")
        defer { for path in [backup, target] { try? FileManager.default.removeItem(atPath: path) } }
        _ = try fixture.archive.backup(to: backup)
        try plant(backup + "/originals/pack-000001.mwp")
        #expect(throws: MailFailure.self) { try Archive.restore(from: backup, to: target) }
        #expect(!FileManager.default.fileExists(atPath: target + "/mailworker.db"))
    }
}
