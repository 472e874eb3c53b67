import MailModel
import Matcher
import Testing

@testable import Archive

/// What comes back about mail that was sent, and what must not count as that.
@Suite struct DeliveryReportTests {
    /// A mail that the server has taken.
    static func sent(
        _ fixture: ArchiveFixture, _ number: Int = 1, to: [String] = ["maria@client.example"],
        as state: OutboxRecipientState = .sent
    ) throws -> OutboxID {
        let id = try fixture.archive.queueMail(
            OutboxTests.draft(fixture, number, to: to) { $0.envelopeID = "mw-envelope-\(number)" }
        ).item
        let claim = try #require(try OutboxTests.claimAll(fixture.archive, fixture).first { $0.id == id })
        _ = try fixture.archive.noteOutbox([.begins(id, recipients: claim.recipients.map(\.position))])
        _ = try fixture.archive.noteOutbox([OutboxTests.ending(claim, state, now: fixture.clock.now)])
        return id
    }

    static func report(
        envelope: String? = nil, messageIDs: [String] = [], about: [String] = ["maria@client.example"],
        action: String = "failed", failure: ReturnedReport.Failure? = .hard, status: String? = "5.1.1"
    ) -> ReturnedReport {
        ReturnedReport(
            envelopeID: envelope, messageIDs: messageIDs.map { MessageID(rawValue: $0) },
            recipients: about.map {
                ReturnedReport.Recipient(
                    addresses: [EmailAddress($0)!], action: action, failure: failure, status: status,
                    diagnostic: "550 5.1.1 no such user")
            })
    }

    @discardableResult
    static func arrives(
        _ fixture: ArchiveFixture, _ uid: UInt32, _ report: ReturnedReport,
        from author: String = "mailer-daemon@mx.example", results: [String] = []
    ) throws -> IngestOutcome {
        let arrival = fixture.arrival(uid, from: author, text: "report \(uid)") {
            $0.authenticationResults = results
            $0.isDeliveryReport = true
            $0.category = .report
            $0.date = fixture.clock.now
            $0.returned = report
        }
        var now = arrival
        now.internalDate = fixture.clock.now
        return try fixture.archive.ingest([now])[0]
    }

    private static func isReview(_ outcome: IngestOutcome) -> Bool {
        if case .review = outcome { true } else { false }
    }

    // MARK: - Forged

    @Test func aReportThatNamesNoMailOfOursDoesNothing() throws {
        let fixture = try ArchiveFixture()
        let id = try Self.sent(fixture)
        for (uid, forged) in [
            Self.report(), Self.report(envelope: "mw-other"),
            Self.report(messageIDs: ["m1@elsewhere.example"]),
            Self.report(messageIDs: ["m2@firma.example", "x@y"]),
        ].enumerated() {
            #expect(Self.isReview(try Self.arrives(fixture, UInt32(uid + 1), forged)))
        }
        #expect(try fixture.archive.outboxItem(id).recipients[0].reports.isEmpty)
        #expect(try fixture.archive.suppressions().isEmpty)
    }

    @Test func aReportOnSomebodyWeNeverWroteToDoesNothing() throws {
        let fixture = try ArchiveFixture()
        let id = try Self.sent(fixture)
        let waiting = try fixture.archive.queueMail(
            OutboxTests.draft(fixture, 9, to: ["later@client.example"]) { $0.envelopeID = "mw-waiting" }
        ).item
        let forged = Self.report(messageIDs: ["m1@firma.example"], about: ["boris@client.example"])
        #expect(Self.isReview(try Self.arrives(fixture, 1, forged)))
        let early = Self.report(envelope: "mw-waiting", about: ["later@client.example"])
        #expect(Self.isReview(try Self.arrives(fixture, 2, early)))
        #expect(try fixture.archive.outboxItem(id).recipients[0].reports.isEmpty)
        #expect(try fixture.archive.outboxItem(waiting).recipients[0].reports.isEmpty)
    }

    @Test func anEnvelopeAndAMessageOfDifferentMailsContradictEachOther() throws {
        let fixture = try ArchiveFixture()
        _ = try Self.sent(fixture, 1)
        _ = try Self.sent(fixture, 2)
        let odd = Self.report(envelope: "mw-envelope-1", messageIDs: ["m2@firma.example"])
        #expect(Self.isReview(try Self.arrives(fixture, 1, odd)))
    }

    // MARK: - Genuine

