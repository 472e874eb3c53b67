import MailModel
import Matcher
import Testing

@Suite struct SenderCheckTests {
    private let maria = Mailbox(address: EmailAddress("maria@klient.example")!)

    private func outcome(_ fields: String..., authorities: [String] = ["mx.firma.example"])
        -> SenderCheck.Outcome?
    {
        SenderCheck.read(fields, authorities: AuthorityNames(authorities), from: [maria])?.outcome
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

    @Test func `a field below another server's came with the message, whatever it calls itself`() {
        #expect(
            outcome(
                "relay.example; dkim=fail header.d=klient.example",
                "mx.firma.example; dmarc=pass header.from=klient.example") == .unknown)
        // Too long to be read: its place is taken all the same.
        #expect(outcome("", "mx.firma.example; dmarc=pass header.from=klient.example") == .unknown)
    }

    @Test func `names of servers are compared as a whole`() {
        let field = "mxfront3q.mail.yandex.net; dkim=pass header.i=@klient.example"
        #expect(outcome(field, authorities: ["*.mail.yandex.net"]) == .verified)
        #expect(outcome(field, authorities: ["*.MAIL.yandex.net"]) == .verified)
        #expect(outcome(field, authorities: ["mail.yandex.net"]) == .unknown)
        #expect(outcome("xmail.yandex.net; dmarc=pass", authorities: ["*.mail.yandex.net"]) == .unknown)
        #expect(outcome("mx.firma.example.evil.example; dmarc=pass") == .unknown)
        #expect(outcome("mx.firma.example evil; dmarc=pass") == .unknown)
    }

    @Test func `nobody is verified among several authors`() {
        let other = Mailbox(address: EmailAddress("eve@evil.example")!)
        for authors in [[], [maria, other], [other, maria], [maria, maria]] {
            let check = SenderCheck.read(
                ["mx.firma.example; dmarc=pass header.from=klient.example"],
                authorities: AuthorityNames(["mx.firma.example"]), from: authors)
            #expect(check?.outcome == .unknown)
        }
    }

    @Test func `a refusal counts among several authors, whichever of them was looked at`() {
        let other = Mailbox(address: EmailAddress("anna@firma.example")!)
        for authors in [[], [maria, other], [other, maria]] {
            let check = SenderCheck.read(
                ["mx.firma.example; dmarc=fail header.from=firma.example"],
                authorities: AuthorityNames(["mx.firma.example"]), from: authors)
            #expect(check?.outcome == .failed)
        }
    }

