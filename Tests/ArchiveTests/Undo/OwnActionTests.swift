import MailModel
import Matcher
import Testing

@testable import Archive

/// Whoever has changed their own contacts takes that back, though mail or people in it are a colleague's.
@Suite struct OwnActionTests {
    private let firm: ContactMakingTests.Firm
    private let archive: Archive
    private let anna: Archive
    private let annaID: UserID

    init() throws {
        firm = try ContactMakingTests.Firm()
        archive = firm.fixture.archive
        annaID = try archive.user(named: "anna").id
        anna = archive.seen(by: .user(annaID))
    }

    private func contact(
        _ name: String, _ email: String? = nil, kind: Contact.Kind = .person, owner: UserID? = nil,
        of organisation: ContactID? = nil
    ) throws -> ContactID {
        var draft = ContactDraft(kind: kind, name: name, emails: email.map { [EmailAddress($0)!] } ?? [])
        draft.owner = owner ?? annaID
        draft.organisation = organisation
        return try archive.addContact(draft).id
    }

    /// - Returns: what anna's taking back of her action ends with.
    private func takesBack(_ body: () throws -> Void) throws -> MailFailure? {
        let before = try firm.fixture.dump()
        let id = try #require(try firm.fixture.act("contact edit", as: "anna") { try body() })
        #expect(try firm.fixture.dump() != before)
        do throws(MailFailure) {
            try anna.undo(id, by: "anna")
        } catch {
            return error
        }
        #expect(try firm.fixture.dump() == before)
        #expect(try archive.verify().findings == [])
        return nil
    }

    @Test func `an address whose mail lies in a colleague's mailbox comes back with its history`() throws {
        let client = try contact("Client", "x@client.example")
        try firm.receive(1, from: "x@client.example", "Mail", in: [firm.inbox])
        #expect(try anna.historyCount(of: client) == 1)
        #expect(try takesBack { try anna.changeContact(client) { $0.emails = [] } } == nil)
        #expect(try anna.historyCount(of: client) == 1)
    }

    @Test func `a merge is taken back where others have filed mail`() throws {
        let kept = try contact("Kept", "kept@client.example")
        let other = try contact("Other", "other@client.example")
        let message = try firm.receive(1, from: "str@else.example", "By hand", in: [firm.inbox])
        try archive.link(message, to: [other], by: "root")
        #expect(try takesBack { try anna.mergeContacts([other], into: kept) } == nil)
        #expect(try anna.history(of: other).map(\.message) == [message])
    }

    @Test func `a merge of organisations is taken back where a colleague's person belonged to one`() throws {
        let kept = try contact("Kept", kind: .organisation)
        let other = try contact("Other", kind: .organisation)
        let person = try contact("Person", "p@client.example", owner: firm.borisID, of: other)
        #expect(throws: MailFailure.self) { try anna.contact(person) }
        #expect(try takesBack { try anna.mergeContacts([other], into: kept) } == nil)
        #expect(try archive.contact(person).organisation == other)
    }

    @Test func `what has gone out of one's sight by another's hand stays`() throws {
        let client = try contact("Client", "x@client.example")
        let person = try contact("Person", "p@client.example", of: nil)
        let id = try #require(
            try firm.fixture.act("contact merge", as: "anna") {
                try anna.mergeContacts([person], into: client)
            })
        try archive.changeContact(client) { $0.owner = firm.borisID }
        #expect(throws: MailFailure.self) { try anna.undo(id, by: "anna") }
        #expect(try archive.contact(client).emails.count == 2)
    }

    @Test func `a notice of a contact that was merged is that contact's again`() throws {
        let kept = try contact("Kept", "kept@client.example")
        let other = try contact("Other", "other@client.example")
        for id in [kept, other] { try archive.changeContact(id) { $0.notifyOwner = true } }
        firm.fixture.clock.advance(100_000)
        for (uid, from) in [(UInt32(1), "kept@client.example"), (2, "other@client.example")] {
            var arrival = firm.fixture.arrival(uid, from: from, text: "News \(uid)") {
                $0.date = firm.fixture.clock.now
            }
            arrival.internalDate = firm.fixture.clock.now
            _ = try archive.ingest([arrival])
        }
        try #require(try anna.events().count == 2)
        #expect(try takesBack { try anna.mergeContacts([other], into: kept) } == nil)
        #expect(Set(try anna.events().map(\.contact)) == [kept, other])
    }
}
