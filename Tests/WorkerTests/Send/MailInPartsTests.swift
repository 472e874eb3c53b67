import MailFetch
import MailModel
import MailSend
import MailTestKit
import Testing

@testable import Archive
@testable import Worker

/// A mail to more recipients than a message may have: nobody waits for somebody else's trouble.
@Suite struct MailInPartsTests {
    private static let people = (0..<30).map { "p\($0)@client.example" }

    private static func fixture(_ server: ScriptedSMTPServer) throws -> SendFixture {
        let fixture = try SendFixture(server)
        try fixture.archive.setSendLimits(SendLimits(recipientsPerMessage: 10), of: fixture.account)
        return fixture
    }

    private static func queue(_ fixture: SendFixture) throws -> OutboxID {
        try fixture.archive.queueMail(
            OutboxDraft(
                account: fixture.account, requestedBy: "anna",
                messageID: MessageID(rawValue: "parts@firma.example"),
                sender: EmailAddress(WorkerFixture.own),
                recipients: people.map { .init(EmailAddress($0)!) },
                content: MessageBytes(Array("Subject: x\r\n\r\nText\r\n".utf8)),
                notBefore: fixture.clock.now)
        ).item
    }

    @Test func aDeadAddressInEachPartKeepsNobodyWaiting() async throws {
        let dead = [Self.people[1], Self.people[11], Self.people[29]]
        let server = try ScriptedSMTPServer(
            refusals: Dictionary(uniqueKeysWithValues: dead.map { ($0, "550 5.1.1 no such user") }))
        defer { server.stop() }
        let fixture = try Self.fixture(server)
        let item = try await fixture.deliver(try Self.queue(fixture))
        #expect(server.received.map(\.recipients.count) == [9, 9, 9])
        #expect(item.state == .failed && item.attempts == 3)
        #expect(item.recipients.filter { $0.state == .failed }.map(\.address) == dead)
        #expect(item.recipients.count { $0.state == .sent } == 27)
        #expect(item.reason?.contains("550 5.1.1") == true && item.remedy != nil)
    }

    @Test func whoIsToBeTriedLaterIsTriedLaterAndTheOthersAreNot() async throws {
        let server = try ScriptedSMTPServer(refusals: [Self.people[1]: "451 4.3.0 not now"])
        defer { server.stop() }
        let fixture = try Self.fixture(server)
        let id = try Self.queue(fixture)
        let asked = { server.lines.count { $0.hasPrefix("RCPT") && $0.contains(Self.people[1]) } }
        var item = try await fixture.deliver(id)
        #expect(server.received.map(\.recipients.count) == [9, 10, 10])
        #expect(item.state == .retry && asked() == 1)
        #expect(item.reason?.contains(Self.people[1]) == true && item.reason?.contains("451 4.3.0") == true)
        // The schedule counts the recipient's tries, and not the parts.
        for (number, pause) in [120, 300, 900].enumerated() {
            let next = try #require(item.nextTry)
            #expect(next == fixture.clock.now.advanced(bySeconds: Int64(pause)))
            fixture.clock.advance(Int64(pause) - 1)
            item = try await fixture.deliver(id)
            #expect(asked() == number + 1)
            fixture.clock.advance(1)
            item = try await fixture.deliver(id)
            #expect(asked() == number + 2)
        }
        #expect(server.received.count == 3)
    }

    @Test func aServerThatTakesNobodyForNowIsNotAskedForEveryPartAtOnce() async throws {
        let server = try ScriptedSMTPServer([.rcpt: .reply("451 4.3.0 not now")], isAlwaysSo: true)
        defer { server.stop() }
        let fixture = try Self.fixture(server)
        let item = try await fixture.deliver(try Self.queue(fixture))
        #expect(server.lines.count { $0.hasPrefix("RCPT") } == 10)
        #expect(item.state == .retry && item.recipients.count { $0.state == .waiting } == 20)
        #expect(try #require(item.nextTry) == fixture.clock.now.advanced(bySeconds: 120))
    }

    @Test func tooManyRecipientsForTheOnlyOneIsWaitedOut() async throws {
        let server = try ScriptedSMTPServer(
            [.rcpt: .reply("452 4.5.3 Too many recipients")], isAlwaysSo: true)
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let id = try await fixture.send("Hello")
        for (number, pause) in [120, 300, 900].enumerated() {
            let item = try await fixture.deliver(id)
            #expect(server.lines.count { $0.hasPrefix("RCPT") } == number + 1)
            #expect(item.nextTry == fixture.clock.now.advanced(bySeconds: Int64(pause)))
            fixture.clock.advance(Int64(pause))
        }
    }

    /// - Returns: the outcomes in the order of the recipients, and the seconds until the next message.
    private static func verdict(_ replies: [String], _ ending: Transmission.Ending) -> (
        [OutboxRecipientState?], Int64
    ) {
        let now = UnixTime(1_000_000)
        let offered = replies.indices.map {
            OutboxClaim.Recipient(position: $0, address: EmailAddress("p\($0)@client.example")!)
        }
        let claim = OutboxClaim(
            id: OutboxID(rawValue: 1), account: AccountID(rawValue: 1),
            messageID: MessageID(rawValue: "a@b.example"), envelopeID: "a", sender: nil, kind: .single,
            needsUTF8: false, size: 1, attempt: 1, firstTry: now, recipients: offered, content: nil)
        let answers = replies.map { text in
            SMTPReply(code: Int(text.prefix(3))!, lines: [String(text.dropFirst(4))])
        }
        let verdict = DeliveryVerdict(
            Transmission(
                recipientReplies: Dictionary(uniqueKeysWithValues: zip(replies.indices, answers)),
                ending: ending), of: claim, offered: offered,
            rules: SendRules(preset: .custom, limits: .init()), now: now, jitter: 0.5)
        return (
            offered.map { verdict.ending.outcomes[$0.position] },
            verdict.ending.nextTry.rawValue - now.rawValue
        )
    }

    @Test func whomAFullMessageDidNotTakeTheNextOneHasAtOnce() {
        let taken = SMTPReply(code: 250, lines: ["taken"])
        let full = ["250 ok", "452 4.5.3 Too many recipients", "452 4.5.3 Too many recipients"]
        var (outcomes, seconds) = Self.verdict(full, .accepted(taken))
        #expect(outcomes == [.sent, .waiting, .waiting] && seconds == 0)
        // Where the mail itself is not taken, they wait with the others.
        (outcomes, seconds) = Self.verdict(
            full, .refused(.endOfData, SMTPReply(code: 451, lines: ["4.3.0 later"])))
        #expect(outcomes == [.retry, .waiting, .waiting] && seconds == 120)
        // And for as long as the server says.
        (outcomes, seconds) = Self.verdict(
            ["250 ok", "452 4.5.3 Too many recipients, wait for 10 minutes"], .accepted(taken))
        #expect(outcomes == [.sent, .retry] && seconds == 660)
    }
}
