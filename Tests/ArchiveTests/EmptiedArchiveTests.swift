import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// Files of an archive that speak against the database, or that it has lost.
@Suite struct EmptiedArchiveTests {
    private static let pack = "/originals/pack-000001.mwp"

    private func emptied() throws -> ArchiveFixture {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        try fixture.archive.pool.close()
        try #require(truncate(fixture.directory + "/mailworker.db", 0) == 0)
        return fixture
    }

    @Test(arguments: ["/originals/pack-000001.mwp", "/mailworker.db-schema"])
    func `a database that has become an empty file is no new archive`(lost: String) throws {
        let fixture = try emptied()
        try FileManager.default.removeItem(atPath: fixture.directory + lost)
        let failure = #expect(throws: MailFailure.self) { try fixture.reopened() }
        #expect(failure?.code == .archiveCorrupt)
        let report = try Archive.verifyFiles(directory: fixture.directory, after: #require(failure))
        #expect(report.findings.contains { $0.place == "database" })
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.directory + "/mailworker.db")).isEmpty)
    }

    @Test func `an archive whose making was cut off before its first byte is made by the next opening`()
        throws
    {
        let fixture = try emptied()
        for name in [Self.pack, "/mailworker.db-schema"] {
            try FileManager.default.removeItem(atPath: fixture.directory + name)
        }
        #expect(try fixture.reopened().verify().messages == 0)
    }

    @Test func `a pack that the database knows nothing of is named, but not one without a record`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let path = fixture.directory + "/originals/pack-000007.mwp"
        _ = try PackFile(creating: path, header: PackFormat.fileHeader(number: 7))
        #expect(try fixture.archive.verify().findings == [])
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.copyItem(atPath: fixture.directory + Self.pack, toPath: path)
        #expect(try fixture.archive.verify().findings.map(\.place) == ["pack 7"])
    }
}
