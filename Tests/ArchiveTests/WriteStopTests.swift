import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

@Suite struct WriteStopTests {
    @Test(arguments: [ResultCode.SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC])
    func `a failed fsync of the database is told from its other troubles`(code: ResultCode) {
        #expect(StorageError.failure(resultCode: code.rawValue).code == .archiveStopped)
        let write = ResultCode.SQLITE_IOERR_WRITE.rawValue
        #expect(StorageError.failure(resultCode: write).code == .archiveInputOutput)
    }

    @Test func `after a failed fsync nothing is written and everything is readable`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let failure = #expect(throws: MailFailure.self) {
            try fixture.archive.write { _ in
                throw DatabaseError(resultCode: .SQLITE_IOERR_FSYNC)
            }
        }
        #expect(failure?.code == .archiveStopped)
        #expect(fixture.archive.stopFailure?.code == .archiveStopped)
        let arrival = fixture.arrival(2, text: "Two")
        let refused = #expect(throws: MailFailure.self) { try fixture.archive.ingest([arrival]) }
        #expect(refused?.code == .archiveStopped)
        #expect(throws: MailFailure.self) { try fixture.archive.addUser(name: "berta", email: nil) }
        #expect(try fixture.archive.verify().originals == 1)

        // A new process goes on.
        #expect(try fixture.reopened().ingest([arrival]).count == 1)
    }

    @Test func `other troubles of the disk do not stop the archive`() throws {
        let fixture = try ArchiveFixture()
        for code in [ResultCode.SQLITE_FULL, .SQLITE_IOERR_WRITE, .SQLITE_CANTOPEN] {
            #expect(throws: MailFailure.self) {
                try fixture.archive.write { _ in throw DatabaseError(resultCode: code) }
            }
        }
        #expect(fixture.archive.stopFailure == nil)
        #expect(try fixture.archive.ingest([fixture.arrival(1)]).count == 1)
    }

    @Test func `what an earlier process left in the log is copied into the database`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let database = fixture.directory + "/mailworker.db"
        let before = try Data(contentsOf: URL(fileURLWithPath: database))
        _ = try fixture.reopened()
        #expect(try Data(contentsOf: URL(fileURLWithPath: database)) != before)
    }
}
