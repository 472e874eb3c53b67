import Foundation
import GRDB
import Testing

@testable import Archive

/// The locks by which other processes know that an archive is open: without them the next one to close it takes itself for
/// the last, and deletes the log.
@Suite struct FileLockTests {
    /// Whether this process has a lock on the database's file.
    private func isHeld(_ directory: String) throws -> Bool {
        var status = stat()
        try #require(stat(directory + "/mailworker.db", &status) == 0)
        let end = ":\(status.st_ino) "
        return try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n").contains {
            $0.contains(" POSIX ") && $0.contains(" READ ") && $0.contains(" \(getpid()) ")
                && $0.contains(end)
        }
    }

    @Test func `an opened archive holds its lock, and does while another opening is made of it`() throws {
        let fixture = try ArchiveFixture()
        #expect(try isHeld(fixture.directory))
        for _ in 1...2 {
            let again = try fixture.reopened()
            #expect(try isHeld(fixture.directory))
            _ = try again.verify()
            try again.pool.close()
            #expect(try isHeld(fixture.directory))
        }
        _ = try fixture.archive.verify()
        #expect(try isHeld(fixture.directory))
    }

    @Test(arguments: StoredArchive.schemas)
    func `an archive that its opening has brought up to date holds its lock`(schema: String) throws {
        let stored = try StoredArchive(schema)
        let archive = try stored.open()
        #expect(try isHeld(stored.directory))
        try archive.pool.close()
    }
}
