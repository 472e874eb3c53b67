import MailModel
import Matcher
import Testing

@Suite struct MatcherTests {
    private let maria = ContactID(rawValue: 1)
    private let boris = ContactID(rawValue: 2)
    private let rule = IgnoreRuleID(rawValue: 9)

    private func match(
        _ participants: [(ParticipantRole, String)], report: Bool = false
    ) throws -> MatchResult {
        let facts = MatchFacts(
            participants: try participants.map {
                Participant(role: $0.0, mailbox: Mailbox(address: try #require(EmailAddress($0.1))))
            }, isDeliveryReport: report)
        return Matcher.match(facts) { canonical in
            switch canonical.rawValue {
            case "anna@firma.example", "otto@firma.example": AddressStanding(isOwn: true)
            case "maria@client.example": AddressStanding(contacts: [maria])
            case "boris@client.example": AddressStanding(contacts: [boris])
            case "office@client.example": AddressStanding(contacts: [maria, boris])
            case "news@shop.example": AddressStanding(ignoredBy: rule)
            default: .unknown
            }
        }
    }

    private func reviewReason(_ result: MatchResult) -> String? {
        guard case .review(let subject) = result.verdict else { return nil }
        return subject.reason
    }

    private func contacts(_ result: MatchResult) -> [ContactID]? {
        guard case .linked(let matched) = result.verdict else { return nil }
        return matched.map(\.contact)
    }

    @Test func `mail without a readable address waits, and says why`() throws {
        let result = try match([])
        #expect(reviewReason(result) == "No address could be read")
        #expect(result.direction == .incoming)
    }

    @Test func `own mail to nobody is not internal`() throws {
        let result = try match([(.from, "anna@firma.example")])
        #expect(result.direction == .outgoing)
        #expect(reviewReason(result) == "No address could be read")
    }

    @Test func `a delivery report is not linked through its addresses`() throws {
        let result = try match([(.from, "maria@client.example"), (.to, "anna@firma.example")], report: true)
        #expect(reviewReason(result) == "No matching contacts for maria@client.example")
    }

    @Test func `a stranger's mail waits under the sender, in lower case`() throws {
        let result = try match([(.from, "Stranger@Else.Example"), (.to, "anna@firma.example")])
        #expect(reviewReason(result) == "No matching contacts for stranger@else.example")
    }

    @Test func `the other recipients of a stranger's mail are not asked about`() throws {
        let result = try match([(.to, "other@else.example"), (.cc, "third@else.example")])
        #expect(reviewReason(result) == "No address could be read")
    }

    @Test func `mail to strangers waits under the first unknown recipient`() throws {
        let result = try match([
            (.from, "anna@firma.example"), (.cc, "copy@else.example"), (.to, "otto@firma.example"),
            (.to, "first@else.example"), (.to, "second@else.example"),
        ])
        #expect(result.direction == .outgoing)
        #expect(reviewReason(result) == "No matching contacts for first@else.example")
    }

    @Test func `colleagues among themselves are internal`() throws {
        let result = try match([(.from, "anna@firma.example"), (.to, "otto@firma.example")])
        #expect(result == MatchResult(direction: .internal, verdict: .internal))
    }

    @Test func `a reply address that is a contact links internal mail`() throws {
        let result = try match([
            (.from, "anna@firma.example"), (.to, "otto@firma.example"), (.replyTo, "maria@client.example"),
        ])
        #expect(result.direction == .internal)
        #expect(contacts(result) == [maria])
    }

    @Test func `all contacts that take part are linked, each once, in the weightiest role`() throws {
        let result = try match([
            (.from, "anna@firma.example"), (.to, "boris@client.example"), (.cc, "maria@client.example"),
            (.bcc, "boris@client.example"), (.to, "stranger@else.example"),
        ])
        guard case .linked(let matched) = result.verdict else {
            Issue.record("not linked")
            return
        }
        #expect(matched.map(\.contact) == [boris, maria])
        #expect(matched.map(\.role) == [.to, .cc])
    }

    @Test func `two contacts that share an address are both linked`() throws {
        #expect(try contacts(match([(.from, "office@client.example")])) == [maria, boris])
    }

    @Test func `an ignored sender is ignored, but not when a contact takes part`() throws {
        #expect(try match([(.from, "news@shop.example")]).verdict == .ignored(rule))
        let withContact = try match([(.from, "news@shop.example"), (.cc, "maria@client.example")])
        #expect(contacts(withContact) == [maria])
    }

    @Test func `an ignored recipient does not hide another stranger`() throws {
        let result = try match([
            (.from, "anna@firma.example"), (.to, "news@shop.example"), (.to, "stranger@else.example"),
        ])
        #expect(reviewReason(result) == "No matching contacts for stranger@else.example")
    }
}
