import Archive
import Foundation
import MIMEParse
import MailModel
import MailSend
import MailTestKit
import MailTransport
import Testing

@testable import Worker

/// An account that sends, on one connection, to a server that offers all that changes a command, and keeps every
/// octet that it gets.
final class WireFixture {
    let server: ScriptedSMTPServer
    let worker: WorkerFixture
    private let settings: SendSettings
    private let loop: NetworkLoop
    private let parsing = InProcessParsing(parser: MIMEParser())
    /// The bytes that were frozen when each mail was queued.
    private(set) var frozen: [OutboxID: [UInt8]] = [:]
    private var messages = 0

    var archive: Archive { worker.archive }

    init() throws {
        let server = try ScriptedSMTPServer(
            capabilities: ["AUTH PLAIN", "PIPELINING", "8BITMIME", "SIZE 50000000", "DSN", "SMTPUTF8"],
            keepsBytes: true)
        self.server = server
        worker = try WorkerFixture {
            $0.smtp = ServerEndpoint(host: "127.0.0.1", port: server.port, security: .none)
        }
        try worker.archive.setSendLimits(SendLimits(connections: 1), of: worker.account)
        var polls = PollSettings(allowedNetworks: try NetworkAllowList(["127.0.0.0/8"]))
        let clock = worker.clock
        polls.now = { clock.now }
        settings = SendSettings(connections: polls)
        loop = try NetworkLoop()
    }

    deinit { server.stop() }

    /// Queues what was asked for, as `send` does.
    func submit(_ request: MailRequest) async throws -> OutboxID {
        var limits = MailSubmission.Settings()
        limits.userHourlyRecipients = .max
        let submission = MailSubmission(archive: archive, parsing: parsing, settings: limits)
        return try keep(await submission.submit(request, by: "anna", isImmediate: true).receipt.item)
    }

    /// Queues bytes and an envelope that no composer has looked at.
    func queue(
        _ content: [UInt8], sender: EmailAddress? = EmailAddress(WorkerFixture.own),
        to recipients: [EmailAddress] = [EmailAddress(WorkerFixture.client)!], envelopeID: String? = nil
    ) throws -> OutboxID {
        messages += 1
        var draft = OutboxDraft(
            account: worker.account, requestedBy: "anna",
            messageID: MessageID(rawValue: "q\(messages)@firma.example"), sender: sender,
            recipients: recipients.map { .init($0) }, content: MessageBytes(content),
            notBefore: worker.clock.now)
        draft.envelopeID = envelopeID
        return try keep(archive.queueMail(draft).item)
    }

    private func keep(_ item: OutboxID) throws -> OutboxID {
        var bytes: [UInt8] = []
        var number = 0
        while case let piece = try archive.outboxPiece(item, number), !piece.isEmpty {
            bytes += piece
            number += 1
        }
        frozen[item] = bytes
        return item
    }

    /// A message that came to INBOX.
    func received(_ bytes: [UInt8]) throws -> ArchivedMessageID {
        messages += 1
        let message = ReceivedMessage(
            folder: worker.inbox, uidValidity: UIDValidity(7), uid: UID(UInt32(messages)), internalDate: nil,
            bytes: MessageBytes(bytes))
        let read = ParseOutcome.read(MIMEParser().parse(message.bytes))
        let outcome = try archive.ingest([MessageReader.arrival(of: message, read: read)])[0]
        return try #require(outcome.message)
    }

    /// Sends all that is due, on one connection after the other, and reads what went over them.
    func send() async throws -> [WireDialogue] {
        let account = try worker.polled()
        let sessions = SessionKeeper(idleSeconds: 30, now: { UnixTime(0) })
        let sender = AccountSender(
            archive: archive, loop: loop,
            signIn: AccountSignIn(archive: archive, loop: loop, settings: settings.connections),
            journal: OutboxJournal(archive: archive), sessions: sessions, settings: settings, watch: { _ in })
        await sender.run(account, stop: SendingStop())
        sessions.closeAll()
        return try server.bytes.map { bytes in
            let dialogue = try WireDialogue(bytes)
            #expect(dialogue.opening.count == 4)
            return dialogue
        }
    }
}