    @Test func `what stands in comments and quotations is no result`() {
        #expect(outcome("mx.firma.example; spf=none (; dmarc=pass header.from=klient.example) x") == .unknown)
        #expect(outcome(#"mx.firma.example; spf=none (\); dmarc=pass (nested \() ) x) y"#) == .unknown)
        #expect(
            outcome(#"mx.firma.example; spf=pass smtp.mailfrom="x; dmarc=pass "@evil.example"#) == .unknown)
        #expect(outcome(#"mx.firma.example; none reason="a \" ; dmarc=pass""#) == .unknown)
        // Neither a comment nor a quotation may swallow the rest, such as a refusal.
        #expect(outcome("mx.firma.example; dkim=pass header.d=klient.example; spf=none (open") == .unknown)
        #expect(outcome(#"mx.firma.example; dkim=pass header.d=klient.example; spf=none "open"#) == .unknown)
    }

    @Test func `two results of DMARC are one too many, and a refusal among them counts`() {
        #expect(
            outcome(
                "mx.firma.example; dmarc=none header.from=klient.example; dmarc=pass header.from=klient.example"
            )
                == .unknown)
        #expect(
            outcome(
                "mx.firma.example; dmarc=pass header.from=klient.example; dmarc=fail header.from=klient.example"
            )
                == .failed)
    }

    @Test func `versions that nobody knows say nothing`() {
        #expect(outcome("mx.firma.example 2; dmarc=pass header.from=klient.example") == .unknown)
        #expect(outcome("mx.firma.example 1; dmarc/2=pass header.from=klient.example") == .unknown)
        #expect(outcome("mx.firma.example 1; dmarc/1=pass header.from=klient.example") == .verified)
    }

    @Test func `blanks, folds and comments may stand between all parts`() {
        #expect(
            outcome(
                " MX.firma.example\r\n\t(our own) 1 ;\r\n dkim (signature) = pass\r\n header . d = klient.example"
                    + " header.b = CQwW8Kh3 ;\r\n spf = fail smtp.mailfrom=x@evil.example") == .verified)
        #expect(
            outcome(#"mx.firma.example; dkim=pass reason="" header.d=klient.example"#) == .verified)
        #expect(outcome("mx.firma.example; dkim=pass header.b=ab/c=d= header.d=klient.example") == .verified)
    }

    @Test func `large providers are read as they write`() {
        let google = """
            mx.google.com;\r
                   dkim=pass header.i=@klient.example header.s=s1 header.b=CQwW8Kh3;\r
                   spf=pass (google.com: domain of maria@klient.example designates 192.0.2.7 as permitted sender)\
             smtp.mailfrom=maria@klient.example;\r
                   dmarc=pass (p=QUARANTINE sp=NONE dis=NONE) header.from=klient.example
            """
        #expect(outcome(google, authorities: ["mx.google.com"]) == .verified)
        let yandex = """
            mail-nwsmtp-mxfront-production-main-60.iva.yp-c.yandex.net; spf=pass (x: domain of klient.example\
             designates 192.0.2.7 as permitted sender, rule=[ip4:192.0.2.0/24]) smtp.mail=maria@klient.example
            """
        #expect(outcome(yandex, authorities: ["*.yp-c.yandex.net"]) == .verified)
        let mailru = """
            mxs.mail.ru; spf=pass (mx1.mail.ru: domain of bounces.example designates 192.0.2.7 as permitted sender)\
             smtp.mailfrom=b@bounces.example smtp.helo=klient.example;\r
            \t dkim=pass header.d=klient.example; dmarc=pass header.from=maria@klient.example
            """
        #expect(outcome(mailru, authorities: ["mxs.mail.ru"]) == .verified)
    }

    @Test func `a host's greeting counts only where there is no sender to look at`() {
        #expect(
            outcome("mx.firma.example; spf=pass smtp.mailfrom=b@evil.example smtp.helo=klient.example")
                == .unknown)
    }

    @Test func `a name below the author's domain does not speak for it, the domain above does`() {
        #expect(outcome("mx.firma.example; dkim=pass header.d=shop.klient.example") == .unknown)
        let news = Mailbox(address: EmailAddress("a@news.klient.example")!)
        for (domain, expected) in [("klient.example", SenderCheck.Outcome.verified), ("example", .unknown)] {
            let check = SenderCheck.read(
                ["mx.firma.example; dkim=pass header.d=\(domain)"],
                authorities: AuthorityNames(["mx.firma.example"]), from: [news])
            #expect(check?.outcome == expected)
        }
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

    @Test func `a contact's forged address is linked, unless the administrator lets it wait`() {
        let known = KnownParticipant(
            participant: Participant(role: .from, mailbox: maria), canonical: CanonicalAddress(maria.address),
            standing: AddressStanding(contacts: [ContactID(rawValue: 1)]))
        let forged = MessageCircumstances(senderCheck: SenderCheck(outcome: .failed, facts: "dmarc=fail"))
        var policy = MatchPolicy()
        policy.unverified = .review
        guard case .review(let subject) = Matcher.match([known], forged, policy: policy).verdict else {
            Issue.record("linked")
            return
        }
        #expect(subject.kind == .unverified)
        #expect(subject.reason == "Unverified sender maria@klient.example: dmarc=fail")
        guard case .linked = Matcher.match([known], forged).verdict else {
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
