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

    @Test func `many things are told by their numbers and how many they are`() throws {
        let fixture = try ArchiveFixture()
        try fixture.archive.write { _ in }
        let subject = Act.$current.withValue(act) {
            for number in 4...63 { Act.concerns("contact \(number)") }
            Act.concerns("message 7")
            for number in 4...63 { Act.concerns("contact \(number)") }
            return act.subject
        }
        #expect(subject == "contact 4–63 (60), message 7")
    }

    @Test func `whom a suppression was of can be asked, and is not named`() throws {
        let fixture = try ArchiveFixture()
        let address = try #require(EmailAddress("Maria@client.example"))
        try Act.$current.withValue(act) {
            try fixture.archive.suppress(
                address, reason: .person, evidence: "asked", until: nil, by: "anna")
            #expect(try fixture.archive.endSuppression(of: address))
            #expect(try !fixture.archive.endSuppression(of: address))
        }
        let entries = try fixture.archive.auditLog()
        #expect(entries.count == 2)
        #expect(entries.allSatisfy { $0.subject?.hasPrefix("address #") == true })
        #expect(entries.allSatisfy { $0.subject?.contains("client") == false })
        #expect(try fixture.archive.auditLog(about: EmailAddress("maria@client.example")) == entries)
        #expect(try fixture.archive.auditLog(about: EmailAddress("olga@client.example")) == [])
    }

    @Test func `a rule that is gone is still known by what it took`() throws {
        let fixture = try ArchiveFixture()
        for pattern in ["shop.example", "maria@client.example"] {
            try Act.$current.withValue(act) {
                _ = try fixture.archive.addRule(RulePattern(pattern), by: "anna")
                let rule = try #require(try fixture.archive.ignoreRules().first)
                _ = try fixture.archive.removeRule(rule.id, by: "anna")
            }
        }
        let subjects = try fixture.archive.auditLog().reversed().compactMap(\.subject)
        #expect(subjects.prefix(2) == ["rule 1, domain shop.example", "rule 1, domain shop.example"])
        #expect(subjects.dropFirst(2).allSatisfy { $0.contains("address #") && !$0.contains("maria") })
        #expect(subjects.count == 4)
    }
}
