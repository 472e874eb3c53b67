import Archive
import MailModel
import MailTestKit
import Testing

/// Two accounts that sign in to one mailbox, as two users have an office's: its provider counts them together.
@Suite struct SharedMailboxTests {
    /// - Returns: the second account.
    private static func mate(
        of fixture: SendFixture, change: (inout AccountSettings) -> Void = { _ in }
    ) throws -> AccountID {
        var settings = try fixture.archive.account(fixture.account).settings
        settings.name = "boris"
        settings.user = try fixture.archive.addUser(name: "boris", email: EmailAddress("boris@firma.example"))
        change(&settings)
        return try fixture.archive.addAccount(settings, secret: Secret("geheim"))
    }

    private static func queue(_ number: Int, _ account: AccountID, _ fixture: SendFixture) throws -> OutboxID
    {
        try fixture.archive.queueMail(
            OutboxDraft(
                account: account, requestedBy: "boris",
                messageID: MessageID(rawValue: "m\(number)@firma.example"),
                sender: EmailAddress(WorkerFixture.own),
                recipients: [.init(EmailAddress(WorkerFixture.client)!)],
                content: MessageBytes(Array("Subject: x\r\n\r\nText\r\n".utf8)),
                notBefore: fixture.clock.now)
        ).item
    }

    @Test func theProvidersBlockOfOneIsTheOthersToo() async throws {
        let server = try ScriptedSMTPServer([.mail: .reply("550 5.4.5 Daily user sending limit exceeded")])
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let mate = try Self.mate(of: fixture)
        let first = try await fixture.deliver(try await fixture.send("Hello"))
        #expect(first.state == .retry)
        let second = try await fixture.deliver(try Self.queue(2, mate, fixture))
        #expect(second.state == .queued && server.received.isEmpty)
        #expect(try fixture.archive.sendPause(of: mate)?.failure.code == .sendingBlocked)
        // Nor does it end because the other one may sign in.
        try fixture.archive.endSendPause(mate)
        #expect(try fixture.archive.sendPause(of: mate) != nil)
        // Whoever ends it ends it for both.
        #expect(try fixture.archive.resumeSending(mate) != nil)
        #expect(try fixture.archive.sendPause(of: fixture.account) == nil)
        #expect(try await fixture.deliver(first.id).state == .sent)
        #expect(try await fixture.deliver(second.id).state == .sent)
    }

    @Test func theDaysQuotaIsOneForBoth() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        // By the address, whatever the login is called.
        let mate = try Self.mate(of: fixture) { $0.login = "anna@firma.example" }
        for account in [fixture.account, mate] {
            try fixture.archive.setSendLimits(SendLimits(recipientsPerDay: 1), of: account)
        }
        #expect(try await fixture.deliver(try await fixture.send("Hello")).state == .sent)
        #expect(try await fixture.deliver(try Self.queue(2, mate, fixture)).state == .queued)
    }

    @Test func anotherMailboxHasItsOwn() async throws {
        let server = try ScriptedSMTPServer([.mail: .reply("550 5.4.5 Daily user sending limit exceeded")])
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let other = try Self.mate(of: fixture) {
            $0.login = "boris"
            $0.email = EmailAddress("boris@firma.example")
        }
        #expect(try await fixture.deliver(try await fixture.send("Hello")).state == .retry)
        #expect(try await fixture.deliver(try Self.queue(2, other, fixture)).state == .sent)
        // What keeps only one from signing in is not the mailbox's either.
        let failure = MailFailure(.init("x"), kind: .credential, "x")
        let mate = try fixture.archive.account(fixture.account)
        try fixture.archive.resumeSending(mate.id)
        try fixture.archive.pauseSending(mate.id, SendPause(until: nil, failures: 1, failure: failure))
        #expect(try fixture.archive.sendPause(of: other) == nil)
    }
}
