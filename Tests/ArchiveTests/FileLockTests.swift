import Foundation
import GRDB
import Testing

@testable import Archive

#if canImport(Glibc)
    import Glibc
#endif

/// The locks by which other processes know that an archive is open: without them the next one to close it takes itself for
/// the last, and deletes the log.
@Suite struct FileLockTests {
    /// Whether this process has a lock on the database's file. The descriptor that asks is never closed: that would take
    /// SQLite's locks away.
    private func isHeld(_ directory: String) throws -> Bool {
        let descriptor = Glibc.open(directory + "/mailworker.db", O_RDWR | O_CLOEXEC)
        try #require(descriptor >= 0)
        var wanted = flock()
        wanted.l_type = Int16(F_WRLCK)
        wanted.l_whence = Int16(SEEK_SET)
        try #require(fcntl(descriptor, LeaseTests.openFileGetLock, &wanted) == 0)
        return wanted.l_type != Int16(F_UNLCK)
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
