import MailModel
import Matcher
import Testing

/// Of whom leads are made, as far as the mail itself says.
@Suite struct LeadCreationTests {
    private func facts(
        _ address: String = "ivan@klient.example", _ direction: Direction = .incoming,
        kind: ReviewKind = .unknown,
        change: (inout LeadFacts) -> Void = { _ in }
    ) throws -> LeadFacts {
        let address = try #require(EmailAddress(address))
        let participant = Participant(
            role: direction == .incoming ? .from : .to, mailbox: Mailbox(address: address))
        let subject = ReviewSubject(
            participant: participant, canonical: CanonicalAddress(address), kind: kind)
        var facts = LeadFacts(
            direction: direction, isPersonal: true, subject: subject, companions: 1, senderCheck: nil,
            isFromSentFolder: direction == .outgoing)
        change(&facts)
        return facts
    }

    private func reason(
        _ creation: LeadCreation, _ facts: LeadFacts, wasWrittenTo: Bool = false
    ) -> LeadReason? {
        creation.reason(for: facts) { wasWrittenTo }
    }

    @Test(arguments: [
        "noreply@klient.example", "no-reply@klient.example", "No.Reply+17@klient.example",
        "do_not_reply@klient.example", "sales-noreply@klient.example", "mailer-daemon@klient.example",
        "MAILER-DAEMON@klient.example", "postmaster@klient.example", "bounces+17-abc@klient.example",
        "bounce-17@klient.example", "notifications@klient.example", "news-unsubscribe@lists.example",
        "team-request@lists.example", "prvs=17ab=ivan@klient.example", "anna=firma.example@klient.example",
        "c8f1a9d2e4b7456a90de1b2c3f4a5b6c@klient.example", "reply+ab12@klient.example", "ivan@localhost",
    ])
    func `nobody reads there, so nobody is made a lead`(_ address: String) throws {
        for creation in LeadCreation.allCases {
            #expect(reason(creation, try facts(address), wasWrittenTo: true) == nil)
            #expect(reason(creation, try facts(address, .outgoing)) == nil)
        }
    }

    @Test(arguments: [
        "ivan.petrov@klient.example", "info@klient.example", "sales@klient.example",
        "robotov@klient.example", "botkin@klient.example", "daria.rootova2026@klient.example",
        "ольга@пример.рф", "79161234567@mail.ru",
    ])
    func `people's addresses are people's`(_ address: String) throws {
        #expect(reason(.personal, try facts(address)) == .sender)
    }

    @Test func `only what the administrator wants is made`() throws {
        #expect(reason(.off, try facts(), wasWrittenTo: true) == nil)
        #expect(reason(.correspondents, try facts()) == nil)
        #expect(reason(.correspondents, try facts(), wasWrittenTo: true) == .correspondent)
        #expect(reason(.correspondents, try facts("a@b.example", .outgoing)) == .correspondent)
        #expect(reason(.personal, try facts()) == .sender)
        #expect(reason(.personal, try facts(), wasWrittenTo: true) == .correspondent)
    }

    @Test func `no program's mail, list or report makes a lead`() throws {
        #expect(reason(.personal, try facts { $0.isPersonal = false }, wasWrittenTo: true) == nil)
    }

    @Test(arguments: ReviewKind.allCases.filter { $0 != .unknown })
    func `what waits for another reason goes on waiting`(_ kind: ReviewKind) throws {
        #expect(reason(.personal, try facts(kind: kind), wasWrittenTo: true) == nil)
    }

    @Test func `a sender whom the domain disowns is no lead`() throws {
        #expect(reason(.personal, try facts { $0.senderCheck = .failed }, wasWrittenTo: true) == nil)
        #expect(reason(.personal, try facts { $0.senderCheck = .unknown }) == .sender)
    }

    @Test func `one of several authors is no lead, nor is who stands in another field`() throws {
        #expect(reason(.personal, try facts { $0.companions = 2 }) == nil)
        #expect(reason(.personal, try facts { $0.subject.participant?.role = .replyTo }) == nil)
        #expect(reason(.personal, try facts { $0.subject.participant = nil }) == nil)
    }

    @Test(arguments: [
        ("maria@client.example", false), ("Maria <maria@client.example>", false),
        ("ivan@klient.example", true),
        ("'Ivan@Klient.example'", true), ("Ivan", true),
    ])
    func `who shows another address as the name is no lead`(_ name: String, _ isLead: Bool) throws {
        let facts = try facts { $0.subject.participant?.mailbox.displayName = name }
        #expect((reason(.personal, facts) != nil) == isLead)
    }

    @Test func `mail that says it is ours and lies in no Sent folder proves nothing`() throws {
        #expect(reason(.personal, try facts("a@b.example", .outgoing) { $0.isFromSentFolder = false }) == nil)
    }

    @Test func `a mailing makes no leads of its recipients`() throws {
        #expect(
            reason(.personal, try facts("a@b.example", .outgoing) { $0.companions = 10 }) == .correspondent)
        #expect(reason(.personal, try facts("a@b.example", .outgoing) { $0.companions = 11 }) == nil)
    }
}
