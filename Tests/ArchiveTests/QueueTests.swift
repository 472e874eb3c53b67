import Archive
import MailModel
import Matcher
import Testing

@Suite struct QueueTests {
    @Test func `an action on an item that is not open changes nothing`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria")
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let item = try #require(try fixture.archive.reviewItems().first)
        let failure = #expect(throws: MailFailure.self) {
            try fixture.archive.link(
                .items([item.id, ReviewItemID(rawValue: 99)]), to: [maria], by: "anna")
        }
        #expect(failure?.code == .unknownReviewItem)
        #expect(throws: MailFailure.self) {
            try fixture.archive.link(.items([item.id]), to: [ContactID(rawValue: 99)], by: "anna")
        }
        #expect(try fixture.archive.openReviewCount() == 1)
        #expect(try fixture.archive.historyCount(of: maria) == 0)
    }

    @Test func `an item shows whose mail it is and where it came from`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1, from: "Maria@Client.Example")])
        let item = try #require(try fixture.archive.reviewItems().first)
        #expect(item.address == "maria@client.example")
        #expect(item.reason == "No matching contacts for maria@client.example")
        #expect(item.account == "anna")
        #expect(item.direction == .incoming)
        #expect(item.subject == "Hello")
        #expect(item.date == UnixTime(1_700_000_000))
    }

    @Test func `linking an item puts its message into the history, with who decided`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria")
        _ = try fixture.archive.ingest([fixture.arrival(1), fixture.arrival(2, text: "Two")])
        let items = try fixture.archive.reviewItems()
        let outcome = try fixture.archive.link(.items([items[0].id]), to: [maria], by: "anna")
        #expect(outcome.closed == [items[0].id])
        let history = try fixture.archive.history(of: maria)
        #expect(history.map(\.linkedBy) == ["anna"])
        #expect(history.map(\.from) == ["maria@client.example"])
        #expect(try fixture.archive.openReviewCount() == 1)
        #expect(try fixture.archive.ledgerCounts() == [.archived: 1, .review: 1])
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `linking with the address lets all its mail follow, now and later`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria")
        _ = try fixture.archive.ingest(
            (1...5).map { (uid: UInt32) in fixture.arrival(uid, text: "Text \(uid)") })
        let item = try #require(try fixture.archive.reviewItems().first)
        let outcome = try fixture.archive.link(
            .items([item.id]), to: [maria], addingAddress: true, by: "anna")
        #expect(outcome.gain.closedItems == 4)
        #expect(try fixture.archive.openReviewCount() == 0)
        #expect(try fixture.archive.historyCount(of: maria) == 5)
        let later = try fixture.archive.ingest([fixture.arrival(6, text: "Later")])
        guard case .linked(_, contacts: [maria]) = later[0] else {
            Issue.record("\(later)")
            return
        }
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a new contact's address draws waiting and archived mail, not reports or ignored mail`() throws
    {
        let fixture = try ArchiveFixture()
        let boris = try fixture.contact("Boris", "boris@client.example")
        _ = try fixture.archive.ingest([
            fixture.arrival(1, text: "Waiting"),
            fixture.arrival(2, to: ["anna@firma.example", "boris@client.example"], text: "Archived"),
            fixture.arrival(3, text: "Report") { $0.isDeliveryReport = true },
            fixture.arrival(4, text: "Ignored"),
        ])
        let ignored = try #require(try fixture.archive.reviewItems().first { $0.subject == "Ignored" })
        try fixture.archive.ignore(.items([ignored.id]), by: "anna")
        let (maria, gain) = try fixture.archive.addContact(
            ContactDraft(name: "Maria", emails: [EmailAddress("MARIA@client.example.")!]))
        #expect(gain.linkedMessages == 2)
        #expect(gain.closedItems == 1)
        #expect(Set(try fixture.archive.history(of: maria).map(\.subject)) == ["Waiting", "Archived"])
        #expect(try fixture.archive.historyCount(of: boris) == 1)
        #expect(try fixture.archive.reviewItems().map(\.subject) == ["Report"])
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `an ignored address stays ignored, other people of its domain do not`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([
            fixture.arrival(1, from: "news@shop.example", text: "One"),
            fixture.arrival(2, from: "news@shop.example", text: "Two"),
        ])
        let outcome = try fixture.archive.ignore(
            .address(EmailAddress("News@Shop.Example")!), .address, by: "anna")
        #expect(outcome.closed.count == 2)
        let later = try fixture.archive.ingest([
            fixture.arrival(3, from: "news@shop.example", text: "Three"),
            fixture.arrival(4, from: "sales@shop.example", text: "Four"),
        ])
        guard case .ignored(let id, rule: .some) = later[0], case .review = later[1] else {
            Issue.record("\(later)")
            return
        }
        #expect(try fixture.archive.message(id).ignoredBy == "news@shop.example")
        let all = try fixture.archive.ignore(
            .address(EmailAddress("sales@shop.example")!), .domain, by: "anna")
        #expect(all.closed.count == 1)
        let last = try fixture.archive.ingest([fixture.arrival(5, from: "x@shop.example", text: "Five")])
        guard case .ignored = last[0] else {
            Issue.record("\(last)")
            return
        }
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a whole public provider cannot be ignored`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1, from: "spam@gmail.com")])
        #expect(throws: MailFailure.self) {
            try fixture.archive.ignore(.address(EmailAddress("spam@gmail.com")!), .domain, by: "anna")
        }
        #expect(try fixture.archive.openReviewCount() == 1)
    }

    @Test func `a message is linked from wherever it stands, and never by nobody or to nobody`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let boris = try fixture.contact("Boris")
        _ = try fixture.archive.ingest([
            fixture.arrival(1), fixture.arrival(2, from: "news@shop.example"),
            fixture.arrival(3, from: "x@y.example"),
        ])
        let linked = try #require(try fixture.archive.history(of: maria).first).message
        let items = try fixture.archive.reviewItems()
        let news = try #require(items.first { $0.address == "news@shop.example" }).message
        let waiting = try #require(items.first { $0.address == "x@y.example" }).message
        try fixture.archive.ignore(.address(EmailAddress("news@shop.example")!), .address, by: "anna")
        let before = try fixture.dump()
        for (message, contacts) in [
            (ArchivedMessageID(rawValue: 99), [boris]), (linked, []), (linked, [ContactID(rawValue: 99)]),
        ] {
            #expect(throws: MailFailure.self) { try fixture.archive.link(message, to: contacts, by: "anna") }
        }
        #expect(try fixture.dump() == before)

        for message in [linked, news, waiting] {
            try fixture.archive.link(message, to: [boris], by: "anna")
            try fixture.archive.link(message, to: [boris], by: "anna")
        }
        #expect(try fixture.archive.historyCount(of: boris) == 3)
        #expect(try fixture.archive.historyCount(of: maria) == 1)
        #expect(try fixture.archive.openReviewCount() == 0)
        #expect(try fixture.archive.message(news).ignoredBy == nil)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `an unlinked message waits again, and an address does not bring it back`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let message = try #require(try fixture.archive.history(of: maria).first).message
        try fixture.archive.unlink(message, from: maria, by: "anna")
        #expect(try fixture.archive.historyCount(of: maria) == 0)
        let item = try #require(try fixture.archive.reviewItems().first)
        #expect(item.address == "maria@client.example")
        #expect(try fixture.archive.verify().findings == [])
        try fixture.archive.changeContact(maria) { $0 = ContactDraft(name: "Maria") }
        try fixture.archive.addAddress(EmailAddress("maria@client.example")!, to: maria)
        #expect(try fixture.archive.historyCount(of: maria) == 0)
        // A person may change the decision.
        try fixture.archive.link(.items([item.id]), to: [maria], by: "otto")
        #expect(try fixture.archive.history(of: maria).map(\.linkedBy) == ["otto"])
        #expect(try fixture.archive.verify().findings == [])
        #expect(throws: MailFailure.self) {
            try fixture.archive.unlink(message, from: ContactID(rawValue: 99), by: "anna")
        }
    }

    @Test func `suggestions come from the thread, the name and the domain, never from a public one`() throws {
        let fixture = try ArchiveFixture()
        let boris = try fixture.contact("Boris", "boris@client.example")
        let maria = try fixture.contact("Maria Ivanova", "maria@gmail.com")
        let thread = try fixture.contact("Thread", "thread@else.example")
        _ = try fixture.archive.ingest([
            fixture.arrival(1, from: "thread@else.example", messageID: "root@id", text: "Root"),
            fixture.arrival(2, from: "new@client.example", text: "Domain"),
            fixture.arrival(3, from: "other@gmail.com", text: "Public"),
            fixture.arrival(4, from: "private@gmail.com", text: "Name") {
                $0.participants[0].mailbox.displayName = "MARIA  ivanova"
            },
            fixture.arrival(5, from: "x@gmail.com", text: "Reply") {
                $0.inReplyTo = [MessageID(rawValue: "root@id")]
            },
        ])
        var suggested: [String: [ContactID]] = [:]
        for item in try fixture.archive.reviewItems() {
            suggested[item.subject ?? ""] = item.suggestions.map(\.contact)
        }
        #expect(suggested == ["Domain": [boris], "Public": [], "Name": [maria], "Reply": [thread]])
    }
}
