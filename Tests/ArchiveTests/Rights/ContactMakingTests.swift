import MailModel
import Matcher
import Testing

@testable import Archive

/// Making a contact gives nobody mail that their rights do not.
@Suite struct ContactMakingTests {
    private let secret = EmailAddress("priv@secret.example")!

    /// Anna's mailbox with a private contact, and Boris, an employee with a mailbox of his own.
    struct Firm {
        let fixture: ArchiveFixture
        let boris: Archive
        let borisID: UserID
        let inbox: FolderID
        let hidden: ContactID

        init() throws {
            fixture = try ArchiveFixture()
            let archive = fixture.archive
            borisID = try archive.addUser(name: "boris", email: EmailAddress("boris@firma.example"))
            let account = try archive.addAccount(
                ArchiveFixture.settings("boris", borisID, email: EmailAddress("boris@firma.example")!))
            inbox = try archive.folder(account: account, name: .inbox, role: .inbox)
            boris = archive.seen(by: .user(borisID))
            var draft = ContactDraft(name: "Priv", emails: [EmailAddress("priv@secret.example")!])
            draft.owner = try archive.user(named: "anna").id
            draft.isPrivate = true
            hidden = try archive.addContact(draft).id
        }

        /// - Returns: the message's number.
        @discardableResult
        func receive(
            _ uid: UInt32, from: String, _ text: String, in folders: [FolderID], to: [String] = [],
            bcc: [String] = [], sentFrom sent: FolderID? = nil
        ) throws -> ArchivedMessageID {
            func arrival(_ folder: FolderID, _ bcc: [String]) -> Arrival {
                fixture.arrival(
                    uid, from: from, to: ["anna@firma.example"] + to, bcc: bcc, text: text,
                    transport: "Received: \(folder)\r\n", folder: folder)
            }
            _ = try fixture.archive.ingest(
                (sent.map { [arrival($0, bcc)] } ?? []) + folders.map { arrival($0, []) })
            return try #require(
                fixture.archive.messages(withID: MessageID(rawValue: "\(text)@client.example")).first)
        }
    }

    enum Way: CaseIterable {
        case add, edit, addAddress, importing
    }

    @Test(arguments: Way.allCases)
    func `a private contact's mail is seen through no other contact, nor is what comes later`(
        way: Way
    ) throws {
        let firm = try Firm()
        let old = try firm.receive(1, from: secret.addrSpec, "Secret", in: [firm.fixture.inbox])
        let both = try firm.receive(
            2, from: secret.addrSpec, "Both", in: [firm.fixture.inbox], to: ["open@client.example"])
        let mine = try firm.boris.addContact(
            ContactDraft(name: "Mine", emails: [EmailAddress("open@client.example")!])
        ).id
        switch way {
        case .add: try firm.boris.addContact(ContactDraft(name: "Other", emails: [secret]))
        case .edit:
            try firm.boris.changeContact(mine) { $0.emails.append(EmailAddress("priv@secret.example")!) }
        case .addAddress: try firm.boris.addAddress(secret, to: mine)
        case .importing:
            _ = try firm.boris.importContacts([ContactImportRow(name: "Other", emails: [secret])])
        }
        let later = try firm.receive(3, from: secret.addrSpec, "Later", in: [firm.fixture.inbox])
        let own = try firm.receive(4, from: secret.addrSpec, "Own", in: [firm.fixture.inbox, firm.inbox])
        for message in [old, both, later] {
            #expect(throws: MailFailure.self) { try firm.boris.message(message) }
            #expect(throws: MailFailure.self) { try firm.boris.original(of: message) }
        }
        for contact in try firm.boris.contacts() {
            let entries = try firm.boris.history(of: contact.id)
            #expect(entries.allSatisfy { $0.message == own })
            #expect(try firm.boris.historyCount(of: contact.id) == entries.count)
        }
        #expect(try firm.boris.message(own).subject == "Own")
        #expect(try firm.boris.message(own).copies.map(\.account) == ["boris"])
        #expect(try firm.boris.contacts(withAddress: secret).count == 1)
        // It is anna's mail as before, and of both contacts for whoever sees all.
        #expect(try firm.fixture.archive.historyCount(of: firm.hidden) == 4)
        #expect(try firm.fixture.archive.verify().findings == [])
    }

    @Test func `mail in a colleague's queue stays there, and the new contact is suggested to who sees it`()
        throws
    {
        let firm = try Firm()
        let address = EmailAddress("str@other.example")!
        let waiting = try firm.receive(1, from: address.addrSpec, "Waits", in: [firm.fixture.inbox])
        try firm.receive(2, from: address.addrSpec, "Mine", in: [firm.inbox])
        let (contact, gain) = try firm.boris.addContact(ContactDraft(name: "Mine", emails: [address]))
        #expect(gain.linkedMessages == 1 && gain.closedItems == 1)
        #expect(throws: MailFailure.self) { try firm.boris.message(waiting) }
        let anna = firm.fixture.archive.seen(by: try firm.fixture.archive.viewer(named: "anna"))
        let item = try #require(try anna.reviewItems().first)
        #expect(item.message == waiting && item.suggestions.isEmpty)
        let suggestion = try firm.fixture.archive.reviewItem(item.id).suggestions.first
        #expect(suggestion?.contact == contact && suggestion?.reason == "has this address")
        let absence = try firm.fixture.archive.absence(of: waiting, from: contact)
        #expect(!absence.isLinked && absence.reasons.contains { $0.contains("follows an address as far as") })
        let verdict = try firm.fixture.archive.explanation(of: waiting).decisions.last
        #expect(verdict?.because.contains { $0.contains("waits all the same") } == true)
        // A person who may, lets it follow.
        try firm.fixture.archive.link(.items([item.id]), to: [contact], by: "root")
        #expect(try firm.boris.message(waiting).subject == "Waits")
        #expect(try firm.fixture.archive.verify().findings == [])
    }

    @Test func `a mail of which a colleague's copy says more does not follow`() throws {
        let firm = try Firm()
        let to = EmailAddress("str@other.example")!
        let blind = try firm.receive(
            1, from: "anna@firma.example", "Blind", in: [firm.inbox], to: [to.addrSpec],
            bcc: ["hidden@far.example"], sentFrom: firm.fixture.sent)
        let open = try firm.receive(
            2, from: "anna@firma.example", "Open", in: [firm.inbox], to: [to.addrSpec],
            sentFrom: firm.fixture.sent)
        let contact = try firm.boris.addContact(ContactDraft(name: "Mine", emails: [to])).id
        #expect(try firm.boris.history(of: contact).map(\.message) == [open])
        #expect(try !firm.boris.message(blind).participants.contains { $0.role == .bcc })
    }

    @Test func `what a user made is taken back by them`() throws {
        let firm = try Firm()
        for (uid, folder) in [(UInt32(1), firm.fixture.inbox), (2, firm.inbox)] {
            try firm.receive(uid, from: secret.addrSpec, "Secret \(uid)", in: [folder])
            try firm.receive(uid + 10, from: "str@other.example", "Mail \(uid)", in: [folder])
        }
        let before = try firm.fixture.dump()
        let id = try #require(
            try firm.fixture.act("contact add", as: "boris") {
                try firm.boris.addContact(
                    ContactDraft(name: "Mine", emails: [secret, EmailAddress("str@other.example")!]))
            })
        #expect(try firm.boris.undo(id, by: "boris").undoneBy == "boris")
        #expect(try firm.fixture.dump() == before)
    }

    @Test func `whoever sees mail that they may not review takes back what made it follow`() throws {
        let firm = try Firm()
        let archive = firm.fixture.archive
        try archive.addRole(name: "reader", [.read: .all, .contacts: .own])
        let olga = archive.seen(by: .user(try archive.addUser(name: "olga", UserDraft(role: "reader"))))
        let client = try firm.fixture.contact("Client", "a@client.example")
        let filed = try firm.receive(
            1, from: "a@client.example", "Filed", in: [firm.fixture.inbox], to: ["b@client.example"])
        try firm.receive(2, from: "b@client.example", "Waits", in: [firm.fixture.inbox])
        let before = try firm.fixture.dump()
        var mine = client
        let id = try #require(
            try firm.fixture.act("contact add", as: "olga") {
                mine = try olga.addContact(
                    ContactDraft(name: "B", emails: [EmailAddress("b@client.example")!])
                ).id
            })
        #expect(try olga.history(of: mine).map(\.message) == [filed])
        #expect(try archive.openReviewCount() == 1)
        try olga.undo(id, by: "olga")
        #expect(try firm.fixture.dump() == before)
    }

    @Test func `who makes contacts and does not read them opens no history by owning, sharing or merging`()
        throws
    {
        let firm = try Firm()
        let archive = firm.fixture.archive
        try archive.addRole(name: "maker", [.read: .own, .contacts: .all])
        let id = try archive.addUser(name: "max", UserDraft(role: "maker"))
        let max = archive.seen(by: .user(id))
        let client = try firm.fixture.contact("Client", "a@client.example")
        let fresh = try firm.fixture.contact("Fresh", "new@client.example")
        let own = try max.addContact(ContactDraft(name: "Own")).id
        try firm.receive(1, from: "a@client.example", "Filed", in: [firm.fixture.inbox])
        func code(_ body: () throws -> Void) -> MailFailure.Code? {
            #expect(throws: MailFailure.self) { try body() }?.code
        }
        #expect(code { try max.changeContact(client) { $0.owner = id } } == .rightMissing)
        #expect(code { try max.changeContact(client) { $0.details.users = [id] } } == .rightMissing)
        #expect(code { try max.mergeContacts([client], into: own) } == .rightMissing)
        #expect(code { try max.mergeContacts([own], into: client, taking: [.owner]) } == .rightMissing)
        var row = ContactImportRow(name: "Client", emails: [EmailAddress("a@client.example")!])
        row.owner = "max"
        #expect(try max.importContacts([row]).refused.first?.failure.code == .rightMissing)
        #expect(try max.history(of: client).isEmpty && max.history(of: own).isEmpty)
        // The rest of what they may is as it was, and what has no history opens none.
        try max.changeContact(client) { $0.name = "Client & Sons" }
        try max.changeContact(fresh) { $0.owner = id }
        #expect(try archive.contact(client).name == "Client & Sons")
    }

    @Test func `a contact is given to nobody whom the right to make contacts does not reach`() throws {
        let firm = try Firm()
        let archive = firm.fixture.archive
        let anna = try archive.user(named: "anna").id
        func code(_ body: () throws -> Void) -> MailFailure.Code? {
            #expect(throws: MailFailure.self) { try body() }?.code
        }
        var draft = ContactDraft(name: "Steal", emails: [EmailAddress("x@x.example")!])
        draft.owner = anna
        #expect(code { try firm.boris.addContact(draft) } == .rightMissing)
        let mine = try firm.boris.addContact(ContactDraft(name: "Mine")).id
        #expect(code { try firm.boris.changeContact(mine) { $0.owner = anna } } == .rightMissing)
        #expect(code { try firm.boris.changeContact(mine) { $0.owner = nil } } == .rightMissing)
        try firm.boris.changeContact(mine) { $0.name = "Still mine" }
        try firm.receive(1, from: "new@far.example", "New", in: [firm.inbox])
        #expect(
            code {
                _ = try firm.boris.createContact(
                    from: .address(EmailAddress("new@far.example")!), by: "boris", change: { $0.owner = anna }
                )
            } == .rightMissing)
        var rows = [ContactImportRow(name: "A", emails: [EmailAddress("a@far.example")!])]
        rows[0].owner = "anna"
        rows.append(ContactImportRow(name: "B", emails: [EmailAddress("b@far.example")!]))
        rows[1].owner = "boris"
        let report = try firm.boris.importContacts(rows)
        #expect(report.refused.map(\.row) == [0] && report.refused.first?.failure.code == .rightMissing)
        #expect(report.added == 1)
        #expect(Set(try firm.boris.contacts().map(\.ownerName)) == ["boris"])
        // Whoever has all of the right gives them to anybody.
        try archive.changeContact(mine) { $0.owner = anna }
        #expect(throws: MailFailure.self) { try firm.boris.contact(mine) }
    }
}
