import MailModel
import Matcher
import Testing

@testable import Archive

/// Each decision about a message stands there with the facts that it was made from.
@Suite struct ExplanationTests {
    private func decision(
        _ about: String, of message: ArchivedMessageID, in archive: Archive
    ) throws -> Explanation.Decision {
        try #require(try archive.explanation(of: message).decisions.first { $0.about == about })
    }

    private func onlyMessage(_ archive: Archive, _ text: String) throws -> ArchivedMessageID {
        try #require(try archive.messages(withID: MessageID(rawValue: "\(text)@client.example")).first)
    }

    @Test func `the way of a message is told with whose addresses made it so`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([
            fixture.arrival(1, text: "In"),
            fixture.arrival(2, from: "anna@firma.example", to: ["maria@client.example"], text: "Out"),
            fixture.arrival(3, from: "anna@firma.example", to: ["anna@firma.example"], text: "Internal"),
            fixture.arrival(4, from: nil, text: "Nobody"),
        ])
        for (text, direction, because) in [
            ("In", "incoming", "nobody in From is of the company: maria@client.example"),
            (
                "Out", "outgoing",
                "anna@firma.example in From is of the company, and it went to maria@client.example"
            ),
            (
                "Internal", "internal",
                "anna@firma.example in From is of the company, and so is everybody it went to"
            ), ("Nobody", "incoming", "it names no author, and what is not ours is incoming"),
        ] {
            let found = try decision("direction", of: onlyMessage(fixture.archive, text), in: fixture.archive)
            #expect(found.outcome == direction && found.because == [because])
        }
        // The mailbox has another address since: what is archived keeps its direction, what is undecided follows.
        try fixture.contact("Maria", "maria@client.example")
        var settings = try fixture.archive.account(fixture.account).settings
        settings.email = EmailAddress("other@firma.example")!
        try fixture.archive.editAccount(fixture.account, settings)
        try fixture.archive.editUser(
            try fixture.archive.user(named: "anna").id, displayName: nil, email: nil)
        let moved = try decision("direction", of: onlyMessage(fixture.archive, "Out"), in: fixture.archive)
        #expect(moved.outcome == "outgoing" && moved.because.count == 2)
        let followed = try decision(
            "direction", of: onlyMessage(fixture.archive, "Internal"), in: fixture.archive)
        #expect(followed.outcome == "incoming" && followed.because.count == 1)
    }

    @Test func `an address is told in the form in which it is compared, and whose it is`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "mariapetrova@gmail.com")
        try fixture.archive.addRule(RulePattern(stored: "shop.example"), by: "anna")
        _ = try fixture.archive.ingest([
            fixture.arrival(
                1, from: "Maria.Petrova+crm@googlemail.com", to: ["anna@firma.example", "news@shop.example"],
                text: "One")
        ])
        let message = try #require(try fixture.archive.history(of: maria).first).message
        let from = try decision(
            "from maria.petrova+crm@googlemail.com", of: message, in: fixture.archive)
        #expect(from.outcome == "of Maria (\(maria))")
        let words = from.because.joined(separator: "\n")
        for part in [
            "compared as mariapetrova@gmail.com", "+crm is a tag at googlemail.com", "dots say nothing",
            "googlemail.com and gmail.com are one mailbox",
        ] {
            #expect(words.contains(part), "\(part)")
        }
        let own = try decision("to anna@firma.example", of: message, in: fixture.archive)
        #expect(own.outcome == "of the company")
        let news = try decision("to news@shop.example", of: message, in: fixture.archive)
        #expect(news.outcome == "of nobody" && news.because == ["the rule for shop.example covers it"])
        let today = try decision("matching today", of: message, in: fixture.archive)
        #expect(today.outcome == "linked to Maria (\(maria))")
    }

    @Test(arguments: MatchPolicy.Threads.allCases)
    func `a reference is told with whether we sent what it names, and what the setting makes of it`(
        threads: MatchPolicy.Threads
    ) throws {
        let fixture = try ArchiveFixture()
        var policy = MatchPolicy()
        policy.threads = threads
        let archive = try fixture.reopened(matching: policy)
        let maria = try fixture.contact("Maria", "maria@client.example")
        _ = try archive.ingest([
            fixture.arrival(
                1, from: "anna@firma.example", to: ["maria@client.example"], messageID: "offer@firma.example",
                text: "Offer", folder: fixture.sent),
            fixture.arrival(2, text: "Theirs"),
            fixture.arrival(3, from: "stranger@else.example", text: "Answer") {
                $0.inReplyTo = [MessageID(rawValue: "offer@firma.example")]
                $0.references = [
                    MessageID(rawValue: "gone@x.example"), MessageID(rawValue: "Theirs@client.example"),
                ]
            },
        ])
        let message = try onlyMessage(archive, "Answer")
        let ours = try decision("reference <offer@firma.example>", of: message, in: archive)
        #expect(ours.outcome.hasSuffix("which we sent"))
        #expect(ours.because.first == "it leads to Maria (\(maria))")
        #expect(ours.because.last?.contains("\"\(threads.rawValue)\"") == true)
        let theirs = try decision("reference <Theirs@client.example>", of: message, in: archive)
        #expect(theirs.outcome.hasSuffix("which we did not send"))
        #expect(theirs.because.last?.contains("only suggests") == true)
        let gone = try decision("reference <gone@x.example>", of: message, in: archive)
        #expect(gone.outcome == "no message that is here" && gone.because.isEmpty)
        // What the link says, and why-not, is the same.
        let absence = try archive.absence(of: message, from: maria)
        #expect(absence.isLinked == (threads == .link))
        if threads == .link {
            let offer = try onlyMessageID(archive, "offer@firma.example")
            #expect(absence.reasons == ["stranger@else.example answers message \(offer), which we sent"])
        } else {
            #expect(absence.reasons.contains { $0.contains("a reference only suggests") })
        }
    }

    private func onlyMessageID(_ archive: Archive, _ id: String) throws -> ArchivedMessageID {
        try #require(try archive.messages(withID: MessageID(rawValue: id)).first)
    }

    @Test func `an answer to what the outbox has sent says so`() throws {
        let fixture = try ArchiveFixture()
        var policy = MatchPolicy()
        policy.threads = .link
        let archive = try fixture.reopened(matching: policy)
        let maria = try fixture.contact("Maria", "maria@client.example")
        let item = try DeliveryReportTests.sent(fixture)
        _ = try archive.ingest([
            fixture.arrival(1, from: "stranger@else.example", text: "Answer") {
                $0.inReplyTo = [MessageID(rawValue: "m1@firma.example")]
            }
        ])
        let entry = try #require(try archive.history(of: maria).first)
        #expect(entry.reason == "stranger@else.example answers mail that we sent")
        let found = try decision("reference <m1@firma.example>", of: entry.message, in: archive)
        #expect(found.outcome == "mail \(item) of the outbox, which is in no history yet")
    }

    @Test func `a sender's check and a look-alike are told`() throws {
        let fixture = try ArchiveFixture()
        try fixture.contact("Maria", "maria@client-firm.example")
        var policy = MatchPolicy()
        policy.authorities = AuthorityNames(["mx.firma.example"])
        policy.unverified = .review
        let archive = try fixture.reopened(matching: policy)
        _ = try archive.ingest([
            fixture.arrival(1, from: "maria@c1ient-firm.example", text: "Alike"),
            fixture.arrival(2, from: "maria@client-firm.example", text: "Forged") {
                $0.authenticationResults = ["mx.firma.example; dmarc=fail header.from=client-firm.example"]
            },
        ])
        let alike = try onlyMessage(archive, "Alike")
        #expect(
            try decision("look-alike", of: alike, in: archive).outcome
                == "it looks like maria@client-firm.example")
        #expect(try decision("sender", of: alike, in: archive).outcome == "unknown")
        let forged = try decision("sender", of: onlyMessage(archive, "Forged"), in: archive)
        #expect(forged.outcome == "failed")
        #expect(forged.because.first?.contains("dmarc=fail") == true)
        #expect(
            forged.because.last
                == "mail of a contact or a user whose domain did not send it waits for a person"
        )
    }
}
