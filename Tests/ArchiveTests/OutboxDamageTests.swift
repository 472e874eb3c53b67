import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// A damaged page among the outbox's bytes keeps nothing from being claimed, decided about or noted.
@Suite struct OutboxDamageTests {
    private let fixture: ArchiveFixture
    private let archive: Archive
    private let items: [OutboxID]

    init() throws {
        let fixture = try ArchiveFixture()
        let first = fixture.archive
        items = try (1...60).map { try fixture.queued($0) }
        try first.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        let page = try first.pool.read { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT pageno FROM dbstat WHERE name = 'outbox_content' AND pagetype = 'leaf'
                    ORDER BY path LIMIT 1 OFFSET 1
                    """)
        }
        try first.pool.close()
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: fixture.directory + "/mailworker.db"))
        try file.seek(toOffset: UInt64((try #require(page) - 1) * 4096))
        try file.write(contentsOf: Data([0xEE]))
        try file.close()
        archive = try fixture.reopened()
        self.fixture = fixture
    }

    @Test func everyMailIsClaimedAndTheReadableOnesComeWithTheirBytes() throws {
        let claims = try OutboxTests.claimAll(archive, fixture)
        #expect(claims.map(\.id) == items)
        let readable = claims.filter { $0.content != nil }
        #expect(readable.count > 30 && readable.count < 60)
        for claim in claims where claim.content == nil {
            let failure = #expect(throws: MailFailure.self) { _ = try archive.outboxPiece(claim.id, 0) }
            #expect(failure?.code == .archiveCorrupt)
        }
    }

    @Test func everyMailCanBeCancelled() throws {
        for item in items { try archive.cancelOutbox(item, by: "anna") }
        #expect(try archive.outboxCounts() == [.cancelled: 60])
    }
}

extension ArchiveFixture {
    /// A mail of some hundred bytes: several share a page.
    fileprivate func queued(_ number: Int) throws -> OutboxID {
        try archive.queueMail(
            OutboxTests.draft(self, number) {
                let line = String(repeating: "x", count: 60) + "\r\n"
                let text = "Subject: \(number)\r\n\r\n" + String(repeating: line, count: 8)
                $0.content = MessageBytes(Array(text.utf8))
            }
        ).item
    }
}
