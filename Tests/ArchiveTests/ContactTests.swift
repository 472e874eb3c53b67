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
        for name in [" ", "\u{1}\u{7F}", "\n"] {
            let failure = #expect(throws: MailFailure.self, "\(name.debugDescription)") {
                try fixture.archive.addContact(ContactDraft(name: name))
            }
            #expect(failure?.code == .invalidValue)
        }
        #expect(try fixture.archive.contacts().count == 1)
    }

    @Test func `an organisation that an import makes a person has no people, and is nobody's`() throws {
        let fixture = try ArchiveFixture()
        var office = ContactImportRow(kind: .organisation, name: "Client")
        office.externalID = "o1"
        var boris = ContactImportRow(name: "Boris")
        boris.organisation = "Client"
        _ = try fixture.archive.importContacts([office, boris])
        #expect(try fixture.archive.findContact("Boris").organisationName == "Client")
        office.kind = .person
        var late = ContactImportRow(name: "Late")
        late.organisation = "Client"
        _ = try fixture.archive.importContacts([office, late])
        #expect(try fixture.archive.findContact("o1").kind == .person)
        #expect(try fixture.archive.findContact("Boris").organisation == nil)
        let organisation = try #require(try fixture.archive.findContact("Late").organisation)
        #expect(try fixture.archive.contact(organisation).kind == .organisation)
    }

    @Test func `an import puts nobody into a person, whatever external id is named`() throws {
        let fixture = try ArchiveFixture()
        var maria = ContactImportRow(name: "Maria")
        maria.externalID = "p1"
        var boris = ContactImportRow(name: "Boris")
        boris.organisation = "p1"
        _ = try fixture.archive.importContacts([maria, boris])
        let organisation = try #require(try fixture.archive.findContact("Boris").organisation)
        #expect(try fixture.archive.contact(organisation).kind == .organisation)
    }

    @Test func `a trial of an import names tags and telephones that a row adds`() throws {
        let fixture = try ArchiveFixture()
        var row = ContactImportRow(name: "Maria", emails: [email("maria@client.example")])
        row.tags = ["vip"]
        row.phones = ["+7 495 123-45-67"]
        _ = try fixture.archive.importContacts([row])
        #expect(try fixture.archive.importContacts([row], isTrial: true).changes.map(\.fields) == [[]])
        row.tags.append("press")
        #expect(
            try fixture.archive.importContacts([row], isTrial: true).changes.map(\.fields) == [["tags"]])
        row.phones.append("+7 495 765-43-21")
        #expect(
            try fixture.archive.importContacts([row], isTrial: true).changes.map(\.fields) == [
                ["tags", "phones"]
            ])
    }

    @Test func `a row that a user may not import leaves no organisation behind`() throws {
        let fixture = try ArchiveFixture()
        let otto = try fixture.archive.addUser(name: "otto", email: nil)
        var draft = ContactDraft(name: "Maria", emails: [email("maria@client.example")])
        draft.owner = try fixture.archive.user(named: "anna").id
        draft.details.users = [otto]
        draft.externalID = "p1"
        try fixture.archive.addContact(draft)
        var row = ContactImportRow(name: "Maria")
        row.externalID = "p1"
        row.organisation = "Invented Ltd"
        let report = try fixture.archive.seen(by: .user(otto)).importContacts([row])
        #expect(report.refused.map(\.failure.code) == [.rightMissing])
        #expect(report.organisationsAdded == 0)
        #expect(try fixture.archive.contacts().map(\.name) == ["Maria"])
    }

    @Test func `a row names who sees a private contact, and nobody unknown`() throws {
        let fixture = try ArchiveFixture()
        let otto = try fixture.archive.addUser(name: "otto", email: email("otto@firma.example"))
        var row = ContactImportRow(name: "Maria", emails: [email("maria@client.example")])
        row.isPrivate = true
        row.users = ["OTTO@firma.example", "nobody"]
        let refused = try fixture.archive.importContacts([row]).refused
        #expect(refused.map(\.failure.code) == [.unknownUser])
        #expect(try fixture.archive.contacts().isEmpty)
        row.users = ["OTTO@firma.example"]
        _ = try fixture.archive.importContacts([row])
        #expect(try fixture.archive.findContact("Maria").details.users == [otto])
        row.users = ["anna"]
        #expect(
            try fixture.archive.importContacts([row], isTrial: true).changes.map(\.fields) == [["users"]])
        _ = try fixture.archive.importContacts([row])
        #expect(try fixture.archive.findContact("Maria").userNames == ["anna", "otto"])
    }

    @Test func `an external id of a contact that one does not see says only that it is taken`() throws {
        let fixture = try ArchiveFixture()
        let otto = try fixture.archive.addUser(name: "otto", email: nil)
        var secret = ContactDraft(kind: .organisation, name: "Secret Ltd")
        secret.externalID = "o7"
        secret.owner = try fixture.archive.user(named: "anna").id
        secret.isPrivate = true
        let hidden = try fixture.archive.addContact(secret).id
        let before = try fixture.dump()
        var person = ContactImportRow(name: "Boris")
        person.organisation = "o7"
        var organisation = ContactImportRow(kind: .organisation, name: "Mine")
        organisation.externalID = "o7"
        let archive = fixture.archive.seen(by: .user(otto))
        let refused = try archive.importContacts([person, organisation]).refused
        #expect(refused.map(\.failure.code) == [.nameTaken, .nameTaken])
        for failure in refused.map(\.failure) {
            #expect(failure.detail == "o7")
            #expect(!failure.revealed.contains("Secret"))
            #expect(!failure.revealed.contains("contact \(hidden)"))
        }
        #expect(try fixture.dump() == before)
        // One that they see, and that has this for its name, is the one they mean.
        let visible = try archive.addContact(ContactDraft(kind: .organisation, name: "O7")).id
        #expect(try archive.importContacts([person]).refused.isEmpty)
        #expect(try archive.findContact("Boris").organisation == visible)
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
