import Foundation
import GRDB
import MailModel
import Matcher
import Testing

@testable import Archive

/// A contact that is erased is gone from the outbox too; what was sent stays accounted for.
@Suite struct OutboxErasureTests {
    let fixture: ArchiveFixture
    let maria: ContactID

    init() throws {
        fixture = try ArchiveFixture()
        maria = try fixture.contact("Maria", "maria@client.example")
    }

    /// Queues a mail and lets a server answer it.
    @discardableResult
    private func answered(_ state: OutboxRecipientState, to: [String] = ["maria@client.example"]) throws
        -> OutboxID
    {
        let receipt = try fixture.archive.queueMail(
            OutboxTests.draft(fixture, to: to) { $0.subject = "Zebrafinch" })
        for claim in try OutboxTests.claimAll(fixture.archive, fixture) {
            let positions = claim.recipients.map(\.position)
            _ = try fixture.archive.noteOutbox([.begins(claim.id, recipients: positions)])
            guard case .ended(var ending) = OutboxTests.ending(claim, state, now: fixture.clock.now) else {
                continue
            }
            ending.replies = positions.map {
                OutboxReplyRecord(
                    position: $0, stage: .rcpt, code: 550, status: nil,
                    text: "550 no <maria@client.example> here")
            }
            _ = try fixture.archive.noteOutbox([.ended(ending)])
        }
        return receipt.item
    }

    private func holds(_ word: String) -> Bool {
        ["mailworker.db", "mailworker.db-wal"].contains { name in
            let data = try? Data(contentsOf: URL(fileURLWithPath: "\(fixture.directory)/\(name)"))
            return data?.range(of: Data(word.utf8)) != nil
        }
    }

    @Test(arguments: [OutboxRecipientState.waiting, .retry, .uncertain])
    func whileMailIsOnItsWayNothingIsErased(_ state: OutboxRecipientState) throws {
        let item =
            state == .waiting
            ? try fixture.archive.queueMail(OutboxTests.draft(fixture)).item : try answered(state)
        let failure = #expect(throws: MailFailure.self) { try fixture.archive.erase(maria) }
        #expect(failure?.code == .outboxState && failure?.remedy?.contains("outbox show \(item)") == true)
        #expect(try fixture.archive.contact(maria).name == "Maria")
    }

    @Test func whatIsInNoHistoryYetIsWaitedFor() throws {
        try answered(.sent)
        #expect(throws: MailFailure.self) { try fixture.archive.erase(maria) }
    }

    @Test func mailThatNeverLeftForgetsEverything() throws {
        let item = try answered(.failed)
        try fixture.archive.erase(maria)
        let left = try fixture.archive.outboxItem(item)
        #expect(
            left.state == .failed && left.subject == nil && left.recipients.map(\.address) == ["(erased)"])
        #expect(left.replies.map(\.text) == ["(erased)"])
        #expect(try fixture.archive.outboxPiece(item, 0).isEmpty)
        for word in ["maria@client.example", "Zebrafinch"] { #expect(!holds(word), "\(word)") }
        #expect(try fixture.archive.verify().findings == [])
        // There is nothing left that could be sent.
        try fixture.archive.retryOutbox(item)
        #expect(try OutboxTests.claimAll(fixture.archive, fixture).isEmpty)
        #expect(try fixture.archive.outboxItem(item).state == .failed)
    }

    @Test func mailThatBecameAnErasedMessageForgetsEverything() throws {
        let item = try answered(.sent)
        let outcome = try fixture.archive.ingest([
            fixture.arrival(1, from: "anna@firma.example", to: ["maria@client.example"], folder: fixture.sent)
        ])
        guard case .linked(let message, contacts: _) = outcome[0] else {
            return #expect(Bool(false), "\(outcome)")
        }
        try fixture.archive.noteFiled([(item, message)])
        try fixture.archive.erase(maria)
        let left = try fixture.archive.outboxItem(item)
        #expect(left.state == .sent && left.subject == nil && left.recipients.map(\.address) == ["(erased)"])
        #expect(try fixture.archive.outboxPiece(item, 0).isEmpty)
        #expect(try fixture.archive.accountsWithDueCopies(at: UnixTime(.max)).isEmpty)
        #expect(!holds("maria@client.example"))
    }

    @Test func othersKeepTheirPartOfAMail() throws {
        let item = try answered(.failed, to: ["maria@client.example", "other@else.example"])
        try fixture.archive.erase(maria)
        let left = try fixture.archive.outboxItem(item)
        #expect(left.subject == "Zebrafinch")
        #expect(left.recipients.map(\.address) == ["(erased)", "other@else.example"])
        // What the server said of the other one names the erased contact.
        #expect(left.replies.map(\.text) == ["(erased)", "(erased)"])
        // Nobody can send it any more, and its bytes name whom it was to.
        #expect(try fixture.archive.outboxPiece(item, 0).isEmpty)
        #expect(!holds("maria@client.example"))
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `the key of an erased mail is forgotten, and is that of the mail still`() throws {
        let key = "welcome-maria@client.example"
        let olga = try fixture.contact("Olga", "olga@client.example")
        let draft = OutboxTests.draft(fixture, to: ["maria@client.example", "olga@client.example"]) {
            $0.idempotencyKey = key
        }
        let item = try fixture.archive.queueMail(draft).item
        try fixture.archive.cancelOutbox(item, by: "anna")
        for contact in [maria, olga] {
            try fixture.archive.erase(contact)
            #expect(!holds(key))
            #expect(try fixture.archive.outboxReceipt(forKey: key)?.item == item)
            let again = try fixture.archive.queueMail(draft)
            #expect(again.item == item && again.wasThere)
        }
        #expect(try fixture.archive.outboxReceipt(forKey: "welcome-olga@client.example") == nil)
    }

    @Test func `what servers said with the address in it goes wherever it was noted`() throws {
        let item = try answered(.failed, to: ["other@else.example", "Maria@client.example"])
        try fixture.archive.write { db in
            try db.execute(
                sql: """
                    INSERT INTO outbox_replies(item, position, attempt, at, stage, text)
                        VALUES (?1, NULL, 1, 1, 'end-of-data', '451 mail to <MARIA@client.example> later'),
                            (?1, 0, 1, 1, 'rcpt', '550 other@else.example is unknown');
                    """, arguments: [item.rawValue])
            try db.execute(
                sql: """
                    INSERT INTO send_pauses(account, revision, failures, code, kind, reason)
                        VALUES (?, 0, 1, 'send.refused', 'temporary', '451 mail to <Maria@client.example> later')
                    """, arguments: [fixture.account.rawValue])
            try db.execute(
                sql:
                    "UPDATE accounts SET error_text = 'for maria@client.example', alert = 'kept', alert_at = 1"
            )
        }
        try fixture.archive.erase(maria)
        let texts = try fixture.archive.outboxItem(item).replies.map(\.text)
        #expect(texts == ["(erased)", "(erased)", "(erased)", "550 other@else.example is unknown"])
        for word in ["maria@client.example", "Maria@client.example", "MARIA@client.example"] {
            #expect(!holds(word), "\(word)")
        }
        let alert = try fixture.archive.read { try String.fetchOne($0, sql: "SELECT alert FROM accounts") }
        #expect(alert == "kept")
    }
}
