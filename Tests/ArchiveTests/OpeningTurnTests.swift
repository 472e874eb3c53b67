import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

#if canImport(Glibc)
    import Glibc
#endif

/// Openings that wait for one that brings the archive up to date.
@Suite struct OpeningTurnTests {
    /// The turn, as another process has it; each open file has its own lock.
    private final class Other: Sendable {
        private let descriptor: Int32

        init(_ directory: String) throws {
            descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            try #require(flock(descriptor, LOCK_EX) == 0)
        }

        func release() { flock(descriptor, LOCK_UN) }

        deinit { close(descriptor) }
    }

    @Test func `who waits is told for whom, once, and goes on when the turn is free`() throws {
        let stored = try StoredArchive(try #require(StoredArchive.schemas.first))
        let other = try Other(stored.directory)
        nonisolated(unsafe) var holders: [[Int32]] = []
        var options = ArchiveOptions()
        options.whileWaiting = {
            holders.append($0)
            other.release()
        }
        let archive = try Archive.open(directory: stored.directory, key: nil, options: options)
        #expect(holders == [[getpid()]])
        #expect(try archive.verify().findings == [])
    }

    @Test func `an archive that has become one of a newer version meanwhile is refused, and left as it is`()
        throws
    {
        let stored = try StoredArchive(try #require(StoredArchive.schemas.first))
        let other = try Other(stored.directory)
        var options = ArchiveOptions()
        options.whileWaiting = { _ in
            let database = try? stored.database()
            try? database?.write {
                try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('of the future')")
            }
            try? database?.close()
            other.release()
        }
        let before = try stored.migrations()
        let failure = #expect(throws: MailFailure.self) {
            try Archive.open(directory: stored.directory, key: nil, options: options)
        }
        #expect(failure?.code == .archiveNewer)
        #expect(try stored.migrations() == before.union(["of the future"]))
    }

    @Test func `who has the archive open while its pages are given checksums writes them from then on`()
        throws
    {
        // Before the first archive is opened, databases are read without them.
        _ = try ArchiveFixture()
        let stored = try StoredArchive("schema-1")
        let other = try DatabasePool(path: stored.directory + "/mailworker.db")
        let contacts = try other.write { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM contacts") ?? 0
        }
        #expect(contacts > 0)
        let archive = try stored.open()
        try other.writeWithoutTransaction { db in
            try db.execute(sql: "UPDATE contacts SET external_id = 'other ' || id")
            _ = try db.checkpoint(.truncate)
        }
        #expect(try archive.verify().findings == [])
    }
}
