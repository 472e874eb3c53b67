import GRDB
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
                $0.category = .list
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
        #expect(try subjects(fixture) { $0.category = .list } == ["Middle"])
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
        #expect(try archive.waitingListsAgree())
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
        #expect(try archive.waitingListsAgree())
    }

    @Test func `whoever looks and whatever is left out, groups, counts and pages say the same`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        try archive.addDepartment(name: "sales")
        var draft = UserDraft(role: BuiltInRole.manager.rawValue)
        draft.department = "sales"
        let boss = try archive.addUser(name: "boss", draft)
        draft.role = BuiltInRole.employee.rawValue
        var viewers: [Viewer] = [.administrator, .user(boss)]
        var folders = [fixture.inbox, fixture.sent]
        for name in ["olga", "ivan", "rita"] {
            let user = try archive.addUser(name: name, draft)
            viewers.append(.user(user))
            let settings = ArchiveFixture.settings(name, user, email: EmailAddress("\(name)@firma.example")!)
            folders.append(
                try archive.folder(account: archive.addAccount(settings), name: .inbox, role: .inbox))
        }
        for number in 1...90 {
            // Half of it under one address, in one mailbox or up to three.
            let stranger = number % 2 == 0 ? "many@else.example" : "s\(number % 11)@else.example"
            let isSent = number % 7 == 0
            for copy in 0...(number % 5 == 0 ? 2 : 0) {
                _ = try archive.ingest([
                    fixture.arrival(
                        UInt32(number), from: isSent ? "anna@firma.example" : stranger,
                        to: [isSent ? stranger : "anna@firma.example"], text: "Mail \(number)",
                        transport: "Received: \(copy)\r\n",
                        folder: isSent ? fixture.sent : folders[(number + copy) % folders.count]
                    ) { $0.date = UnixTime(1_690_000_000 + Int64(number * 37 % 97)) }
                ])
            }
        }
        #expect(try archive.waitingListsAgree())
        var filters = [ReviewFilter()]
        for change: (inout ReviewFilter) -> Void in [
            { $0.direction = .outgoing }, { $0.since = UnixTime(1_690_000_050) },
            { $0.until = UnixTime(1_690_000_050) }, { $0.kind = .unknown }, { $0.kind = .lookAlike },
            { $0.address = EmailAddress("many@else.example") },
        ] {
            var filter = ReviewFilter()
            change(&filter)
            filters.append(filter)
        }
        for viewer in viewers {
            let seen = archive.seen(by: viewer)
            for filter in filters {
                let items = try seen.reviewItems(filter, withSuggestions: false)
                #expect(items.map(\.id) == items.sorted { ($0.date!, $0.id) > ($1.date!, $1.id) }.map(\.id))
                #expect(Set(items.map(\.id)).count == items.count)
                #expect(try seen.openReviewCount(filter) == items.count)
                var addresses: [String?] = []
                for item in items where !addresses.contains(item.address) { addresses.append(item.address) }
                let groups = try seen.reviewGroups(filter)
                #expect(groups.map(\.address) == addresses)
                for group in groups {
                    let own = items.filter { $0.address == group.address }
                    #expect(group.count == own.count && group.newest.id == own.first?.id)
                }
                let pages = try stride(from: 0, to: 16, by: 2).flatMap {
                    try seen.reviewGroups(filter, limit: 2, offset: $0)
                }
                #expect(pages == groups)
            }
        }
        #expect(try archive.seen(by: .user(boss)).openReviewCount() < archive.openReviewCount())
    }

    @Test func `what becomes of a copy, a date or a direction becomes of the lists`() throws {
        let fixture = try filled()
        let other = try fixture.archive.folder(
            account: fixture.archive.addAccount(
                ArchiveFixture.settings("olga", nil, email: EmailAddress("olga@firma.example")!)),
            name: .inbox, role: .inbox)
        for change in [
            """
            INSERT INTO ledger(folder, uidvalidity, uid, state, message, original, recorded_at)
                SELECT \(other), 7, uid, 'duplicate', message, original, 0 FROM ledger
            """,
            "UPDATE ledger SET message = 2, original = 2 WHERE message = 1",
            "UPDATE messages SET direction = 'internal' WHERE id = 3",
            "UPDATE review_items SET sort_date = sort_date + 5, kind = 'ambiguous'",
            "UPDATE review_items SET address = NULL, email = NULL WHERE id = 2",
            "UPDATE review_items SET state = 'linked', resolved_at = 1, resolved_by = 'x' WHERE id = 3",
            "UPDATE review_items SET state = 'open', resolved_at = NULL, resolved_by = NULL WHERE id = 3",
            "DELETE FROM ledger WHERE folder = \(other)",
            "DELETE FROM review_items WHERE id IN (1, 4)",
        ] {
            try fixture.archive.pool.write { try $0.execute(sql: change) }
            #expect(try fixture.archive.waitingListsAgree(), "\(change)")
        }
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

    @Test func `a contact is made with the telephone numbers of the signature, and no other numbers`() throws
    {
        let fixture = try ArchiveFixture()
        let signature = """
            Мария Иванова, ООО «Вектор», ИНН 7701234567
            р/с 40702810900000012345
            Тел.: 8 (495) 123-45-67 доб. 12, моб.\u{a0}+7 916 765-43-21
            """
        let arrival = fixture.arrival(1, from: "m@vektor.example") { $0.signature = signature }
        _ = try fixture.archive.ingest([arrival, fixture.arrival(2, from: "m@vektor.example", text: "Later")])
        let draft = try fixture.archive.contactDraft(from: .address(EmailAddress("m@vektor.example")!))
        #expect(draft.details.phones == ["+74951234567", "+79167654321"])
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
