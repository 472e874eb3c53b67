import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

@Suite struct AuditTests {
    private let act = Act(person: "anna", systemUser: "root", origin: "/dev/pts/1", action: "contact add")

    @Test(arguments: [
        "DELETE FROM audit", "UPDATE audit SET person = 'nobody'",
        "INSERT OR REPLACE INTO audit SELECT id, 0, 'x', 'x', 'x', 'x', NULL FROM audit",
    ])
    func `an entry is neither changed nor taken out`(sql: String) throws {
        let fixture = try ArchiveFixture()
        try Act.$current.withValue(act) { _ = try fixture.contact("Maria", "maria@client.example") }
        let before = try fixture.archive.auditLog()
        #expect(throws: DatabaseError.self) { try fixture.archive.pool.write { try $0.execute(sql: sql) } }
        #expect(try fixture.archive.auditLog() == before)
    }

    @Test func `an action that fails leaves no entry, and one that succeeds says who, what and where`() throws
    {
        let fixture = try ArchiveFixture()
        Act.$current.withValue(act) {
            #expect(throws: MailFailure.self) { try fixture.contact("", "maria@client.example") }
        }
        #expect(try fixture.archive.auditLog() == [])
        let id = try Act.$current.withValue(act) { try fixture.contact("Maria", "maria@client.example") }
        let entry = try #require(try fixture.archive.auditLog().first)
        #expect(entry.person == "anna" && entry.systemUser == "root" && entry.origin == "/dev/pts/1")
        #expect(entry.action == "contact add" && entry.subject == "contact \(id)")
        #expect(entry.at == fixture.clock.now)
    }

    @Test func `what the worker does by itself is nobody's action`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        #expect(try fixture.archive.auditLog() == [])
    }

    @Test func `an erasure stays in the log, without what was erased`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        try Act.$current.withValue(act) { _ = try fixture.archive.erase(maria) }
        #expect(try fixture.archive.auditLog().map(\.subject) == ["contact \(maria), 1 messages erased"])
    }
}
