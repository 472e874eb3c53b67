import Archive
import MailModel
import Matcher
import Testing

@Suite struct ContactTests {
    private func email(_ text: String) -> EmailAddress { EmailAddress(text)! }

    @Test func `what is refused leaves no trace`() throws {
        let fixture = try ArchiveFixture()
        #expect(throws: MailFailure.self) { try fixture.archive.addContact(ContactDraft(name: "")) }
        var draft = ContactDraft(name: "One")
        draft.externalID = "7"
        try fixture.archive.addContact(draft)
        let failure = #expect(throws: MailFailure.self) { try fixture.archive.addContact(draft) }
        #expect(failure?.code == .nameTaken)
        #expect(try fixture.archive.contacts().count == 1)
    }

    @Test func `a contact is found by number, external id, address and whole name`() throws {
        let fixture = try ArchiveFixture()
        var draft = ContactDraft(
            name: "Мария  Иванова", emails: [email("maria@client.example"), email("m@x.example")])
        draft.externalID = "crm-7"
        let id = try fixture.archive.addContact(draft).id
        for text in ["\(id)", "crm-7", "MARIA@client.example", "m@x.example", "мария иванова"] {
            #expect(try fixture.archive.findContact(text).id == id)
        }
        let unknown = #expect(throws: MailFailure.self) { try fixture.archive.findContact("Мария") }
        #expect(unknown?.code == .unknownContact)
        try fixture.contact("Other", "maria@client.example")
        let several = #expect(throws: MailFailure.self) {
            try fixture.archive.findContact("maria@client.example")
        }
        #expect(several?.code == .ambiguousContact)
    }

    @Test func `the first address is the primary one, and an edit may change it`() throws {
        let fixture = try ArchiveFixture()
        let id = try fixture.contact("Maria", "a@x.example", "b@x.example")
        #expect(try fixture.archive.contact(id).emails.map(\.addrSpec) == ["a@x.example", "b@x.example"])
        var draft = ContactDraft(try fixture.archive.contact(id))
        draft.emails = [email("c@x.example"), email("b@x.example")]
        try fixture.archive.changeContact(id) { $0 = draft }
        #expect(try fixture.archive.contact(id).emails.map(\.addrSpec) == ["c@x.example", "b@x.example"])
        #expect(try fixture.archive.contacts(withAddress: email("a@x.example")).isEmpty)
    }

    @Test func `an import names the rows it left out, and takes the others`() throws {
        let fixture = try ArchiveFixture()
        var badOwner = ContactImportRow(name: "Bad owner")
        badOwner.owner = "nobody"
        let report = try fixture.archive.importContacts([
            ContactImportRow(name: ""), badOwner,
            ContactImportRow(name: "Good", emails: [email("g@x.example")]),
        ])
        #expect(report.refused.map(\.row) == [0, 1])
        #expect(report.refused.map(\.failure.code) == [.invalidValue, .unknownUser])
        #expect(report.added == 1)
    }

    @Test func `importing the same rows again updates, by external id or by address`() throws {
        let fixture = try ArchiveFixture()
        var person = ContactImportRow(name: "Maria", emails: [email("maria@client.example")])
        person.externalID = "p1"
        person.organisation = "client ltd"
        person.owner = "ANNA@firma.example"
        var office = ContactImportRow(
            kind: .organisation, name: "Client Ltd", emails: [email("o@client.example")])
        office.externalID = "o1"
        let plain = ContactImportRow(kind: .lead, name: "Lead", emails: [email("lead@x.example")])
        let first = try fixture.archive.importContacts([person, office, plain])
        #expect(first.added == 3)
        #expect(first.organisationsAdded == 0)
        person.name = "Maria Ivanova"
        person.emails = [email("maria@new.example")]
        person.doNotEmail = true
        let second = try fixture.archive.importContacts([person, office, plain])
        #expect(second.added == 0)
        #expect(second.updated == 3)
        let maria = try fixture.archive.findContact("p1")
        #expect(maria.name == "Maria Ivanova")
        #expect(maria.doNotEmail)
        #expect(maria.organisationName == "Client Ltd")
        #expect(maria.ownerName == "anna")
        #expect(maria.emails.map(\.addrSpec) == ["maria@client.example", "maria@new.example"])
    }

    @Test func `two external ids never become one contact, even with one address`() throws {
        let fixture = try ArchiveFixture()
        var one = ContactImportRow(name: "One", emails: [email("shared@x.example")])
        one.externalID = "1"
        var two = ContactImportRow(name: "Two", emails: [email("shared@x.example")])
        two.externalID = "2"
        #expect(try fixture.archive.importContacts([one, two]).added == 2)
        guard
            case .linked(_, let contacts) = try fixture.archive.ingest([
                fixture.arrival(1, from: "shared@x.example")
            ])[0]
        else {
            Issue.record("not linked")
            return
        }
        #expect(contacts.count == 2)
    }

    @Test func `an organisation's history reads through its people, each message once`() throws {
        let fixture = try ArchiveFixture()
        let office = try fixture.archive.addContact(ContactDraft(kind: .organisation, name: "Client")).id
        for name in ["maria", "boris"] {
            var draft = ContactDraft(name: name, emails: [email("\(name)@client.example")])
            draft.organisation = office
            try fixture.archive.addContact(draft)
        }
        _ = try fixture.archive.ingest([
            fixture.arrival(1, to: ["anna@firma.example", "boris@client.example"], text: "Both"),
            fixture.arrival(2, text: "Maria only"),
        ])
        #expect(Set(try fixture.archive.history(of: office).map(\.subject)) == ["Both", "Maria only"])
        #expect(try fixture.archive.history(of: office).count == 2)
        #expect(try fixture.archive.historyCount(of: office) == 2)
    }
}