    @Test(arguments: [
        report(envelope: "mw-envelope-1"), report(messageIDs: ["m1@firma.example"]),
        report(envelope: "mw-envelope-1", messageIDs: ["m1@firma.example"]),
        report(messageIDs: ["unknown@x.example", "M1@Firma.example"]),
        report(envelope: "mw-envelope-1", about: ["MARIA@Client.example"]),
    ])
    func aReportAttachesToTheMailAndItsRecipient(report: ReturnedReport) throws {
        let fixture = try ArchiveFixture()
        try fixture.contact("Maria", "maria@client.example")
        let id = try Self.sent(fixture, to: ["boris@client.example", "maria@client.example"])
        guard case .linked(let message, contacts: let contacts) = try Self.arrives(fixture, 1, report) else {
            Issue.record("the report waits")
            return
        }
        // Never in the history of the person whom it quotes, and in nobody's way.
        #expect(contacts.isEmpty)
        #expect(try fixture.archive.reviewItems().isEmpty)
        let recipients = try fixture.archive.outboxItem(id).recipients
        #expect(recipients[0].reports.isEmpty)
        let told = try #require(recipients[1].reports.first)
        #expect(told.message == message && told.failure == "hard" && told.status == "5.1.1")
        #expect(recipients[1].state == .sent)
        #expect(try fixture.archive.message(message).reportsOn.map(\.address) == ["maria@client.example"])
        #expect(try fixture.archive.verify().findings.isEmpty)
    }

