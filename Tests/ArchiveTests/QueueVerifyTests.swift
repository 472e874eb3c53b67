import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// `verify` compares the lists by which the queue is shown with the queue.
@Suite struct QueueVerifyTests {
    /// Four messages that wait, one of them in two folders.
    private func waiting() throws -> ArchiveFixture {
        let fixture = try ArchiveFixture()
        for number in UInt32(1)...4 {
            _ = try fixture.archive.ingest([
                fixture.arrival(number, from: "s\(number)@other.example", text: "Number \(number)")
            ])
        }
        _ = try fixture.archive.ingest([
            fixture.arrival(9, from: "s2@other.example", text: "Number 2", folder: fixture.sent)
        ])
        return fixture
    }

    @Test(arguments: [
        "DELETE FROM waiting WHERE account = 0 AND item = 2",
        "DELETE FROM waiting WHERE account <> 0 AND item = 2",
        "UPDATE waiting SET sort_date = 1 WHERE item = 2", "UPDATE waiting SET kind = 'other' WHERE item = 2",
        "UPDATE waiting SET address = NULL WHERE item = 2",
        "UPDATE waiting SET direction = 'outgoing' WHERE item = 2",
        "UPDATE waiting SET copy_before = 1 WHERE account <> 0 AND item = 2",
        "INSERT INTO waiting SELECT 77, sort_date, item, address, kind, direction, 0 FROM waiting WHERE item = 2 AND account = 0",
    ])
    func `what the lists of the queue leave out or say wrongly is named`(change: String) throws {
        let fixture = try waiting()
        let message = try fixture.archive.read { db in
            try Int64.fetchOne(db, sql: "SELECT message FROM review_items WHERE id = 2 AND state = 'open'")
        }
        #expect(try fixture.archive.verify().findings == [])
        try fixture.archive.pool.write { try $0.execute(sql: change) }
        let findings = try fixture.archive.verify().findings
        #expect(findings.map(\.message?.rawValue) == [message] && message != nil)
        #expect(findings.first?.text.contains("lists by which the queue is shown") == true)
    }

    @Test func `an item that only the lists of the queue have is named`() throws {
        let fixture = try waiting()
        try fixture.archive.pool.write {
            try $0.execute(sql: "INSERT INTO waiting VALUES (0, 5, 4711, NULL, 'mail', 'incoming', 0)")
        }
        #expect(try fixture.archive.verify().findings.map(\.place) == ["the queue's lists, item 4711"])
    }
}
