import MailModel
import Testing

@testable import Archive

/// What follows a sending, in the archive.
@Suite struct OutboxFilingTests {
    @Test func aProviderThatFilesItselfLeavesNoCopyDueAndNoBytes() throws {
        let fixture = try ArchiveFixture()
        var items: [OutboxID] = []
        for number in 1...3 {
            items.append(try fixture.archive.queueMail(OutboxTests.draft(fixture, number)).item)
        }
        let now = fixture.clock.now
        let claims = try OutboxTests.claimAll(fixture.archive, fixture)
        let states: [OutboxRecipientState] = [.sent, .sent, .uncertain]
        _ = try fixture.archive.noteOutbox(
            [.begins(claims[2].id, recipients: [0])]
                + zip(claims, states).map { OutboxTests.ending($0, $1, now: now) })
        _ = try fixture.contact("Maria", "maria@client.example")
        let copy = fixture.arrival(
            1, from: "anna@firma.example", to: ["maria@client.example"], folder: fixture.sent)
        guard case .linked(let message, _) = try fixture.archive.ingest([copy])[0] else {
            Issue.record("not in the history")
            return
        }
        try fixture.archive.noteFiled([(item: items[0], message: message)])
        try fixture.archive.forgoCopies(of: fixture.account)
        #expect(
            try items.map { try fixture.archive.outboxItem($0).copy } == ["unneeded", "unneeded", "none"])
        // The bytes of the filed one go; of the others nobody else has them yet.
        let pieces = try items.map { try fixture.archive.outboxPiece($0, 0).isEmpty }
        #expect(pieces == [true, false, false])
        #expect(try fixture.archive.accountsWithDueCopies(at: now) == [fixture.account])
    }

    @Test func theBytesGoWhenTheLastRecipientHasTheMailOrNobodyWillHaveIt() throws {
        let fixture = try ArchiveFixture()
        let id = try fixture.archive.queueMail(
            OutboxTests.draft(fixture, to: ["maria@client.example", "b@client.example"])
        ).item
        _ = try OutboxTests.claimAll(fixture.archive, fixture)
        var ending = OutboxEnding(item: id, attempt: 1, nextTry: fixture.clock.now)
        ending.outcomes = [0: .sent, 1: .retry]
        ending.failure = MailFailure(.sendUncertain, kind: .transient, "later")
        _ = try fixture.archive.noteOutbox([.ended(ending)])
        _ = try fixture.contact("Maria", "maria@client.example")
        let copy = fixture.arrival(
            1, from: "anna@firma.example", to: ["maria@client.example"], folder: fixture.sent)
        guard case .linked(let message, _) = try fixture.archive.ingest([copy])[0] else {
            Issue.record("not in the history")
            return
        }
        try fixture.archive.noteFiled([(item: id, message: message)])
        try fixture.archive.forgoCopies(of: fixture.account)
        #expect(try !fixture.archive.outboxPiece(id, 0).isEmpty)
        let claim = try #require(try OutboxTests.claimAll(fixture.archive, fixture).first)
        _ = try fixture.archive.noteOutbox([OutboxTests.ending(claim, .sent, now: fixture.clock.now)])
        #expect(try fixture.archive.outboxItem(id).state == .sent)
        #expect(try fixture.archive.outboxPiece(id, 0).isEmpty)

        let cancelled = try fixture.archive.queueMail(OutboxTests.draft(fixture, 2)).item
        try fixture.archive.cancelOutbox(cancelled, by: "anna")
        #expect(try fixture.archive.outboxPiece(cancelled, 0).isEmpty)
    }
}
