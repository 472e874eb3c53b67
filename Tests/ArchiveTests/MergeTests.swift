import Archive
import MailModel
import Matcher
import Testing

@Suite struct MergeTests {
    private func email(_ text: String) -> EmailAddress { EmailAddress(text)! }

    @Test func `an organisation and a person do not become one, nor a contact and itself`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let client = try fixture.archive.addContact(ContactDraft(kind: .organisation, name: "Client")).id
        #expect(throws: MailFailure.self) { try fixture.archive.mergeContacts([client], into: maria) }
        #expect(throws: MailFailure.self) { try fixture.archive.mergeContacts([maria], into: maria) }
        #expect(throws: MailFailure.self) {
            try fixture.archive.mergeContacts([ContactID(rawValue: 99)], into: maria)
        }
        #expect(try fixture.archive.contacts().count == 2)
    }

    @Test func `histories are united, each message once, and what waits follows`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let other = try fixture.archive.addContact(
            ContactDraft(kind: .lead, name: "M. Client", emails: [email("m@home.example")])
        ).id
        _ = try fixture.archive.ingest([
            fixture.arrival(1, text: "Work"), fixture.arrival(2, from: "m@home.example", text: "Home"),
            fixture.arrival(3, to: ["anna@firma.example", "m@home.example"], text: "Both"),
        ])
        let trial = try fixture.archive.mergeContacts([other], into: maria, isTrial: true)
        #expect(trial.movedMessages == 1)
        #expect(trial.sharedMessages == 1)
        #expect(try fixture.archive.contacts().count == 2)
        let outcome = try fixture.archive.mergeContacts([other], into: maria)
        #expect(outcome.result.emails == [email("maria@client.example"), email("m@home.example")])
        #expect(outcome.result.kind == .person)
        #expect(
            Set(try fixture.archive.history(of: maria).compactMap(\.subject)) == ["Work", "Home", "Both"])
        #expect(try fixture.archive.historyCount(of: maria) == 3)
        #expect(try fixture.archive.findContact(other.description).id == maria)
        #expect(try fixture.archive.contacts().map(\.id) == [maria])
        #expect(try fixture.archive.verify().findings == [])
        // Mail to the address that came with the other is the kept contact's.
        _ = try fixture.archive.ingest([fixture.arrival(4, from: "m@home.example", text: "Later")])
        #expect(try fixture.archive.historyCount(of: maria) == 4)
    }

    @Test func `what one history lost by a person's hand comes back only when the other has it`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let other = try fixture.contact("Maria C.", "m@home.example")
        _ = try fixture.archive.ingest([
            fixture.arrival(1, to: ["anna@firma.example", "m@home.example"], text: "Both"),
            fixture.arrival(2, from: "m@home.example", text: "Home"),
        ])
        let messages = try fixture.archive.history(of: other)
        let home = try #require(messages.first { $0.subject == "Home" }).message
        let both = try #require(messages.first { $0.subject == "Both" }).message
        try fixture.archive.unlink(both, from: maria, by: "anna")
        try fixture.archive.unlink(home, from: other, by: "anna")
        try fixture.archive.mergeContacts([other], into: maria)
        #expect(try fixture.archive.history(of: maria).map(\.subject) == ["Both"])
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `external ids of both lead to the one, and people follow their organisation`() throws {
        let fixture = try ArchiveFixture()
        var first = ContactDraft(kind: .organisation, name: "Client")
        first.externalID = "A"
        var second = ContactDraft(kind: .organisation, name: "Client Ltd")
        second.externalID = "B"
        let kept = try fixture.archive.addContact(first).id
        let other = try fixture.archive.addContact(second).id
        var person = ContactDraft(name: "Maria")
        person.organisation = other
        let maria = try fixture.archive.addContact(person).id
        try fixture.archive.mergeContacts([other], into: kept, taking: [.externalID, .name])
        #expect(try fixture.archive.contact(kept).externalID == "B")
        #expect(try fixture.archive.contact(kept).name == "Client Ltd")
        #expect(try fixture.archive.findContact("A").id == kept)
        #expect(try fixture.archive.findContact("B").id == kept)
        #expect(try fixture.archive.contact(maria).organisation == kept)
        // A number that led to somebody leads to nobody else.
        #expect(try fixture.contact("New").rawValue > maria.rawValue)
    }

    @Test func `a private contact is shown to nobody by becoming part of another`() throws {
        let fixture = try ArchiveFixture()
        let anna = try fixture.archive.user(named: "anna").id
        let boris = try fixture.archive.addUser(name: "boris", email: nil)
        var secret = ContactDraft(name: "Secret", emails: [email("s@client.example")])
        secret.isPrivate = true
        secret.owner = anna
        var open = ContactDraft(name: "Open", emails: [email("o@client.example")])
        open.details.users = [boris]
        open.owner = boris
        let kept = try fixture.archive.addContact(open).id
        try fixture.archive.mergeContacts(
            [fixture.archive.addContact(secret).id], into: kept, taking: [.owner])
        let result = try fixture.archive.contact(kept)
        #expect(result.isPrivate)
        #expect(result.owner == anna)
        #expect(result.details.users == [])
    }

    @Test func `the owner of the kept contact does not come to own what was private`() throws {
        let fixture = try ArchiveFixture()
        let anna = try fixture.archive.user(named: "anna").id
        let boris = try fixture.archive.addUser(name: "boris", email: nil)
        var secret = ContactDraft(name: "Secret", emails: [email("s@client.example")])
        secret.isPrivate = true
        secret.owner = anna
        var open = ContactDraft(name: "Open", emails: [email("o@client.example")])
        open.owner = boris
        let kept = try fixture.archive.addContact(open).id
        let result = try fixture.archive.mergeContacts([fixture.archive.addContact(secret).id], into: kept)
            .result
        #expect(result.isPrivate && result.owner == anna && result.details.users == [])
        // Of two private ones whom no one sees both, nobody sees the one.
        var other = ContactDraft(name: "Other")
        other.isPrivate = true
        other.owner = boris
        let both = try fixture.archive.mergeContacts([fixture.archive.addContact(other).id], into: kept)
            .result
        #expect(both.isPrivate && both.owner == nil && both.details.users == [])
    }

    @Test func `an external id that leads to a contact is nobody else's, and merging goes on`() throws {
        let fixture = try ArchiveFixture()
        func add(_ name: String, _ externalID: String?) throws -> ContactID {
            var draft = ContactDraft(name: name)
            draft.externalID = externalID
            return try fixture.archive.addContact(draft).id
        }
        let kept = try add("Kept", "A")
        try fixture.archive.mergeContacts([add("Merged", "B")], into: kept)
        let taken = #expect(throws: MailFailure.self) { try add("Thief", "B") }
        #expect(taken?.code == .nameTaken)
        let blank = #expect(throws: MailFailure.self) { try add("Thief", " A\n") }
        #expect(blank?.code == .nameTaken)
        // Its own it may take back, and be merged with that.
        try fixture.archive.changeContact(kept) { $0.externalID = "B" }
        let last = try add("Last", "C")
        let result = try fixture.archive.mergeContacts([last], into: kept, taking: [.externalID]).result
        #expect(result.externalID == "C")
        #expect(try fixture.archive.findContact("B").id == kept)
        let end = try add("End", "D")
        try fixture.archive.changeContact(kept) { $0.externalID = "B" }
        try fixture.archive.mergeContacts([kept], into: end)
        #expect(try fixture.archive.findContact("B").id == end)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a person's link stays theirs where both histories have the message`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let other = try fixture.contact("M. Client")
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let message = try #require(try fixture.archive.history(of: maria).first).message
        try fixture.archive.link(message, to: [other], by: "otto")
        try fixture.archive.mergeContacts([other], into: maria)
        #expect(try fixture.archive.history(of: maria).map(\.linkedBy) == ["otto"])
        // What a person decided does not leave with an address.
        try fixture.archive.changeContact(maria) { $0.emails = [] }
        #expect(try fixture.archive.historyCount(of: maria) == 1)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `duplicates are found by address, mailbox, name with domain and telephone only`() throws {
        let fixture = try ArchiveFixture()
        func add(_ name: String, _ emails: [String], phone: String? = nil) throws -> ContactID {
            var draft = ContactDraft(name: name, emails: emails.map(email))
            draft.details.phones = phone.map { [$0] } ?? []
            return try fixture.archive.addContact(draft).id
        }
        let a = try add("A", ["x@client.example"])
        let b = try add("B", ["X@client.example"])
        let c = try add("C", ["ivan.petrov@yandex.ru"])
        let d = try add("D", ["ivan-petrov@ya.ru"])
        let e = try add("Пётр Иванов", ["p@firma2.example"])
        let f = try add("Ivanov Petr", ["pi@firma2.example"])
        _ = try add("Oleg Orlov", ["oleg1@mail.ru"])
        _ = try add("Oleg Orlov", ["oleg2@mail.ru"])
        let g = try add("G", [], phone: "8 (495) 123-45-67")
        let h = try add("H", [], phone: "+7 495 1234567")
        let groups = try fixture.archive.duplicates()
        let pairs = Dictionary(uniqueKeysWithValues: groups.map { ($0.reasons, $0.contacts.map(\.id)) })
        #expect(pairs == [[.address]: [a, b], [.canonical]: [c, d], [.name]: [e, f], [.phone]: [g, h]])
        #expect(try fixture.archive.duplicates([.phone]).count == 1)
    }
}
