import MailModel
import Testing

@testable import Archive

/// The outbox keeps to the right to send: what it does not reach is not there.
@Suite struct OutboxRightsTests {
    let fixture: ArchiveFixture
    let own: Archive
    let stranger: Archive

    /// anna has the account; boris, who may send through his own mailboxes only, has none.
    init() throws {
        fixture = try ArchiveFixture()
        try fixture.archive.addRole(name: "sender", [.send: .own])
        try fixture.archive.addUser(name: "boris")
        for name in ["anna", "boris"] {
            let user = try fixture.archive.user(named: name)
            var draft = UserDraft(user)
            draft.role = "sender"
            try fixture.archive.editUser(user.id, draft)
        }
        own = fixture.archive.seen(by: try fixture.archive.viewer(named: "anna"))
        stranger = fixture.archive.seen(by: try fixture.archive.viewer(named: "boris"))
    }

    private func code(_ body: () throws -> Void) -> MailFailure.Code? {
        do {
            try body()
            return nil
        } catch let failure as MailFailure {
            return failure.code
        } catch {
            return MailFailure.Code("other")
        }
    }

    @Test func nobodyQueuesMailInAnothersName() throws {
        #expect(code { _ = try stranger.queueMail(OutboxTests.draft(fixture)) } == .unknownAccount)
        #expect(code { _ = try stranger.sendingAccount(named: "anna") } == .unknownAccount)
        #expect(try fixture.archive.outboxItems().isEmpty)
    }

    @Test func withoutTheRightNothingIsSent() throws {
        try fixture.archive.editRole(named: "sender", [.send: .none])
        #expect(code { _ = try own.queueMail(OutboxTests.draft(fixture)) } == .rightMissing)
        #expect(try own.outboxItems().isEmpty)
    }

    @Test func mailOfOthersIsNeitherSeenNorDecidedAbout() throws {
        let mail = try own.queueMail(OutboxTests.draft(fixture) { $0.idempotencyKey = "k" }).item
        #expect(try stranger.outboxItems().isEmpty)
        #expect(try stranger.outboxCounts().isEmpty)
        #expect(try stranger.outboxReceipt(forKey: "k") == nil)
        #expect(code { _ = try stranger.outboxItem(mail) } == .unknownOutboxItem)
        #expect(code { try stranger.cancelOutbox(mail, by: "boris") } == .unknownOutboxItem)
        #expect(code { try stranger.holdOutbox(mail, by: "boris") } == .unknownOutboxItem)
        #expect(try fixture.archive.outboxItem(mail).state == .queued)
    }

    @Test func theHourlyCapIsThatOfWhoAsksToo() throws {
        try fixture.archive.editRole(named: "sender", [.send: .all])
        let boris = try fixture.archive.user(named: "boris").id
        let queue = { (number: Int, user: UserID?) in
            _ = try stranger.queueMail(
                OutboxTests.draft(fixture, number) {
                    $0.requestedBy = "boris"
                    $0.user = user
                }, userHourlyLimit: 2)
        }
        // Through others' mailboxes, and through one that is nobody's.
        try queue(1, try fixture.archive.user(named: "anna").id)
        try queue(2, nil)
        #expect(code { try queue(3, boris) } == .sendingCap)
        #expect(code { try queue(3, nil) } == .sendingCap)
        fixture.clock.advance(3_601)
        try queue(4, boris)
    }

    /// What somebody at the terminal queues is nobody's hour, whichever user has the same name.
    @Test func theHourlyCapIsThatOfAUserAndNotOfAName() throws {
        let queue = { (archive: Archive, number: Int) in
            _ = try archive.queueMail(
                OutboxTests.draft(fixture, number) { $0.requestedBy = "anna" }, userHourlyLimit: 1)
        }
        try queue(fixture.archive, 1)
        try queue(own, 2)
        #expect(code { try queue(own, 3) } == .sendingCap)
    }

    @Test func onesOwnMailIsSeenAndDecidedAbout() throws {
        let mail = try own.queueMail(OutboxTests.draft(fixture)).item
        #expect(try own.outboxItems().map(\.id) == [mail])
        try own.cancelOutbox(mail, by: "anna")
        #expect(try own.outboxItem(mail).state == .cancelled)
    }

    @Test func aContactThatIsNotSeenIsNotNamed() throws {
        var draft = ContactDraft(name: "Maria", emails: [EmailAddress("maria@client.example")!])
        draft.doNotEmail = true
        try fixture.archive.addContact(draft)
        let standing = try own.standing(of: draft.emails)
        #expect(standing.map(\.doNotEmail) == [["a contact"]])
    }
}
