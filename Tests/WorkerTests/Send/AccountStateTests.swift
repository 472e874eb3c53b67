import Archive
import MailFetch
import MailModel
import MailSend
import MailTestKit
import MailTransport
import Testing

@testable import Worker

/// What keeps an account from sending is the account's state: it is no try of the mails that wait, and no mail is
/// offered meanwhile.
@Suite(.timeLimit(.minutes(2))) struct AccountStateTests {
    private static func away() throws -> ScriptedSMTPServer {
        try ScriptedSMTPServer([.greeting: .replyAndClose("421 4.3.2 closing")], isAlwaysSo: true)
    }

    /// Has the account send through another server.
    private static func move(_ fixture: SendFixture, to server: ScriptedSMTPServer) throws {
        var settings = try fixture.archive.account(fixture.account).settings
        settings.smtp = ServerEndpoint(host: "127.0.0.1", port: server.port, security: .none)
        try fixture.archive.editAccount(fixture.account, settings)
    }

    @Test func outagesAreNoTriesOfAMail() async throws {
        let server = try Self.away()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let id = try await fixture.send("Hello")
        for _ in 0..<8 {
            let item = try await fixture.deliver(id)
            #expect(item.state == .retry && item.attempts == 0 && item.recipients[0].state == .retry)
            #expect(item.reason?.isEmpty == false && item.remedy?.isEmpty == false)
            fixture.clock.advance(3_600)
        }
        let replies = try fixture.archive.outboxItem(id).replies
        #expect(replies.count > 3 && replies.allSatisfy { $0.stage == "connect" && $0.attempt == 1 })
        // Its own schedule begins when a server is asked about it.
        let other = try ScriptedSMTPServer([.rcpt: .reply("450 4.3.0 not now")])
        defer { other.stop() }
        try Self.move(fixture, to: other)
        let asked = try await fixture.deliver(id)
        #expect(asked.state == .retry && asked.attempts == 1)
        #expect(
            asked.nextTry == fixture.clock.now.advanced(bySeconds: 120),
            "\(String(describing: asked.nextTry))")
    }

    @Test func whoeverMendsTheAccountSetsItsMailGoingAtOnce() async throws {
        let server = try ScriptedSMTPServer([.auth: .reply("535 5.7.8 wrong password")], isAlwaysSo: true)
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let id = try await fixture.send("Hello")
        let waiting = try await fixture.deliver(id)
        // Whoever looks at it sees when it goes on its own.
        var wait = SendingWait(fixture.archive)
        #expect(
            try wait.explained(waiting).nextTry == fixture.clock.now.advanced(bySeconds: 4 * 3_600))
        let other = try ScriptedSMTPServer()
        defer { other.stop() }
        try Self.move(fixture, to: other)
        let sent = try await fixture.deliver(id)
        #expect(sent.state == .sent && sent.attempts == 1)
    }

    @Test func anOutageOfFiveDaysEndsTheMailsThatWaitedForIt() async throws {
        let server = try Self.away()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        var items: [OutboxID] = []
        for number in 0..<3 { items.append(try await fixture.send("Mail \(number)")) }
        let (archive, account) = (fixture.archive, fixture.account)
        try await fixture.daemon { try archive.sendPause(of: account) != nil }
        for item in items {
            let found = try archive.outboxItem(item)
            #expect(found.state == .retry && found.attempts == 0 && found.reason?.isEmpty == false)
        }
        fixture.clock.advance(RetrySchedule.longestSeconds - 1)
        try await fixture.daemon { try archive.sendPause(of: account) != nil }
        #expect(try archive.outboxCounts() == [.retry: 3])
        fixture.clock.advance(3_601)
        try await fixture.daemon { try archive.outboxCounts() == [.failed: 3] }
        for item in items {
            let found = try archive.outboxItem(item)
            #expect(found.reason?.contains("five days") == true && found.attempts == 0)
            #expect(found.recipients[0].state == .failed)
        }
    }

    // MARK: - The pace

    /// A server that wants MAIL more slowly.
    private static let tooFast = "450 4.7.1 Error: too much mail from 192.0.2.1"

    @Test func anAccountThatIsTooFastOffersNothingMeanwhile() async throws {
        let server = try ScriptedSMTPServer(afterOneMail: Self.tooFast)
        defer { server.stop() }
        let fixture = try SendFixture(server)
        try fixture.archive.setSendLimits(SendLimits(connections: 1), of: fixture.account)
        for number in 0..<4 { _ = try await fixture.send("Mail \(number)") }
        let (archive, account) = (fixture.archive, fixture.account)
        // One is taken in each time, and one is told to wait.
        for sent in 1...3 {
            try await fixture.daemon { try archive.sendPause(of: account) != nil }
            let expected: [OutboxState: Int] = [.sent: sent, .retry: 1, .queued: 3 - sent]
            #expect(try archive.outboxCounts() == expected.filter { $0.value > 0 })
            #expect(server.lines.count { $0.hasPrefix("MAIL") } == 2 * sent)
            let pause = try #require(try archive.sendPause(of: account))
            #expect(pause.failure.code == .sendingSlowed)
            #expect(pause.until == fixture.clock.now.advanced(bySeconds: 60) && pause.failures == 1)
            fixture.clock.advance(60)
        }
        try await fixture.daemon { try archive.outboxCounts() == [.sent: 4] }
        #expect(try archive.outboxItems().allSatisfy { $0.attempts == 1 })
        #expect(try archive.sendPauseRecord(of: account) == nil)
    }

    @Test func itWaitsLongerEachTimeThatNothingIsTaken() async throws {
        let server = try ScriptedSMTPServer([.mail: .reply(Self.tooFast)], isAlwaysSo: true)
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let id = try await fixture.send("Hello")
        for seconds in [60, 120, 240, 480, 960, 1_920, 3_600, 3_600] as [Int64] {
            let item = try await fixture.deliver(id)
            #expect(item.state == .retry && item.attempts == 0)
            let pause = try #require(try fixture.archive.sendPause(of: fixture.account))
            #expect(pause.until == fixture.clock.now.advanced(bySeconds: seconds))
            fixture.clock.advance(seconds - 1)
            let lines = server.lines.count
            _ = try await fixture.deliver(id)
            #expect(server.lines.count == lines)
            fixture.clock.advance(1)
        }
        // A person ends it too.
        _ = try await fixture.deliver(id)
        #expect(try fixture.archive.resumeSending(fixture.account)?.failure.code == .sendingSlowed)
        #expect(try fixture.archive.sendPause(of: fixture.account) == nil)
    }

    @Test func itWaitsForAsLongAsTheServerSays() async throws {
        let server = try ScriptedSMTPServer([
            .mail: .reply("421 4.7.0 Too many connections, try again in 10 minutes")
        ])
        defer { server.stop() }
        let fixture = try SendFixture(server)
        _ = try await fixture.deliver(try await fixture.send("Hello"))
        #expect(
            try fixture.archive.sendPause(of: fixture.account)?.until
                == fixture.clock.now.advanced(bySeconds: 600))
    }

    /// A session that the server ends after its mails is no matter of pace.
    @Test(arguments: [
        "421 4.7.0 one mail a connection", "452 4.5.3 Too many recipients: Too many messages sent",
    ])
    func aSessionThatHasHadItsShareIsMadeAnew(reply: String) async throws {
        let server = try ScriptedSMTPServer(afterOneMail: reply)
        defer { server.stop() }
        let fixture = try SendFixture(server)
        try fixture.archive.setSendLimits(SendLimits(connections: 1), of: fixture.account)
        for number in 0..<3 { _ = try await fixture.send("Mail \(number)") }
        let (archive, account) = (fixture.archive, fixture.account)
        try await fixture.daemon { try archive.outboxCounts() == [.sent: 3] }
        #expect(try archive.sendPauseRecord(of: account) == nil)
    }
}
