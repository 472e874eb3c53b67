import MailModel
import Matcher
import Testing

@testable import Archive

/// Whom anna wrote to blindly is anna's, whatever becomes of the mail: boris has a copy, in which nobody stands but himself
/// and whoever else was told openly.
@Suite struct BlindRecipientTests {
    private let firm: ContactMakingTests.Firm
    private let anna: Archive
    private let hidden = "hidden@far.example"

    init() throws {
        firm = try ContactMakingTests.Firm()
        anna = firm.fixture.archive.seen(by: try firm.fixture.archive.viewer(named: "anna"))
    }

    private func mail(_ uid: UInt32, _ text: String, to: [String] = []) throws -> ArchivedMessageID {
        try firm.receive(
            uid, from: "anna@firma.example", text, in: [firm.inbox], to: ["boris@firma.example"] + to,
            bcc: [hidden], sentFrom: firm.fixture.sent)
    }

    /// All that boris is told of a message.
    private func told(_ message: ArchivedMessageID) throws -> String {
        let explanation = try firm.boris.explanation(of: message)
        return "\(try firm.boris.message(message)) \(explanation.decisions)"
    }

    @Test func `what waits under their address waits for whoever sees them`() throws {
        let message = try mail(1, "Waits")
        let item = try #require(try anna.reviewItems().first)
        #expect(item.message == message && item.address == hidden)
        #expect(try firm.boris.reviewItems().isEmpty)
        #expect(try firm.boris.reviewGroups().isEmpty)
        #expect(try firm.boris.openReviewCount() == 0)
        let address = EmailAddress(hidden)!
        #expect(throws: MailFailure.self) { try firm.boris.reviewItem(item.id) }
        for selection in [ReviewSelection.items([item.id]), .address(address)] {
            #expect(throws: MailFailure.self) { try firm.boris.ignore(selection, by: "boris") }
            #expect(throws: MailFailure.self) { try firm.boris.contactDraft(from: selection) }
        }
        #expect(try !told(message).contains("hidden"))
        // Other mail waits for boris as before.
        let own = try firm.receive(2, from: "str@other.example", "Own", in: [firm.inbox])
        #expect(try firm.boris.reviewItems().map(\.message) == [own])
        #expect(try firm.boris.openReviewCount() == 1)
        #expect(try anna.openReviewCount() == 1)
    }

    @Test func `a rule for their address, or a contact who has it, is not named`() throws {
        let message = try mail(1, "Ruled")
        let item = try #require(try anna.reviewItems().first)
        try firm.fixture.archive.ignore(.items([item.id]), .address, by: "root")
        #expect(try firm.fixture.archive.message(message).ignoredBy == hidden)
        #expect(try !told(message).contains("hidden"))
        // Boris may change contacts, and sees this one; what stands with it he does not.
        try firm.fixture.archive.addRole(name: "keeper", [.contacts: .all, .read: .own, .review: .own])
        var draft = UserDraft(role: "keeper")
        draft.email = EmailAddress("boris@firma.example")
        try firm.fixture.archive.editUser(firm.borisID, draft)
        try firm.fixture.archive.addContact(
            ContactDraft(name: "Far", emails: [EmailAddress("far@far.example")!]))
        let linked = try firm.receive(
            2, from: "anna@firma.example", "Linked", in: [firm.inbox], to: ["boris@firma.example"],
            bcc: ["far@far.example"], sentFrom: firm.fixture.sent)
        #expect(try !firm.boris.message(linked).participants.contains { $0.role == .bcc })
        #expect(try !told(linked).contains("far@far.example"))
    }

    @Test func `nobody shows them to themselves by linking the mail`() throws {
        let message = try mail(1, "Copied", to: ["str@other.example"])
        let item = try #require(try firm.boris.reviewItems().first)
        #expect(item.message == message && item.address == "str@other.example")
        let mine = try firm.boris.addContact(ContactDraft(name: "Mine")).id
        func code(_ body: () throws -> Void) -> MailFailure.Code? {
            #expect(throws: MailFailure.self) { try body() }?.code
        }
        let address = ReviewSelection.address(EmailAddress("str@other.example")!)
        for selection in [.items([item.id]), address] {
            #expect(code { try firm.boris.link(selection, to: [mine], by: "boris") } == .undisclosed)
            #expect(code { _ = try firm.boris.createContact(from: selection, by: "boris") } == .undisclosed)
        }
        #expect(code { try firm.boris.link(message, to: [mine], by: "boris") } == .undisclosed)
        #expect(try firm.boris.history(of: mine).isEmpty)
        #expect(try !told(message).contains("hidden"))
        // What waits beside it under the same address is linked.
        let open = try firm.receive(
            2, from: "anna@firma.example", "Open", in: [firm.inbox], to: ["str@other.example"],
            sentFrom: firm.fixture.sent)
        try firm.boris.link(address, to: [mine], by: "boris")
        #expect(try firm.boris.history(of: mine).map(\.message) == [open])
        #expect(try firm.boris.reviewItems().map(\.message) == [message])
        // Anna may.
        try anna.link(.items([item.id]), to: [try anna.addContact(ContactDraft(name: "Hers")).id], by: "anna")
        #expect(try !told(message).contains("hidden"))
        #expect(try firm.fixture.archive.verify().findings == [])
    }
}
