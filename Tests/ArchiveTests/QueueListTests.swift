import MailModel
import Matcher
import Testing

@testable import Archive

@Suite struct QueueListTests {
    private func filled() throws -> ArchiveFixture {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([
            fixture.arrival(1, from: "maria@client.example", text: "Old") {
                $0.date = UnixTime(1_690_000_000)
            },
            fixture.arrival(2, from: "maria@client.example", text: "New"),
            fixture.arrival(3, from: "boris@else.example", text: "Middle") {
                $0.date = UnixTime(1_695_000_000)
            },
            fixture.arrival(
                4, from: "anna@firma.example", to: ["ruth@out.example"], text: "Sent", folder: fixture.sent
            ) { $0.date = UnixTime(1_680_000_000) },
        ])
        return fixture
    }

    private func subjects(_ fixture: ArchiveFixture, _ change: (inout ReviewFilter) -> Void) throws
        -> [String]
    {
        var filter = ReviewFilter()
        change(&filter)
        let found = try fixture.archive.reviewItems(filter).compactMap(\.subject)
        #expect(try fixture.archive.openReviewCount(filter) == found.count)
        return found
    }

    @Test func `each filter leaves out what it does not name`() throws {
        let fixture = try filled()
        #expect(try subjects(fixture) { _ in } == ["New", "Middle", "Old", "Sent"])
        #expect(
            try subjects(fixture) { $0.address = EmailAddress("MARIA@client.example") } == ["New", "Old"])
        #expect(try subjects(fixture) { $0.direction = .outgoing } == ["Sent"])
        #expect(try subjects(fixture) { $0.since = UnixTime(1_695_000_000) } == ["New", "Middle"])
        #expect(try subjects(fixture) { $0.until = UnixTime(1_690_000_000) } == ["Sent"])
        #expect(try subjects(fixture) { $0.kind = .unreadable } == [])
        #expect(try subjects(fixture) { $0.account = "anna" }.count == 4)
        #expect(throws: MailFailure.self) { try subjects(fixture) { $0.account = "nobody" } }
    }

    @Test func `groups have their counts, the newest first, page by page`() throws {
        let fixture = try filled()
        let groups = try fixture.archive.reviewGroups()
        #expect(groups.map(\.address) == ["maria@client.example", "boris@else.example", "ruth@out.example"])
        #expect(groups.map(\.count) == [2, 1, 1])
        #expect(groups.map(\.newest.subject) == ["New", "Middle", "Sent"])
        #expect(
            try fixture.archive.reviewGroups(limit: 1, offset: 1).map(\.address) == ["boris@else.example"])
        let otto = try fixture.archive.addUser(name: "otto", email: nil)
        #expect(try fixture.archive.seen(by: .user(otto)).reviewGroups() == [])
    }

    @Test func `pages of a reviewer are merged out of their mailboxes, a message in several stands once`()
        throws
    {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        try archive.addDepartment(name: "sales")
        var draft = UserDraft(role: BuiltInRole.manager.rawValue)
        draft.department = "sales"
        let boss = try archive.addUser(name: "boss", draft)
        var folders: [String: FolderID] = ["anna": fixture.inbox]
        for (name, shows) in [("olga", Disclosure.everything), ("ivan", .people), ("rita", .presence)] {
            var colleague = UserDraft()
            colleague.department = "sales"
            var settings = ArchiveFixture.settings(
                name, try archive.addUser(name: name, colleague),
                email: EmailAddress("\(name)@firma.example")!)
            settings.colleaguesSee = shows
            folders[name] = try archive.folder(
                account: archive.addAccount(settings), name: .inbox, role: .inbox)
        }
        for number in 1...60 {
            let places = [
                ["olga"], ["ivan"], ["rita"], ["anna"], ["olga", "ivan"], ["anna", "rita", "ivan"],
            ]
            _ = try archive.ingest(
                places[number % 6].map { name in
                    fixture.arrival(
                        UInt32(number), from: "s\(number % 7)@else.example", text: "Mail \(number)",
                        transport: "Received: \(name)\r\n", folder: folders[name]!
                    ) { $0.date = UnixTime(1_690_000_000 + Int64(number * 37 % 60)) }
                })
        }
        #expect(try archive.waitingCopiesAgree())
        let seen = archive.seen(by: .user(boss))
        let all = try archive.reviewItems(withSuggestions: false)
        let expected = try all.filter { item in
            try archive.message(item.message).copies.contains { ["olga", "ivan"].contains($0.account) }
        }
        #expect(expected.count == 40)
        #expect(try seen.reviewItems(withSuggestions: false).map(\.id) == expected.map(\.id))
        let pages = try stride(from: 0, to: 50, by: 7).flatMap {
            try seen.reviewItems(limit: 7, offset: $0, withSuggestions: false)
        }
        #expect(pages.map(\.id) == expected.map(\.id))
        #expect(try seen.openReviewCount() == 40)
        #expect(try seen.reviewGroups().map(\.count).reduce(0, +) == 40)
        var filter = ReviewFilter(address: EmailAddress("s3@else.example"))
        #expect(
            try seen.reviewItems(filter).map(\.id)
                == expected.filter { $0.address == "s3@else.example" }.map(\.id))
        filter = ReviewFilter()
        filter.account = "olga"
        #expect(try seen.reviewItems(filter).count == 20)
        try seen.ignore(.items([expected[0].id]), by: "boss")
        #expect(try seen.reviewItems().map(\.id) == expected.dropFirst().map(\.id))
        #expect(try archive.waitingCopiesAgree())
    }

    @Test func `a contact is made of what the mail says, in one action`() throws {
        let fixture = try filled()
        let firm = try fixture.archive.addContact(
            ContactDraft(
                kind: .organisation, name: "Client GmbH", emails: [EmailAddress("info@client.example")!])
        ).id
        let before = try fixture.dump()
        let selection = ReviewSelection.address(EmailAddress("maria@client.example")!)
        #expect(try fixture.archive.contactDraft(from: selection).name == "Maria")
        var made = ContactID(rawValue: 0)
        let undo = try #require(
            try fixture.act("queue create-contact") {
                let answer = try fixture.archive.createContact(from: selection, kind: .lead, by: "anna")
                made = answer.id
                #expect(answer.outcome.gain.closedItems == 2)
            })
        let contact = try fixture.archive.contact(made)
        #expect(contact.kind == .lead && contact.organisation == firm && contact.name == "Maria")
        #expect(try fixture.archive.historyCount(of: made) == 2)
        #expect(try fixture.archive.verify().findings == [])
        try fixture.archive.undo(undo, by: "anna")
        #expect(try fixture.dump() == before)
    }

    @Test func `one contact is not made of several addresses`() throws {
        let fixture = try filled()
        let all = try fixture.archive.reviewItems().map(\.id)
        let failure = #expect(throws: MailFailure.self) {
            try fixture.archive.createContact(from: .items(all), by: "anna")
        }
        #expect(failure?.code == .invalidValue)
        #expect(try fixture.archive.contacts().isEmpty)
    }

    @Test func `items made private are gone for good, all or none`() throws {
        let fixture = try filled()
        let items = try fixture.archive.reviewItems()
        #expect(throws: MailFailure.self) {
            try fixture.archive.makePrivate(.items([items[0].id, ReviewItemID(rawValue: 99)]))
        }
        #expect(try fixture.archive.openReviewCount() == 4)
        #expect(
            try fixture.archive.makePrivate(.address(EmailAddress("maria@client.example")!)).count == 2)
        #expect(try fixture.archive.reviewItems().map(\.subject) == ["Middle", "Sent"])
        #expect(try fixture.archive.verify().findings == [])
    }
}
