import Foundation
import GRDB
import MailModel
import Matcher
import Testing

@testable import Archive

/// Leads that are made without a person's asking.
@Suite struct LeadTests {
    private let fixture: ArchiveFixture

    init() throws { fixture = try ArchiveFixture() }

    private func archive(_ creation: LeadCreation = .personal) throws -> Archive {
        var policy = MatchPolicy()
        policy.leads = creation
        return try fixture.reopened(matching: policy)
    }

    /// An incoming message of somebody unknown.
    private func incoming(
        _ uid: UInt32, _ text: String, from: String = "Ivan.Petrov@klient.example", name: String? = nil,
        folder: FolderID? = nil, change: (inout Content) -> Void = { _ in }
    ) -> Arrival {
        fixture.arrival(uid, from: from, text: text, folder: folder) { content in
            content.participants[0].mailbox.displayName = name
            change(&content)
        }
    }

    private func outgoing(_ uid: UInt32, _ text: String, to: [String], folder: FolderID? = nil) -> Arrival {
        fixture.arrival(uid, from: "anna@firma.example", to: to, text: text, folder: folder ?? fixture.sent)
    }

    private func leads() throws -> [Contact] {
        try fixture.archive.contacts().filter { $0.kind == .lead }
    }

    @Test func `nothing is made unless it is wanted`() throws {
        _ = try fixture.archive.ingest([incoming(1, "One"), outgoing(1, "Out", to: ["new@klient.example"])])
        #expect(try leads().isEmpty)
        #expect(try fixture.archive.openReviewCount() == 2)
    }

    @Test func `a lead has a name, an owner, a reason and the mail that waited`() throws {
        _ = try fixture.archive.ingest([incoming(1, "Waiting")])
        let later = try archive().ingest([incoming(2, "Now", name: "Petrov, Ivan")])
        let lead = try #require(try leads().first)
        guard case .linked(let message, contacts: [lead.id]) = later[0] else {
            Issue.record("\(later)")
            return
        }
        #expect(lead.name == "Ivan Petrov")
        #expect(lead.emails.map(\.addrSpec) == ["ivan.petrov@klient.example"])
        #expect(lead.ownerName == "anna")
        #expect(lead.origin == Contact.Origin(reason: .sender, message: message))
        #expect(Set(try fixture.archive.history(of: lead.id).map(\.subject)) == ["Waiting", "Now"])
        #expect(try fixture.archive.openReviewCount() == 0)
        let entry = try #require(try fixture.archive.auditLog().first)
        #expect(entry.action == "lead create" && entry.person == "rule")
        #expect(entry.subject == "contact \(lead.id), message \(message)")
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `two mails of one sender in one commit make one lead, in any spelling and account`() throws {
        let other = try fixture.archive.addAccount(
            ArchiveFixture.settings("anna-2", nil, email: EmailAddress("office@firma.example")!), secret: nil)
        let inbox = try fixture.archive.folder(account: other, name: .inbox, role: .inbox)
        let first = try archive()
        let second = try archive()
        _ = try first.ingest([
            incoming(1, "One", from: "i.petrov@gmail.com"),
            incoming(2, "Two", from: "I.Petrov+crm@googlemail.com"),
            incoming(1, "Three", from: "ipetrov@gmail.com", folder: inbox),
        ])
        _ = try second.ingest([incoming(3, "Four", from: "ipetrov@gmail.com")])
        let leads = try leads()
        #expect(leads.count == 1)
        #expect(try fixture.archive.historyCount(of: try #require(leads.first).id) == 4)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `whom a user has written to becomes a lead, at once or with the answer`() throws {
        let archive = try archive(.correspondents)
        _ = try archive.ingest([
            outgoing(1, "Out", to: ["first@klient.example", "second@klient.example"]),
            incoming(2, "Unasked", from: "third@klient.example"),
        ])
        #expect(try leads().map(\.name) == ["First"])
        _ = try archive.ingest([incoming(3, "Answer", from: "second@klient.example")])
        #expect(try leads().map(\.name) == ["First", "Second"])
        let second = try archive.findContact("second@klient.example")
        #expect(second.origin?.reason == .correspondent)
        #expect(Set(try archive.history(of: second.id).map(\.subject)) == ["Out", "Answer"])
        #expect(try archive.reviewItems().map(\.subject) == ["Unasked"])
    }

    @Test func `mail in our name outside a Sent folder makes nobody a correspondent`() throws {
        let archive = try archive(.correspondents)
        _ = try archive.ingest([
            outgoing(1, "Forged", to: ["victim@klient.example"], folder: fixture.inbox),
            incoming(2, "Hello", from: "victim@klient.example"),
        ])
        #expect(try leads().isEmpty)
        #expect(try archive.openReviewCount() == 2)
    }

    @Test func `programs, lists, reports, our own people and look-alikes are no leads`() throws {
        try fixture.contact("Maria", "maria@client-firma.example")
        let archive = try archive()
        _ = try archive.ingest([
            incoming(1, "List") { $0.category = .list },
            incoming(2, "Automatic", from: "b@klient.example") { $0.category = .automatic },
            incoming(3, "Report", from: "c@klient.example") { $0.isDeliveryReport = true },
            incoming(4, "Nobody", from: "no-reply@klient.example"),
            incoming(5, "Colleague without account", from: "boss@firma.example"),
            incoming(6, "Look-alike", from: "maria@client-flrma.example"),
            incoming(7, "Internal", from: "anna@firma.example"),
        ])
        #expect(try leads().isEmpty)
        #expect(try archive.openReviewCount() == 6)
    }

    @Test func `whoever may be a known contact is a person's to judge`() throws {
        let maria = try fixture.contact("Maria Petrova", "maria@mail.example")
        let archive = try archive()
        _ = try archive.ingest([
            fixture.arrival(1, from: "maria@mail.example", messageID: "known@mail.example", text: "Known"),
            incoming(2, "Namesake", from: "mp@other.example", name: "Petrova Maria"),
            incoming(3, "Tag", from: "maria+shop@mail.example"),
            incoming(4, "Thread", from: "x@other.example") {
                $0.inReplyTo = [MessageID(rawValue: "known@mail.example")]
            },
            incoming(5, "Colleague", from: "boris@mail.example", name: "Boris"),
        ])
        #expect(try leads().map(\.name) == ["Boris"])
        #expect(try archive.historyCount(of: maria) == 1)
        #expect(Set(try archive.reviewItems().map(\.subject)) == ["Namesake", "Tag", "Thread"])
    }

    @Test func `a lead is of the organisation whose domain it is`() throws {
        var draft = ContactDraft(
            kind: .organisation, name: "Klient", emails: [EmailAddress("info@klient.example")!])
        draft.owner = nil
        _ = try fixture.archive.addContact(draft)
        _ = try archive().ingest([incoming(1, "One")])
        #expect(try leads().map(\.organisationName) == ["Klient"])
    }

    @Test func `a lead that is taken back leaves every row as it was, and is not made again`() throws {
        _ = try fixture.archive.ingest([incoming(1, "Waiting"), incoming(2, "Also")])
        let before = try fixture.dump()
        // The same mail again, as it would wait without leads.
        let plain = try ArchiveFixture()
        _ = try plain.archive.ingest([incoming(1, "Waiting"), incoming(2, "Also"), incoming(3, "New")])
        let archive = try archive()
        _ = try archive.ingest([incoming(3, "New")])
        let entry = try #require(try archive.undoLog().first)
        #expect(entry.action == "lead create" && entry.person == "rule")
        try archive.undo(entry.id, by: "anna")
        let after = try fixture.dump()
        #expect(after["contacts"] == before["contacts"])
        #expect(after["history"] == before["history"])
        #expect(after["automatic_leads"] == [])
        #expect(after["review_items"] == (try plain.dump()["review_items"]))
        #expect(after["messages"] == (try plain.dump()["messages"]))
        #expect(try archive.openReviewCount() == 3)
        _ = try archive.ingest([incoming(4, "Again")])
        #expect(try leads().isEmpty)
        #expect(try archive.openReviewCount() == 4)
        #expect(try archive.verify().findings == [])
    }

    @Test
    func `mail that came since waits when the lead is taken back, and what a person put there blocks it`()
        throws
    {
        let archive = try archive()
        _ = try archive.ingest([incoming(1, "One")])
        _ = try archive.ingest([incoming(2, "Two"), incoming(3, "Three", from: "maria@vektor.example")])
        let entries = try archive.undoLog()
        let lead = try #require(try leads().first { $0.emails.first?.localPart == "ivan.petrov" })
        let three = try #require(
            try archive.history(of: try archive.findContact("maria@vektor.example").id).first)
        try archive.link(three.message, to: [lead.id], by: "anna")
        let entry = try #require(entries.last)
        let blocked = #expect(throws: MailFailure.self) { try archive.undo(entry.id, by: "anna") }
        #expect(blocked?.code == .undoBlocked)
        #expect(try archive.historyCount(of: lead.id) == 3)
        try archive.unlink(three.message, from: lead.id, by: "anna")
        try archive.undo(entry.id, by: "anna")
        #expect(Set(try archive.reviewItems().map(\.subject)) == ["One", "Two"])
        #expect(try archive.verify().findings == [])
    }

