import Archive
import MIMEParse
import MailModel
import MailSend
import MailTestKit
import MailTransport
import Testing
import Worker

/// A mail meets a server that refuses, drops or stalls at each step. Its state and what follows are those of
/// docs/SENDING.md, and whatever happened: no server ever has it twice unless a person says so.
@Suite struct SMTPFaultTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var stage: ScriptedSMTPServer.Stage
        var act: ScriptedSMTPServer.Act
        /// After the first try.
        var state: OutboxState
        var pauses = false

        var testDescription: String { "\(act) at \(stage.rawValue): \(state.rawValue)" }
    }

    /// What ends a connection before the server was asked about the mail.
    private static let unreachable: [Fault] = [
        .init(stage: .greeting, act: .reply("554 5.3.2 go away"), state: .retry, pauses: true),
        .init(stage: .greeting, act: .replyAndClose("421 4.3.2 closing"), state: .retry, pauses: true),
        .init(stage: .ehlo, act: .replyAndClose("421 4.3.2 closing"), state: .retry, pauses: true),
        .init(stage: .auth, act: .reply("535 5.7.8 wrong password"), state: .retry, pauses: true),
        .init(stage: .auth, act: .reply("454 4.7.0 try again later"), state: .retry, pauses: true),
        .init(stage: .hello, act: .reply("451 4.3.0 not now"), state: .retry, pauses: true),
        .init(stage: .hello, act: .replyAndClose("421 4.3.2 closing"), state: .retry, pauses: true),
        // Then HELO does.
        .init(stage: .hello, act: .reply("502 what is that"), state: .sent),
        .init(stage: .hello, act: .reply("503 5.5.1 Invalid command: Already identified"), state: .sent),
    ]

    private static let refusals: [Fault] = [
        .init(stage: .mail, act: .reply("451 4.3.0 later"), state: .retry),
        .init(stage: .mail, act: .reply("452 4.3.1 no room"), state: .retry),
        .init(stage: .mail, act: .reply("354 go on"), state: .retry),
        .init(stage: .mail, act: .reply("550 no"), state: .failed),
        .init(stage: .mail, act: .reply("552 5.3.4 too large"), state: .failed),
        .init(stage: .mail, act: .reply("550 5.7.1 not yours"), state: .held),
        .init(stage: .mail, act: .reply("501 5.5.4 what"), state: .held),
        .init(stage: .mail, act: .reply("530 5.7.0 sign in first"), state: .retry, pauses: true),
        .init(
            stage: .mail, act: .reply("550 5.4.5 daily sending quota exceeded"), state: .retry, pauses: true),
        .init(stage: .mail, act: .reply("452 4.4.5 Insufficient disk space; try again later"), state: .retry),
        .init(stage: .mail, act: .replyAndClose("421 4.7.0 too much"), state: .retry, pauses: true),
        .init(stage: .mail, act: .reply("450 4.7.1 too much mail"), state: .retry, pauses: true),
        .init(
            stage: .rcpt, act: .replyAndClose("421 4.4.5 Server busy, try again later. gsmtp"), state: .retry),
        .init(
            stage: .rcpt, act: .reply("451 4.7.1 Recipient rate limit exceeded for \(WorkerFixture.client)"),
            state: .retry),
        .init(
            stage: .rcpt, act: .reply("452 4.2.2 <\(WorkerFixture.client)>: too many messages in mailbox"),
            state: .retry),
        .init(
            stage: .rcpt, act: .reply("554 5.7.1 too many messages from your IP, blocked by recipient"),
            state: .failed),
        .init(
            stage: .endOfData, act: .reply("552 5.7.0 blocked, its content presents a risk"), state: .failed),
        .init(
            stage: .rcpt, act: .reply("450 4.1.1 host mx.example said: 451 sending limit reached"),
            state: .retry),
        .init(stage: .rcpt, act: .reply("450 4.2.0 greylisted"), state: .retry),
        .init(stage: .rcpt, act: .reply("452 4.2.2 full"), state: .retry),
        .init(stage: .rcpt, act: .reply("550 5.1.1 no such user"), state: .failed),
        .init(stage: .rcpt, act: .reply("554 5.7.1 relaying denied"), state: .failed),
        .init(stage: .rcpt, act: .replyAndClose("421 4.3.2 closing"), state: .retry),
        .init(stage: .data, act: .reply("451 4.3.0 later"), state: .retry),
        .init(stage: .data, act: .reply("554 5.0.0 no"), state: .failed),
        .init(stage: .data, act: .reply("503 5.5.1 out of order"), state: .held),
        .init(stage: .data, act: .reply("250 fine"), state: .retry),
        .init(stage: .data, act: .reply("334 and now"), state: .retry),
        .init(stage: .data, act: .replyAndClose("421 4.3.2 closing"), state: .retry),
        // The server has not had the end of the data then, and never gets it.
        .init(stage: .data, act: .reply("354 go on\r\n451 4.3.0 no more"), state: .retry),
        .init(stage: .data, act: .reply("354 go on\r\n554 5.0.0 no"), state: .failed),
        .init(stage: .data, act: .reply("354 go on\r\n250 taken"), state: .retry),
        .init(stage: .endOfData, act: .reply("451 4.3.0 later"), state: .retry),
        .init(stage: .endOfData, act: .reply("452 4.2.2 full"), state: .retry),
        .init(stage: .endOfData, act: .reply("550 5.0.0 no"), state: .failed),
        .init(stage: .endOfData, act: .reply("554 5.6.0 bad content"), state: .failed),
        .init(stage: .endOfData, act: .reply("554 5.7.1 looks like spam"), state: .held),
        .init(stage: .endOfData, act: .replyAndClose("421 4.3.2 closing"), state: .retry),
        .init(stage: .endOfData, act: .replyAndClose("250 2.0.0 taken"), state: .sent),
        .init(stage: .endOfData, act: .reply("354 go on"), state: .uncertain, pauses: true),
        .init(stage: .endOfData, act: .replyAndClose("hello"), state: .uncertain, pauses: true),
    ]

    private static let silence: [Fault] = ScriptedSMTPServer.Stage.allCases.filter { $0 != .content }
        .flatMap { stage in
            [ScriptedSMTPServer.Act.drop, .stall].map { act in
                let isAsked = [.mail, .rcpt, .data, .endOfData].contains(stage)
                return Fault(
                    stage: stage, act: act, state: stage == .endOfData ? .uncertain : .retry,
                    pauses: !isAsked || stage == .endOfData)
            }
        }

    static let faults = unreachable + refusals + silence

    @Test func thereAreEnough() { #expect(Self.faults.count * 2 >= 60) }

    @Test(arguments: faults, [false, true])
    func aFaultEndsAsTheTableSays(_ fault: Fault, isPipelined: Bool) async throws {
        let server = try ScriptedSMTPServer(
            capabilities: ["AUTH PLAIN"] + (isPipelined ? ["PIPELINING", "8BITMIME", "DSN"] : []),
            [fault.stage: fault.act])
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let item = try await fixture.send("Hello\r\n.leading dot\r\n")
        let first = try await fixture.deliver(item)
        #expect(first.state == fault.state, "\(first.reason ?? "")")
        #expect(first.replies.isEmpty == false)
        #expect(try (fixture.archive.sendPause(of: fixture.account) != nil) == fault.pauses)
        if first.state != .sent { #expect(first.reason?.isEmpty == false) }

        // Whatever it was is over: what may go on goes on, and nothing else.
        fixture.clock.advance(4 * 86_400)
        let second = try await fixture.deliver(item)
        #expect(second.state == (fault.state == .retry ? .sent : fault.state))
        #expect(second.recipients.map(\.state) == [second.state == .sent ? .sent : first.recipients[0].state])
        let isThere = second.state == .sent || fault.stage == .endOfData
        let refused = fault.stage == .endOfData && fault.state == .retry
        #expect(server.received.count == (isThere ? refused ? 2 : 1 : 0))
        for mail in server.received {
            #expect(mail.sender == WorkerFixture.own && mail.recipients == [WorkerFixture.client])
            let text = mail.content.withUnsafeBytes { MIMEParser().parse($0).text }
            #expect(text == "Hello\n.leading dot")
        }
    }

    @Test func aConnectionThatBreaksInTheMidstOfALargeMailLeavesNoDoubt() async throws {
        let server = try ScriptedSMTPServer([.content: .drop])
        defer { server.stop() }
        let fixture = try SendFixture(server)
        // More than both sides' buffers take.
        let path = try fixture.worker.directory.write("large.bin", Array(repeating: 0x55, count: 16 << 20))
        let item = try await fixture.send("Hello", attachments: [path])
        let first = try await fixture.deliver(item)
        #expect(first.state == .retry, "\(first.reason ?? "")")
        fixture.clock.advance(4 * 86_400)
        #expect(try await fixture.deliver(item).state == .sent)
        #expect(server.received.count == 1)
    }

    @Test func `what is said behind an answer is nobody's answer`() async throws {
        let server = try ScriptedSMTPServer(
            capabilities: ["AUTH PLAIN", "PIPELINING"], [.endOfData: .reply("250 taken\r\n250 unasked")],
            refusals: ["unknown@else.example": "550 5.1.1 no such user"])
        defer { server.stop() }
        let fixture = try SendFixture(server)
        try fixture.archive.setSendLimits(SendLimits(connections: 1), of: fixture.account)
        let first = try await fixture.send("One")
        let second = try await fixture.send("Two", to: "unknown@else.example", cc: ["other@else.example"])
        let archive = fixture.archive
        try await fixture.daemon { try archive.outboxCounts() == [.sent: 1, .failed: 1] }
        #expect(try archive.outboxItem(first).state == .sent)
        #expect(try archive.outboxItem(second).recipients.map(\.state) == [.failed, .sent])
        #expect(server.received.map(\.recipients) == [[WorkerFixture.client], ["other@else.example"]])
    }

    @Test func theReplyThatWantedAnotherConnectionIsKept() async throws {
        let server = try ScriptedSMTPServer(afterOneMail: "451 4.3.0 one mail a connection")
        defer { server.stop() }
        let fixture = try SendFixture(server)
        try fixture.archive.setSendLimits(SendLimits(connections: 1), of: fixture.account)
        let items = [try await fixture.send("One"), try await fixture.send("Two")]
        let archive = fixture.archive
        try await fixture.daemon { try archive.outboxCounts() == [.sent: 2] }
        #expect(server.lines.filter { $0.hasPrefix("MAIL") }.count == 3)
        let replies = try archive.outboxItem(items[1]).replies
        #expect(replies.map(\.stage) == ["mail", "rcpt", "end-of-data"] && replies.first?.code == 451)
        #expect(replies.allSatisfy { $0.attempt == 1 })
    }

    @Test func noGreetingNamesThisMachine() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        #expect(try await fixture.deliver(try await fixture.send("Hello")).state == .sent)
        let greetings = server.lines.filter { $0.hasPrefix("EHLO") || $0.hasPrefix("HELO") }
        // One before the sign-in, and one after it.
        #expect(greetings == ["EHLO [127.0.0.1]", "EHLO [127.0.0.1]"])
    }

    @Test func everyRecipientHasAnOutcomeOfItsOwn() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let item = try await fixture.send(
            "Hello", cc: ["Other <other@else.example>"], bcc: ["blind@else.example"])
        let sent = try await fixture.deliver(item)
        #expect(sent.state == .sent && sent.recipients.allSatisfy { $0.state == .sent })
        let mail = try #require(server.received.first)
        #expect(mail.recipients == [WorkerFixture.client, "other@else.example", "blind@else.example"])
        let text = String(decoding: mail.content, as: UTF8.self)
        #expect(text.contains("other@else.example") && !text.contains("blind@else.example"))
        // In the history at once, blind recipients included.
        let message = try #require(sent.message)
        #expect(try fixture.archive.message(message).links.map(\.contactName) == ["Maria"])
        #expect(
            try fixture.archive.message(message).participants.contains { $0.address == "blind@else.example" })
    }
}
