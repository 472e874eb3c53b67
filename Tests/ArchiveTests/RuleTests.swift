import MailModel
import Matcher
import Testing

@testable import Archive

@Suite struct RuleTests {
    @Test func `an item is ignored by the rule that covers it, though it would not wait by its address`()
        throws
    {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        _ = try fixture.archive.ingest([fixture.arrival(1, text: "One"), fixture.arrival(2, text: "Two")])
        let message = try #require(try fixture.archive.history(of: maria).first).message
        // It waits, and the matcher would say that it is Maria's.
        try fixture.archive.unlink(message, from: maria, by: "anna")
        let outcome = try fixture.archive.ignore(
            .address(EmailAddress("maria@client.example")!), .domain, by: "anna")
        #expect(outcome.closed.count == 1)
        #expect(try fixture.archive.message(message).ignoredBy == "client.example")
        #expect(try fixture.archive.historyCount(of: maria) == 1)
        #expect(try fixture.archive.verify().findings == [])
        // Without the rule it waits again: it is in no history, and nobody has ignored it.
        let rule = try #require(try fixture.archive.ignoreRules().first)
        let changes = try fixture.archive.removeRule(rule.id, by: "anna")
        #expect(changes.map(\.message) == [message] && changes.map(\.to) == [.review])
        #expect(try fixture.archive.reviewItems().map(\.message) == [message])
        #expect(try fixture.archive.historyCount(of: maria) == 1)
        #expect(try fixture.archive.verify().findings == [])
    }

    private let news = EmailAddress("news@shop.example")!

    private func shop() throws -> ArchiveFixture {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([
            fixture.arrival(1, from: "news@shop.example", text: "One"),
            fixture.arrival(2, from: "news@shop.example", text: "Two"),
            fixture.arrival(3, from: "sales@shop.example", text: "Three"),
            fixture.arrival(4, from: "other@else.example", text: "Four"),
        ])
        return fixture
    }

    @Test(arguments: ["gmail.com", "@Yandex.ru", "shop", "not an address@", "", "a@"])
    func `what is neither an address nor a company's domain is no pattern`(text: String) {
        #expect(throws: MailFailure.self) { try RulePattern(text) }
    }

    @Test func `a pattern is kept in the form in which addresses are compared`() throws {
        #expect(try RulePattern("News@Shop.Example.").text == "news@shop.example")
        #expect(try RulePattern("@Shop.EXAMPLE").text == "shop.example")
        #expect(try RulePattern("a.b+tag@gmail.com").text == "ab@gmail.com")
    }

    @Test func `an item that is named with a rule is ignored by that rule`() throws {
        let fixture = try shop()
        let item = try #require(try fixture.archive.reviewItems().first { $0.subject == "One" })
        let outcome = try fixture.archive.ignore(.items([item.id]), .address, by: "anna")
        #expect(outcome.closed == [item.id])
        #expect(outcome.changes.compactMap(\.subject) == ["Two"])
        #expect(try fixture.archive.message(item.message).ignoredBy == "news@shop.example")
        #expect(try fixture.archive.ignoreRules().map(\.ignored) == [2])
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a dry run says what a rule covers and changes nothing`() throws {
        let fixture = try shop()
        let before = try fixture.dump()
        let changes = try fixture.archive.tryRules(.add([RulePattern("shop.example")]))
        #expect(Set(changes.compactMap(\.subject)) == ["One", "Two", "Three"])
        #expect(changes.allSatisfy { $0.from == .review && $0.to == .ignored })
        #expect(try fixture.archive.tryIgnoring(.address(news), .address).changes.count == 2)
        #expect(try fixture.dump() == before)
    }

    @Test func `removing a rule lets its mail wait again, or stand with who is known by now`() throws {
        let fixture = try shop()
        let (rule, added) = try fixture.archive.addRule(RulePattern("shop.example"), by: "anna")
        #expect(added.count == 3)
        let contact = try fixture.contact("Sales", "sales@shop.example")
        #expect(try fixture.archive.historyCount(of: contact) == 0)
        let changes = try fixture.archive.removeRule(rule, by: "anna")
        #expect(changes.filter { $0.to == .review }.count == 2)
        #expect(changes.filter { $0.to == .archived }.map(\.subject) == ["Three"])
        #expect(try fixture.archive.historyCount(of: contact) == 1)
        #expect(try fixture.archive.openReviewCount() == 3)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `an edited rule lets go and takes in one step`() throws {
        let fixture = try shop()
        let (rule, _) = try fixture.archive.addRule(RulePattern("shop.example"), by: "anna")
        let changes = try fixture.archive.editRule(rule, RulePattern("else.example"), by: "anna")
        #expect(changes.filter { $0.to == .review }.count == 3)
        #expect(changes.filter { $0.to == .ignored }.map(\.subject) == ["Four"])
        #expect(throws: MailFailure.self) {
            try fixture.archive.addRule(RulePattern("else.example"), by: "anna")
        }
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `mail to several strangers waits under the next one when a rule takes the first`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([
            fixture.arrival(
                1, from: "anna@firma.example", to: ["a@one.example", "b@two.example"], folder: fixture.sent)
        ])
        #expect(try fixture.archive.reviewItems().map(\.address) == ["a@one.example"])
        try fixture.archive.addRule(RulePattern("a@one.example"), by: "anna")
        #expect(try fixture.archive.reviewItems().map(\.address) == ["b@two.example"])
        try fixture.archive.addRule(RulePattern("two.example"), by: "anna")
        #expect(try fixture.archive.openReviewCount() == 0)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a rule takes the right to review everything`() throws {
        let fixture = try shop()
        let anna = fixture.archive.seen(by: try fixture.archive.viewer(named: "anna"))
        #expect(throws: MailFailure.self) { try anna.addRule(RulePattern("shop.example"), by: "anna") }
        #expect(throws: MailFailure.self) { try anna.tryRules(.add([RulePattern("shop.example")])) }
        #expect(try anna.ignoreRules() == [])
    }
}
