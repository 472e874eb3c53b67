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
        #expect(second.updated == 1 && second.unchanged == 2)
        let maria = try fixture.archive.findContact("p1")
        #expect(maria.name == "Maria Ivanova")
        #expect(maria.doNotEmail)
        #expect(maria.organisationName == "Client Ltd")
        #expect(maria.ownerName == "anna")
        #expect(maria.emails.map(\.addrSpec) == ["maria@client.example", "maria@new.example"])
    }

    @Test func `a row that says what is known already changes no row and is no action`() throws {
        let fixture = try ArchiveFixture()
        var row = ContactImportRow(name: "Maria", emails: [email("maria@client.example")])
        row.tags = ["vip"]
        let known = { try fixture.dump()["contacts"] }
        let act = Act(person: "anna", systemUser: "anna", origin: "-", action: "contact import")
        try Act.$current.withValue(act) { _ = try fixture.archive.importContacts([row]) }
        let (before, undo) = (try known(), try fixture.archive.lastUndo(of: "anna").id)
        fixture.clock.advance(60)
        try Act.$current.withValue(act) { _ = try fixture.archive.importContacts([row]) }
        #expect(try known() == before)
        #expect(try fixture.archive.lastUndo(of: "anna").id == undo)
        row.tags = ["vip", "north"]
        #expect(try fixture.archive.importContacts([row]).updated == 1)
        #expect(try known() != before)
    }

    @Test func `the name of an organisation that the user does not see is told by no change of its people`()
        throws
    {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        try archive.addUser(name: "vera", email: nil)
        let anna = try archive.viewer(named: "anna")
        let verasID = try archive.user(named: "vera").id
        var hidden = ContactDraft(kind: .organisation, name: "Hidden Ltd")
        hidden.owner = verasID
        hidden.isPrivate = true
        var known = ContactDraft(name: "Kolya", emails: [email("kolya@client.example")])
        known.organisation = try archive.addContact(hidden).id
        known.owner = try archive.user(named: "anna").id
        let kolya = try archive.addContact(known).id
        var other = ContactDraft(name: "Ivan", emails: [email("ivan@client.example")])
        other.owner = known.owner
        let ivan = try archive.addContact(other).id
        let seen = archive.seen(by: anna)
        let change = try seen.changeContact(kolya, isTrial: true) { $0.details.tags = ["x"] }
        let merged = try seen.mergeContacts([ivan], into: kolya, isTrial: true)
        for contact in [change.before, change.after, merged.kept, merged.result] + merged.others {
            #expect(contact.organisationName == nil && contact.organisation == nil)
        }
        #expect(try archive.mergeContacts([ivan], into: kolya).result.organisationName == "Hidden Ltd")
        // Nor is it made a person over the heads of people whom the user does not see.
        var office = ContactDraft(kind: .organisation, name: "Office Ltd")
        office.owner = known.owner
        let officeID = try archive.addContact(office).id
        var secret = ContactDraft(name: "Secret")
        secret.owner = verasID
        secret.isPrivate = true
        secret.organisation = officeID
        let person = try archive.addContact(secret).id
        #expect(throws: MailFailure.self) { try seen.changeContact(officeID) { $0.kind = .person } }
        #expect(try archive.contact(person).organisationName == "Office Ltd")
    }

    @Test func `people who share an address stay two, in one file and when it is imported again`() throws {
        let fixture = try ArchiveFixture()
        let rows = ["Ivan", "Petr"].map { ContactImportRow(name: $0, emails: [email("info@shared.example")]) }
        #expect(try fixture.archive.importContacts(rows).added == 2)
        #expect(try fixture.archive.contacts().map(\.name) == ["Ivan", "Petr"])
        let again = try fixture.archive.importContacts(rows)
        #expect(again.added == 0 && again.updated == 0 && again.unchanged == 2 && again.refused.isEmpty)
        #expect(try fixture.archive.contacts().map(\.name) == ["Ivan", "Petr"])
    }

    @Test(
        arguments: [
            ["Магазин 1", "Магазин 2"], ["Иванов Пётр Сергеевич", "Иванов Пётр Андреевич"],
            ["Dept. 7 North", "Dept. 8 North"],
        ])
    func `a number or a patronymic makes another name`(names: [String]) throws {
        let fixture = try ArchiveFixture()
        let rows = names.map { ContactImportRow(name: $0, emails: [email("shop@shared.example")]) }
        #expect(try fixture.archive.importContacts(rows).added == 2)
        #expect(try fixture.archive.contacts().map(\.name).sorted() == names.sorted())
        let other = ContactImportRow(
            name: names[0] + " 19", emails: [email("shop@shared.example")])
        #expect(try fixture.archive.importContacts([other]).refused.count == 1)
        #expect(try fixture.archive.contacts().map(\.name).sorted() == names.sorted())
    }

    @Test func `a row of another name takes nobody's contact by the address alone`() throws {
        let fixture = try ArchiveFixture()
        let ivan = try fixture.contact("Иван Петров", "info@shared.example")
        var row = ContactImportRow(name: "Olga", emails: [email("INFO@shared.example")])
        let refused = try #require(try fixture.archive.importContacts([row]).refused.first).failure
        #expect(refused.code == .invalidValue)
        #expect(refused.detail == "info@shared.example, of Иван Петров (\(ivan)), for Olga")
        #expect(refused.remedy?.contains("external_id") == true)
        #expect(try fixture.archive.contacts().map(\.name) == ["Иван Петров"])
        // Of another one with the same address an external id tells it.
        row.externalID = "p9"
        #expect(try fixture.archive.importContacts([row]).added == 1)
        // A name in another alphabet, or none, is no other name.
        for name in ["Petrov Ivan", nil] {
            let same = ContactImportRow(kind: .lead, name: name, emails: [email("info@shared.example")])
            #expect(
                try fixture.archive.importContacts([same], isTrial: true).changes.map(\.contact) == [ivan])
        }
        let renamed = ContactImportRow(name: "Petrov Ivan", emails: [email("info@shared.example")])
        #expect(
            try fixture.archive.importContacts([renamed], isTrial: true).changes.map(\.fields) == [
                ["name (was Иван Петров)"]
            ])
    }

    @Test func `a contact that was made of an address alone gets its name by it`() throws {
        let fixture = try ArchiveFixture()
        let bare = ContactImportRow(name: nil, emails: [email("ivan@klient.example")])
        let named = ContactImportRow(name: "Ivan", emails: [email("ivan@klient.example")])
        _ = try fixture.archive.importContacts([bare])
        #expect(try fixture.archive.importContacts([named]).updated == 1)
        #expect(try fixture.archive.contacts().map(\.name) == ["Ivan"])
    }

    @Test func `contacts without an address are known again by name, organisation and number`() throws {
        let fixture = try ArchiveFixture()
        var rows = [0, 1, 2, 3].map { _ in ContactImportRow(name: "Olga") }
        rows[1].organisation = "Parus"
        rows[2].phones = ["+7 495 123-45-67"]
        rows[3].phones = ["+7 495 765-43-21"]
        #expect(try fixture.archive.importContacts(rows).added == 4)
        let again = try fixture.archive.importContacts(rows)
        #expect(again.added == 0 && again.updated == 0 && again.unchanged == 4)
        #expect(try fixture.archive.contacts().filter { $0.name == "Olga" }.count == 4)
    }

    @Test func `organisations in a circle are refused, by import and by hand`() throws {
        let fixture = try ArchiveFixture()
        var one = ContactImportRow(kind: .organisation, name: "One")
        one.organisation = "Two"
        var two = ContactImportRow(kind: .organisation, name: "Two")
        two.organisation = "Three"
        var three = ContactImportRow(kind: .organisation, name: "Three")
        three.organisation = "One"
        let refused = try fixture.archive.importContacts([one, two, three]).refused
        #expect(refused.map(\.row) == [2])
        #expect(refused.map(\.failure.code) == [.invalidValue])
        let last = try fixture.archive.findContact("Three").id
        let first = try fixture.archive.findContact("One").id
        let failure = #expect(throws: MailFailure.self) {
            try fixture.archive.changeContact(last) { $0.organisation = first }
        }
        #expect(failure?.code == .invalidValue)
        #expect(try fixture.archive.contact(last).organisation == nil)
    }

    @Test func `what no listing could show is refused`() throws {
        let fixture = try ArchiveFixture()
        let endless = String(repeating: "ё", count: 501)
        var rows = [0, 1, 2, 3, 4].map { ContactImportRow(name: "C\($0)") }
        rows[0].name = endless
        rows[1].externalID = endless
        rows[2].tags = [endless]
        rows[3].type = endless
        rows[4].organisation = endless
        #expect(try fixture.archive.importContacts(rows).refused.count == 5)
        #expect(throws: MailFailure.self) { try fixture.archive.addContact(ContactDraft(name: endless)) }
        #expect(try fixture.archive.contacts().isEmpty)
        try fixture.contact(String(endless.dropLast()))
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