    @Test func `its owner may take a lead back, another employee may not`() throws {
        let archive = try archive()
        _ = try archive.ingest([incoming(1, "One")])
        try fixture.archive.addRole(name: "seller", [.read: .own, .review: .own, .contacts: .own])
        _ = try fixture.archive.addUser(name: "otto", UserDraft(role: "seller"))
        let entry = try #require(try archive.undoLog().first)
        let otto = archive.seen(by: try archive.viewer(named: "otto"))
        let refused = #expect(throws: MailFailure.self) { try otto.undo(entry.id, by: "otto") }
        #expect(refused?.code == .unknownUndo)
        #expect(
            try archive.seen(by: try archive.viewer(named: "anna")).undo(entry.id, by: "anna").undoneBy
                == "anna")
        #expect(try leads().isEmpty)
    }

    @Test func `a message that could be read at last makes a lead too`() throws {
        let archive = try archive()
        var unread = incoming(1, "Unread")
        let content = unread.content
        unread.content = nil
        guard case .quarantined(let id) = try archive.ingest([unread])[0] else {
            Issue.record("read")
            return
        }
        guard case .linked = try archive.reread(id, as: content, parserVersion: 2) else {
            Issue.record("not linked")
            return
        }
        #expect(try leads().map(\.name) == ["Ivan Petrov"])
        #expect(try archive.verify().findings == [])
    }

    @Test func `an erased lead leaves nothing of itself`() throws {
        let archive = try archive()
        _ = try archive.ingest([incoming(1, "One", name: "Ivan Marker")])
        let lead = try #require(try leads().first)
        _ = try archive.erase(lead.id)
        #expect(try !fixture.holds("Marker"))
        #expect(try archive.undoLog().isEmpty)
        #expect(try archive.verify().findings == [])
    }
}