    @Test func theMailShowsInItsHistoryWhatCameBack() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let id = try Self.sent(fixture)
        let copy = fixture.arrival(
            1, from: "anna@firma.example", to: ["maria@client.example"], text: "offer", folder: fixture.sent)
        guard case .linked(let mail, _) = try fixture.archive.ingest([copy])[0] else {
            Issue.record("not in the history")
            return
        }
        try fixture.archive.noteFiled([(item: id, message: mail)])
        try Self.arrives(
            fixture, 2, Self.report(envelope: "mw-envelope-1", failure: .soft, status: "4.2.2"))
        let entries = try fixture.archive.history(of: maria)
        #expect(entries.map(\.message) == [mail])
        #expect(entries[0].returned.map(\.failure) == ["soft"])
        #expect(try fixture.archive.message(mail).returned.map(\.status) == ["4.2.2"])
    }

    @Test func theSameReportInTwoMailboxesCountsOnce() throws {
        let fixture = try ArchiveFixture()
        let id = try Self.sent(fixture)
        let report = Self.report(envelope: "mw-envelope-1")
        try Self.arrives(fixture, 1, report)
        var again = fixture.arrival(
            7, from: "mailer-daemon@mx.example", text: "report 1", transport: "Received: x\r\n"
        ) {
            $0.isDeliveryReport = true
            $0.returned = report
        }
        again.folder = fixture.sent
        _ = try fixture.archive.ingest([again])
        #expect(try fixture.archive.outboxItem(id).recipients[0].reports.count == 1)
    }

    @Test func aReportSettlesAnUncertainMail() throws {
        let fixture = try ArchiveFixture()
        let id = try Self.sent(fixture, as: .uncertain)
        #expect(try fixture.archive.outboxItem(id).state == .uncertain)
        try Self.arrives(
            fixture, 1,
            Self.report(envelope: "mw-envelope-1", action: "delivered", failure: nil, status: "2.0.0"))
        let item = try fixture.archive.outboxItem(id)
        #expect(item.state == .sent)
        #expect(item.replies.last?.text.contains("report") == true)
    }

    // MARK: - Suppression

    /// Two reports on two mails by their Message-IDs alone.
    private static func suppressed(
        to recipients: [String], from author: String = "mailer-daemon@mx.example", results: [String] = [],
        beforehand: (ArchiveFixture) throws -> Void = { _ in }
    ) throws -> (addresses: [String], fixture: ArchiveFixture) {
        var policy = MatchPolicy()
        policy.authorities = AuthorityNames(["mx.firma.example"])
        let fixture = try ArchiveFixture(matching: policy)
        for number in 1...2 { _ = try Self.sent(fixture, number, to: recipients) }
        try beforehand(fixture)
        for number in 1...2 {
            try arrives(
                fixture, UInt32(number), report(messageIDs: ["m\(number)@firma.example"]), from: author,
                results: results)
        }
        return (try fixture.archive.suppressions().map(\.address), fixture)
    }

    @Test func oneRecipientCannotHaveAnotherOneSuppressed() throws {
        let people = ["maria@client.example", "mallory@evil.example"]
        for author in ["mallory@evil.example", "mailer-daemon@firma.example"] {
            let (addresses, fixture) = try Self.suppressed(to: people, from: author)
            #expect(addresses.isEmpty)
            let told = try fixture.archive.outboxItems().map { $0.recipients[0].reports.map(\.isVouched) }
            #expect(told == [[false], [false]])
        }
        // A server that is known vouches for its own daemon, and for nobody else's.
        let results = { (domain: String) in ["mx.firma.example; dkim=pass header.d=\(domain)"] }
        #expect(
            try Self.suppressed(
                to: people, from: "mailer-daemon@evil.example", results: results("evil.example")
            ).addresses.isEmpty)
        #expect(
            try Self.suppressed(
                to: people, from: "boris@firma.example", results: results("firma.example")
            ).addresses.isEmpty)
        #expect(
            try Self.suppressed(
                to: people, from: "Mailer-Daemon@firma.example", results: results("firma.example")
            ).addresses == ["maria@client.example"])
    }

    @Test func aMailToOneIsReportedOnByNobodyElseUnlessSomebodyElseHasSeenIt() throws {
        let maria = ["maria@client.example"]
        #expect(try Self.suppressed(to: maria).addresses == maria)
        // She has answered with a copy to somebody.
        let (addresses, _) = try Self.suppressed(to: maria) { fixture in
            for number in 1...2 {
                let answer = fixture.arrival(
                    UInt32(10 + number), to: ["anna@firma.example", "mallory@evil.example"],
                    text: "answer \(number)"
                ) {
                    $0.inReplyTo = [MessageID(rawValue: "m\(number)@firma.example")]
                }
                _ = try fixture.archive.ingest([answer])
            }
        }
        #expect(addresses.isEmpty)
    }

    @Test func oneHardBounceSuppressesNobody() throws {
        let fixture = try ArchiveFixture()
        _ = try Self.sent(fixture)
        // However often it is said.
        for uid in 1...3 { try Self.arrives(fixture, UInt32(uid), Self.report(envelope: "mw-envelope-1")) }
        #expect(try fixture.archive.suppressions().isEmpty)
    }

    @Test(arguments: [
        (ReturnedReport.Failure.soft, "4.2.2"), (.hard, "5.7.1"), (.hard, "5.6.0"), (.hard, "5.3.4"),
        (.soft, "5.2.2"), (.hard, "5.1.8"),
    ])
    func whatSaysNothingAboutTheAddressSuppressesNobody(
        failure: ReturnedReport.Failure, status: String
    ) throws {
        let fixture = try ArchiveFixture()
        for number in 1...3 {
            _ = try Self.sent(fixture, number)
            try Self.arrives(
                fixture, UInt32(number),
                Self.report(envelope: "mw-envelope-\(number)", failure: failure, status: status))
        }
        #expect(try fixture.archive.suppressions().isEmpty)
    }

    @Test func repeatedHardBouncesSuppressTheAddressWithEvidenceForATime() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        for number in 1...2 {
            let id = try Self.sent(fixture, number)
            try Self.arrives(fixture, UInt32(number), Self.report(envelope: "mw-envelope-\(number)"))
            #expect(try fixture.archive.suppressions().count == number - 1)
            if number == 2 {
                #expect(try fixture.archive.suppressions()[0].evidence.contains("\(id)"))
            }
        }
        let found = try #require(try fixture.archive.suppressions().first)
        #expect(found.reason == .hardBounces && found.address == "maria@client.example")
        #expect(found.expiresAt == fixture.clock.now.advanced(bySeconds: 90 * 86_400))
        // It says nothing about her wishes.
        #expect(try fixture.archive.contact(maria).doNotEmail == false)
        fixture.clock.advance(90 * 86_400 + 1)
        #expect(try fixture.archive.suppressions().isEmpty)
    }

    @Test func bouncesLongAgoDoNotCount() throws {
        let fixture = try ArchiveFixture()
        for number in 1...2 {
            if number == 2 { fixture.clock.advance(91 * 86_400) }
            _ = try Self.sent(fixture, number)
            try Self.arrives(fixture, UInt32(number), Self.report(envelope: "mw-envelope-\(number)"))
        }
        #expect(try fixture.archive.suppressions().isEmpty)
    }

    @Test func aPersonsSuppressionIsLeftAlone() throws {
        let fixture = try ArchiveFixture()
        try fixture.archive.suppress(
            EmailAddress("maria@client.example")!, reason: .person, evidence: "asked", until: nil, by: "anna")
        for number in 1...2 {
            _ = try Self.sent(fixture, number)
            try Self.arrives(fixture, UInt32(number), Self.report(envelope: "mw-envelope-\(number)"))
        }
        #expect(try fixture.archive.suppressions().map(\.reason) == [.person])
    }

    @Test func aServerThatKnowsNoSuchAddressCountsLikeABounce() throws {
        let fixture = try ArchiveFixture()
        for number in 1...2 {
            let id = try fixture.archive.queueMail(OutboxTests.draft(fixture, number)).item
            let claim = try #require(try OutboxTests.claimAll(fixture.archive, fixture).first { $0.id == id })
            var ending = OutboxEnding(item: id, attempt: claim.attempt, nextTry: fixture.clock.now)
            ending.outcomes = [0: .failed]
            ending.failure = MailFailure(.sendUncertain, kind: .permanent, "refused")
            ending.replies = [
                OutboxReplyRecord(
                    position: 0, stage: .rcpt, code: 550, status: "5.1.1", text: "550 5.1.1 no such user")
            ]
            #expect(try fixture.archive.noteOutbox([.ended(ending)]) == [true])
            #expect(try fixture.archive.suppressions().count == number - 1)
        }
    }
}
