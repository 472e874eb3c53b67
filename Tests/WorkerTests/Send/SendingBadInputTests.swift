import Foundation
import MIMEParse
import MailModel
import MailTestKit
import Testing

@testable import Archive
@testable import Worker

/// What people and servers get wrong: the mail's state says so, with what can be done about it.
@Suite(.timeLimit(.minutes(2))) struct SendingBadInputTests {
    /// Has a mail meet a server, and returns what is known of it then.
    private static func sent(
        _ script: [ScriptedSMTPServer.Stage: ScriptedSMTPServer.Act], capabilities: [String] = ["AUTH PLAIN"],
        size: Int = 0
    ) async throws -> (OutboxItem, ScriptedSMTPServer) {
        let server = try ScriptedSMTPServer(capabilities: capabilities, script)
        defer { server.stop() }
        let fixture = try SendFixture(server)
        var attachments: [String] = []
        if size > 0 {
            attachments = [
                try fixture.worker.directory.write("large.bin", Array(repeating: 0x55, count: size))
            ]
        }
        return (try await fixture.deliver(try await fixture.send("Hello", attachments: attachments)), server)
    }

    // MARK: - Recipients

    @Test func aRefusedRecipientFailsAndTheOthersHaveTheMail() async throws {
        let server = try ScriptedSMTPServer(refusals: ["gone@client.example": "550 5.1.1 no such user"])
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let item = try await fixture.deliver(
            try await fixture.send("Hello", cc: ["gone@client.example", "ivan@client.example"]))
        #expect(item.state == .failed && item.remedy == "Correct the address.")
        #expect(item.recipients.map(\.state) == [.sent, .failed, .sent])
        #expect(item.recipients[1].reply?.contains("no such user") == true)
        #expect(item.reason?.contains("gone@client.example") == true)
        // It is in the history of those who have it, and goes to nobody twice.
        #expect(item.message != nil)
        fixture.clock.advance(86_400)
        #expect(try await fixture.deliver(item.id).state == .failed)
        #expect(server.received.map(\.recipients) == [[WorkerFixture.client, "ivan@client.example"]])
    }

    // MARK: - Attachments

    @Test func aMissingAttachmentIsNamedAndNothingIsQueued() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let path = fixture.worker.directory.path + "/nothing-there.pdf"
        let failure = await #expect(throws: MailFailure.self) {
            _ = try await fixture.send("Hello", attachments: [path])
        }
        #expect(failure?.code.rawValue == "compose.file-unreadable")
        #expect(failure?.detail?.contains("nothing-there.pdf") == true && failure?.remedy != nil)
        #expect(try fixture.archive.outboxItems().isEmpty)
    }

    @Test func anAttachmentThatVanishesOrChangesAfterQueueingGoesAsItWas() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let bytes = Array("the offer of Monday".utf8)
        let vanishing = try fixture.worker.directory.write("offer.txt", bytes)
        let changing = try fixture.worker.directory.write("prices.txt", bytes)
        let item = try await fixture.send("Hello", attachments: [vanishing, changing])
        try FileManager.default.removeItem(atPath: vanishing)
        _ = try fixture.worker.directory.write("prices.txt", Array("other prices".utf8))
        #expect(try await fixture.deliver(item).state == .sent)
        let mail = try #require(server.received.first?.content)
        for index in 0..<2 {
            #expect(mail.withUnsafeBytes { MIMEParser().attachmentContent(index, of: $0) } == bytes)
        }
    }

    @Test func anAttachmentOverOurOwnLimitIsRefusedBeforeItIsQueued() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let path = try fixture.worker.directory.write("large.bin", Array(repeating: 0x55, count: 20_000))
        var limits = MailSubmission.Settings()
        limits.messageBytes = 10_000
        let failure = await #expect(throws: MailFailure.self) {
            _ = try await fixture.send("Hello", attachments: [path], limits: limits)
        }
        #expect(failure?.code == .mailOverLimit && failure?.remedy?.contains("smaller attachments") == true)
        #expect(try fixture.archive.outboxItems().isEmpty)
    }

    @Test func aMailOverTheServersSizeFailsWithoutBeingOffered() async throws {
        let (item, server) = try await Self.sent(
            [:], capabilities: ["AUTH PLAIN", "SIZE 10000"], size: 20_000)
        #expect(item.state == .failed && item.recipients[0].state == .failed)
        #expect(item.reason?.contains("larger than the server takes") == true)
        #expect(item.remedy == "Send fewer or smaller attachments.")
        #expect(!server.lines.contains { $0.hasPrefix("MAIL") } && server.received.isEmpty)
    }

    // MARK: - The account

    @Test func aWrongPasswordIsTriedFiveTimesAndThenWaitsForTheUser() async throws {
        let server = try ScriptedSMTPServer([.auth: .reply("535 5.7.8 wrong password")], isAlwaysSo: true)
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let id = try await fixture.send("Hello")
        for attempt in 1...5 {
            let item = try await fixture.deliver(id)
            #expect(item.state == .retry && item.attempts == 0)
            #expect(item.reason?.contains("refused the login or password") == true)
            #expect(item.remedy?.contains("password") == true)
            let pause = try #require(try fixture.archive.sendPause(of: fixture.account))
            #expect(pause.failure.kind == .credential && (pause.until == nil) == (attempt == 5))
            // Nobody knocks while it waits.
            let lines = server.lines.count
            fixture.clock.advance(4 * 3600 - 1)
            _ = try await fixture.deliver(id)
            #expect(server.lines.count == lines)
            fixture.clock.advance(4 * 3600)
        }
        let lines = server.lines.count
        fixture.clock.advance(86_400)
        #expect(try await fixture.deliver(id).state == .retry)
        #expect(server.lines.count == lines)
        var wait = SendingWait(fixture.archive)
        #expect(try wait.reason(for: try fixture.archive.outboxItem(id))?.kind == .credential)
        // Whoever mends the account sets it going again.
        try fixture.archive.setSMTPSignIn("anna", Secret("right"), of: fixture.account)
        _ = try await fixture.deliver(id)
        #expect(server.lines.count > lines)
    }

    @Test func mailThatWasUnderWayWhenItsAccountWasSwitchedOffSaysSo() async throws {
        let fixture = try WorkerFixture()
        let archive = fixture.archive
        let item = try archive.queueMail(
            OutboxDraft(
                account: fixture.account, requestedBy: "anna",
                messageID: MessageID(rawValue: "m@firma.example"), sender: EmailAddress(WorkerFixture.own),
                recipients: [.init(EmailAddress(WorkerFixture.client)!)],
                content: MessageBytes(Array("Subject: 1\r\n\r\nText\r\n".utf8)),
                notBefore: fixture.clock.now)
        ).item
        _ = try archive.claimOutbox(fixture.account) { _, _ in [item] }
        try archive.removeAccount(fixture.account)
        var ending = OutboxEnding(item: item, attempt: 1, nextTry: fixture.clock.now)
        ending.weight = .nothing
        _ = try archive.noteOutbox([.ended(ending)])
        // It is not sent by surprise when the account is switched on again, and says why.
        let held = try archive.outboxItem(item)
        #expect(held.state == .held && held.reason?.contains("switched off") == true)
        #expect(held.remedy?.contains("outbox cancel") == true)
    }

    @Test func aQuotaThatTheProviderNamesSilencesTheAccount() async throws {
        let server = try ScriptedSMTPServer([.mail: .reply("550 5.4.5 Daily user sending limit exceeded")])
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let first = try await fixture.deliver(try await fixture.send("Hello"))
        #expect(first.state == .retry && first.remedy?.contains("limit is reached") == true)
        let pause = try #require(try fixture.archive.sendPause(of: fixture.account))
        #expect(pause.failure.code == .sendingBlocked)
        // The next mail is not even offered, and says why.
        let next = try await fixture.deliver(try await fixture.send("Hello again"))
        #expect(next.state == .queued && next.attempts == 0)
        #expect(server.lines.filter { $0.hasPrefix("MAIL") }.count == 1)
        var wait = SendingWait(fixture.archive)
        #expect(try wait.explained(next).remedy?.contains("limit is reached") == true)
    }

    @Test func aPersonEndsTheWaitForAProvidersLimit() async throws {
        let server = try ScriptedSMTPServer([.mail: .reply("550 5.4.5 Daily user sending limit exceeded")])
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let first = try await fixture.send("Hello")
        _ = try await fixture.deliver(first)
        let next = try await fixture.send("Hello again")
        #expect(try await fixture.deliver(next).state == .queued)
        // Neither time that is too short nor other settings are a person's word.
        fixture.clock.advance(600)
        try fixture.archive.setSMTPSignIn("anna", Secret("new"), of: fixture.account)
        #expect(try await fixture.deliver(next).state == .queued)
        #expect(try fixture.archive.resumeSending(fixture.account)?.failure.code == .sendingBlocked)
        #expect(try fixture.archive.sendPause(of: fixture.account) == nil)
        #expect(try await fixture.deliver(next).state == .sent)
        #expect(try await fixture.deliver(first).state == .sent)
        #expect(try fixture.archive.resumeSending(fixture.account) == nil)
    }

    @Test func whatOneRecipientsServerSaysKeepsNobodyElsesMailBack() async throws {
        for reply in [
            "452 4.2.2 <\(WorkerFixture.client)>: too many messages in mailbox",
            "451 4.7.1 Rate limit exceeded for <\(WorkerFixture.client)>", "421 4.4.5 Server busy. gsmtp",
        ] {
            let server = try ScriptedSMTPServer([.rcpt: .replyAndClose(reply)])
            defer { server.stop() }
            let fixture = try SendFixture(server)
            #expect(try await fixture.deliver(try await fixture.send("Hello")).state == .retry)
            #expect(
                try await fixture.deliver(try await fixture.send("Hello again")).state == .sent, "\(reply)")
        }
    }

    @Test func aQuotaOfOursKeepsTheMailQueuedAndSaysWhy() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        try fixture.archive.setSendLimits(SendLimits(recipientsPerDay: 1), of: fixture.account)
        #expect(try await fixture.deliver(try await fixture.send("Hello")).state == .sent)
        let second = try await fixture.deliver(try await fixture.send("Hello again"))
        #expect(second.state == .queued && server.received.count == 1)
        var wait = SendingWait(fixture.archive)
        let explained = try wait.explained(second)
        #expect(explained.reason?.contains("1 in 24 hours") == true)
        #expect(explained.remedy?.contains("outbox limits anna --per-day") == true)
        fixture.clock.advance(86_400 + 60)
        #expect(try await fixture.deliver(second.id).state == .sent)
    }

    @Test func aMailToMoreRecipientsThanADayHasGoesDayByDay() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        try fixture.archive.setSendLimits(SendLimits(recipientsPerDay: 2), of: fixture.account)
        let id = try await fixture.send("Hello", cc: ["b@client.example", "c@client.example"])
        let first = try await fixture.deliver(id)
        #expect(first.state == .retry && first.recipients.map(\.state) == [.sent, .sent, .waiting])
        fixture.clock.advance(86_400 + 60)
        #expect(try await fixture.deliver(id).state == .sent)
        #expect(server.received.map(\.recipients.count) == [2, 1])
    }

    // MARK: - The server goes away

    @Test func aServerGoneBeforeDataLeavesTheMailForAnotherTry() async throws {
        for stage in [ScriptedSMTPServer.Stage.greeting, .mail, .rcpt, .data] {
            let (item, server) = try await Self.sent([stage: .drop])
            // A connection that ends at MAIL or RCPT is made anew at once only where it was used before.
            #expect(item.state == .retry && item.recipients[0].state == .retry, "\(stage)")
            #expect(item.reason?.isEmpty == false && item.nextTry != nil, "\(stage)")
            #expect(item.remedy?.isEmpty == false, "\(stage)")
            #expect(server.received.isEmpty)
        }
    }

    @Test func aServerGoneInTheMidstOfDataLeavesTheMailForAnotherTry() async throws {
        let (item, server) = try await Self.sent([.content: .drop], size: 16 << 20)
        #expect(item.state == .retry && item.recipients[0].state == .retry)
        #expect(item.remedy?.isEmpty == false && server.received.isEmpty)
    }

    @Test func aServerGoneAfterDataLeavesTheMailUncertainForAPerson() async throws {
        let (item, server) = try await Self.sent([.endOfData: .drop])
        #expect(item.state == .uncertain && item.recipients[0].state == .uncertain)
        #expect(item.remedy?.contains("outbox resolve") == true && item.nextTry == nil)
        #expect(server.received.count == 1)
    }

    // MARK: - Several of us

    @Test func aRestoredOutboxSendsNothingUntilAPersonReleasesIt() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let waiting = try await fixture.send("Hello")
        let flying = try await fixture.send("Hello again")
        _ = try fixture.archive.claimOutbox(fixture.account) { _, _ in [flying] }
        let backup = fixture.worker.directory.path + "/backup"
        _ = try fixture.archive.backup(to: backup)
        _ = try Archive.restore(from: backup, to: backup + "-restored")
        let clock = fixture.clock
        let restored = try Archive.open(
            directory: backup + "-restored", key: fixture.worker.key,
            options: ArchiveOptions(clock: { clock.now }))
        fixture.clock.advance(86_400)
        for (id, state, words) in [
            (waiting, OutboxState.held, "outbox release"), (flying, .uncertain, "outbox resolve"),
        ] {
            let item = try await fixture.deliver(id, as: restored)
            #expect(item.state == state && item.remedy?.contains(words) == true)
            #expect(item.reason?.contains("backup") == true)
        }
        #expect(server.received.isEmpty)
        try restored.releaseOutbox(waiting)
        #expect(try await fixture.deliver(waiting, as: restored).state == .sent)
        #expect(server.received.count == 1)
    }

    @Test func twoWorkersSendAMailOnce() async throws {
        let server = try ScriptedSMTPServer([.endOfData: .replyWhenReleased("250 taken")])
        defer { server.stop() }
        let fixture = try SendFixture(server, timeoutSeconds: 60)
        let id = try await fixture.send("Hello")
        async let first = fixture.deliver(id)
        await until { !server.received.isEmpty }
        // The other one finds it on its way, and waits for how it ends.
        let other = try fixture.worker.reopened()
        #expect(try other.outboxItem(id).state == .sending)
        async let second = fixture.deliver(id, as: other)
        #expect(try other.noteOutbox([.begins(id, recipients: [0])]) == [false])
        server.release()
        #expect(try await [first.state, second.state] == [.sent, .sent])
        #expect(server.received.count == 1)
        #expect(server.lines.filter { $0.hasPrefix("MAIL") }.count == 1)
    }
}
