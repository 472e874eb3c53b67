import MailModel
import Matcher
import Testing

@Suite struct SenderCheckTests {
    private let maria = Mailbox(address: EmailAddress("maria@klient.example")!)

    private func outcome(_ fields: String..., authorities: Set<String> = ["mx.firma.example"])
        -> SenderCheck.Outcome?
    {
        SenderCheck.read(fields, authorities: authorities, from: [maria])?.outcome
    }

    @Test func `nobody is believed who is not configured`() {
        #expect(outcome("mx.firma.example; dmarc=pass", authorities: []) == nil)
        #expect(outcome("mx.attacker.example; dmarc=pass header.from=klient.example") == .unknown)
        #expect(outcome("(mx.firma.example;) mx.attacker.example; dmarc=pass") == .unknown)
    }

    @Test func `the topmost field of the authority counts, not one that came with the message`() {
        #expect(
            outcome(
                "mx.firma.example; dmarc=fail header.from=klient.example",
                "mx.firma.example; dmarc=pass header.from=klient.example") == .failed)
    }

    @Test func `a pass for another domain verifies nobody`() {
        #expect(outcome("mx.firma.example; dkim=pass header.d=attacker.example") == .unknown)
        #expect(outcome("mx.firma.example; dmarc=pass header.from=attacker.example") == .unknown)
    }

    @Test func `what the author's domain signed or sent is verified`() {
        #expect(outcome("MX.firma.example 1; dmarc=pass (p=none) header.from=klient.example") == .verified)
        #expect(outcome("mx.firma.example; spf=pass smtp.mailfrom=x@klient.example") == .verified)
        #expect(outcome("mx.firma.example; none") == .unknown)
    }

    @Test func `a contact's forged address waits, unless the administrator links it`() {
        let known = KnownParticipant(
            participant: Participant(role: .from, mailbox: maria), canonical: CanonicalAddress(maria.address),
            standing: AddressStanding(contacts: [ContactID(rawValue: 1)]))
        let forged = MessageCircumstances(senderCheck: SenderCheck(outcome: .failed, facts: "dmarc=fail"))
        guard case .review(let subject) = Matcher.match([known], forged).verdict else {
            Issue.record("linked")
            return
        }
        #expect(subject.kind == .unverified)
        #expect(subject.reason == "Unverified sender maria@klient.example: dmarc=fail")
        var policy = MatchPolicy()
        policy.unverified = .link
        guard case .linked = Matcher.match([known], forged, policy: policy).verdict else {
            Issue.record("not linked")
            return
        }
    }

    @Test func `a thread links by the administrator's word and one contact only`() {
        let known = KnownParticipant(
            participant: Participant(role: .from, mailbox: maria), canonical: CanonicalAddress(maria.address),
            standing: .unknown)
        func verdict(_ contacts: [Int64], _ threads: MatchPolicy.Threads) -> Verdict {
            var policy = MatchPolicy()
            policy.threads = threads
            let answered = AnsweredMessage(.message(9), contacts: contacts.map { ContactID(rawValue: $0) })
            return Matcher.match([known], MessageCircumstances(answered: answered), policy: policy).verdict
        }
        guard case .review = verdict([1], .suggest) else {
            Issue.record("linked by a reference")
            return
        }
        guard case .review(let several) = verdict([1, 2], .link) else {
            Issue.record("linked")
            return
        }
        #expect(several.kind == .ambiguous)
        guard case .linked(let contacts) = verdict([1], .link) else {
            Issue.record("not linked")
            return
        }
        #expect(contacts.map(\.answered) == [.message(9)])
    }
}
