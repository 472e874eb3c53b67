import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// `verify` compares the full-text index with the messages.
@Suite struct SearchCheckTests {
    /// Three messages in the index, and one that is not in it yet.
    private func indexed() throws -> ArchiveFixture {
        let fixture = try ArchiveFixture()
        for number in UInt32(1)...4 {
            let arrival = fixture.arrival(number, bcc: ["blind@x.example"], text: "Number \(number)") {
                // Typed with a breve of its own, which the index composes.
                $0.subject = "Войнаи\u{306} \(number)"
                $0.attachments = [
                    Attachment(
                        filename: "act.pdf", declaredName: nil, contentType: "application/pdf", size: 3,
                        sha256: fixture.digest("act"), isInline: false, contentID: nil)
                ]
            }
            _ = try fixture.archive.ingest([arrival])
        }
        let due = try fixture.archive.unindexed(limit: 10).sorted()
        #expect(due.count == 4)
        try fixture.archive.index(due.prefix(3).map { SearchText(message: $0, body: "word") })
        return fixture
    }

    @Test(arguments: [
        ("DELETE FROM search_docsize WHERE id = 2", "has only a part"),
        ("DELETE FROM search_content WHERE id = 2", "has only a part"),
        ("DELETE FROM search WHERE rowid = 2", "is said to be in the search index"),
        ("UPDATE messages SET is_indexed = 1 WHERE id = 4", "is said to be in the search index"),
        ("UPDATE search_content SET c0 = 'other' WHERE id = 2", "says otherwise"),
        ("UPDATE search_content SET c1 = 'other' WHERE id = 2", "says otherwise"),
        ("UPDATE search_content SET c2 = NULL WHERE id = 2", "says otherwise"),
        ("UPDATE search_content SET c4 = 'other' WHERE id = 2", "says otherwise"),
        ("INSERT INTO search(rowid, subject) VALUES (90000, 'stray')", "no such message"),
        ("INSERT INTO search_docsize(id, sz) VALUES (9223372036854775807, x'00')", "no such message"),
        ("INSERT INTO search_docsize(id, sz) VALUES (9223372036854770000, x'00')", "no such message"),
    ])
    func whatTheIndexHasWronglyIsNamed(sql: String, text: String) throws {
        let fixture = try indexed()
        try fixture.archive.pool.write { try $0.execute(sql: sql) }
        let findings = try fixture.archive.verify().findings.filter { $0.subject == .search }
        #expect(findings.count == 1 && findings[0].text.contains(text), "\(findings)")
    }

    @Test func wordsOfErasedMailInTheIndexAreNamed() throws {
        let fixture = try indexed()
        let message = ArchivedMessageID(rawValue: 2)
        try fixture.archive.makePrivate(message)
        #expect(try fixture.archive.verify().isClean)
        try fixture.archive.pool.write {
            try $0.execute(sql: "INSERT INTO search(rowid, subject) VALUES (2, 'came back')")
        }
        let report = try fixture.archive.verify()
        #expect(report.findings.map(\.message) == [message])
        #expect(report.findings.first?.text.contains("erased") == true)
    }

    @Test func anIndexThatFollowsIsClean() throws {
        let fixture = try indexed()
        let report = try fixture.archive.verify()
        #expect(report.findings == [])
        #expect(report.indexedMessages == 3)
    }
}
