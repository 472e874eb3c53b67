import MailFetch
import MailModel
import MailSend
import MailTestKit
import Testing

@testable import Archive
@testable import Worker

/// What keeps a mail from being sent on this side says nothing about its account, its server or its recipients.
@Suite(.timeLimit(.minutes(2))) struct LocalObstacleTests {
    private static let full = MailFailure(.diskFull, kind: .transient, "The disk is full")

    /// The verdict on a mail that waits so many seconds already, and that the archive keeps from being sent.
    private static func verdict(afterSeconds waited: Int64) -> DeliveryVerdict {
        let now = UnixTime(1_000_000)
        let recipient = OutboxClaim.Recipient(position: 0, address: EmailAddress("maria@client.example")!)
        let claim = OutboxClaim(
            id: OutboxID(rawValue: 1), account: AccountID(rawValue: 1),
            messageID: MessageID(rawValue: "a@b.example"), envelopeID: "a",
            sender: EmailAddress("anna@firma.example"), kind: .single, needsUTF8: false, size: 1, attempt: 1,
            firstTry: nil, dueSince: now.advanced(bySeconds: -waited), recipients: [recipient], content: nil)
        return DeliveryVerdict(
            Transmission(
                recipientReplies: [0: SMTPReply(code: 250, lines: ["ok"])], ending: .abandoned(full)),
            of: claim, offered: [recipient], rules: SendRules(preset: .custom, limits: .init()), now: now,
            jitter: 0.5)
    }

    @Test(arguments: [(0, 5), (9, 5), (60, 30), (240, 120), (86_400, 120), (-50, 5)] as [(Int64, Int64)])
    func anUntriedMailIsTriedSoonAndEverLessOften(waited: Int64, pause: Int64) {
        let ending = Self.verdict(afterSeconds: waited).ending
        #expect(ending.nextTry == UnixTime(1_000_000 + pause))
        #expect(
            ending.weight == .nothing && ending.outcomes == [0: .waiting] && ending.failure?.code == .diskFull
        )
    }

    /// The outbox has lost some of a mail's bytes: of a large one that goes in pieces, and of a small one.
    @Test(arguments: [1, 2 << 20], ["piece = 0", "piece = (SELECT max(piece) FROM outbox_content)"])
    func aMailThatIsNotWholeAnyMoreIsNotSent(size: Int, lost: String) async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let path = try fixture.worker.directory.write("file.bin", Array(repeating: 0x55, count: size))
        let item = try await fixture.send("Hello", attachments: [path])
        try fixture.archive.writeUnaudited(.outboxCopied) { db in
            try PreparedStatement(db, "DELETE FROM outbox_content WHERE \(lost)").run()
        }
        let ended = try await fixture.deliver(item)
        #expect(ended.state == .failed && ended.remedy?.contains("verify") == true, "\(ended.state)")
        #expect(server.received.isEmpty)
    }

    /// As by a fault of the disk that nobody has noticed: they are as many as before.
    @Test(arguments: [1, 2 << 20]) func aMailWhoseBytesAreOthersIsNotSent(size: Int) async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let path = try fixture.worker.directory.write("file.bin", Array(repeating: 0x55, count: size))
        let item = try await fixture.send("Hello", attachments: [path])
        try fixture.archive.writeUnaudited(.outboxCopied) { db in
            try PreparedStatement(db, "DROP TRIGGER outbox_content_frozen").run()
            try PreparedStatement(
                db,
                """
                UPDATE outbox_content SET bytes = CAST(replace(CAST(bytes AS TEXT), 'Hello', 'Hallo') AS BLOB)
                """
            ).run()
        }
        let ended = try await fixture.deliver(item)
        #expect(ended.state == .failed && ended.remedy?.contains("verify") == true, "\(ended.state)")
        #expect(server.received.isEmpty)
    }

    @Test func aPauseThatIsOverAndCannotBeForgottenStopsNoMail() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        try fixture.archive.pauseSending(
            fixture.account, SendPause(until: fixture.clock.now, failures: 1, failure: Self.full))
        try fixture.archive.writeUnaudited(.outboxPaused) { db in
            try PreparedStatement(
                db,
                "CREATE TRIGGER stuck BEFORE DELETE ON send_pauses BEGIN SELECT RAISE(ABORT, 'no room'); END"
            ).run()
        }
        let item = try await fixture.deliver(try await fixture.send("Hello"))
        #expect(item.state == .sent && item.attempts == 1, "\(item.reason ?? "")")
        #expect(server.received.count == 1)
    }

    /// `send --wait` after a failed fsync: only the next process can say what became of the mail.
    @Test func aMailWhoseAnswerCannotBeStoredAnyMoreIsNotWaitedFor() async throws {
        let server = try ScriptedSMTPServer([.endOfData: .replyWhenReleased("250 taken")])
        defer { server.stop() }
        let fixture = try SendFixture(server, timeoutSeconds: 60)
        let id = try await fixture.send("Hello")
        async let delivery = fixture.deliver(id)
        await until { !server.received.isEmpty }
        _ = fixture.archive.stop.noting(WriteStop.failure)
        server.release()
        do {
            _ = try await delivery
            Issue.record("it was delivered by a process that writes nothing")
        } catch let failure as MailFailure {
            #expect(failure.code == .archiveStopped)
        }
        #expect(try fixture.archive.outboxItem(id).state == .sending)
    }
}
