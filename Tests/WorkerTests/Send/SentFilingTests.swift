import Archive
import MIMEParse
import MailModel
import Matcher
import Testing

@testable import Worker

/// What was sent is put into the archive in the bytes that went out.
@Suite struct SentFilingTests {
    /// A mail that went out to Maria, and what becomes of a stranger's answer to it.
    private static func outcome(
        references change: (MessageID) -> String, threads: MatchPolicy.Threads
    ) async throws -> IngestOutcome {
        let fixture = try WorkerFixture {
            $0.smtp = ServerEndpoint(host: "127.0.0.1", port: 1, security: .none)
        }
        let clock = fixture.clock
        var options = ArchiveOptions(clock: { clock.now })
        options.matching.threads = threads
        let archive = try Archive.open(
            directory: fixture.directory.path + "/data", key: fixture.key, options: options)
        let parsing = InProcessParsing(parser: MIMEParser())
        var request = MailRequest(account: "anna", to: [WorkerFixture.client])
        request.text = "Offer"
        let receipt = try await MailSubmission(archive: archive, parsing: parsing, settings: .init())
            .submit(request, by: "anna", isImmediate: true).receipt
        try fixture.sent(receipt.item)
        #expect(try await SentFiling(archive: archive, parsing: parsing).run() == 1)
        let answer = """
            From: colleague@client.example\r
            To: \(WorkerFixture.own)\r
            Message-ID: <answer@client.example>\r
            In-Reply-To: <\(change(receipt.messageID))>\r
            \r
            Yes\r\n
            """
        let received = ReceivedMessage(
            folder: fixture.inbox, uidValidity: UIDValidity(7), uid: UID(1), internalDate: nil,
            bytes: MessageBytes(Array(answer.utf8)))
        let read = try await parsing.parse([received.bytes])[0]
        return try archive.ingest([MessageReader.arrival(of: received, read: read)])[0]
    }

    @Test func aForgedReferenceLinksNothing() async throws {
        for forge in [
            { (id: MessageID) in "x" + id.rawValue },
            { (id: MessageID) in id.rawValue + "x" },
            // An id that is in nobody's Sent folder.
            { (id: MessageID) in "aaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaa@firma.example" },
        ] {
            guard case .review = try await Self.outcome(references: forge, threads: .link) else {
                Issue.record("linked by a reference that nobody issued")
                continue
            }
        }
    }

    @Test func anAnswerToAMailThatWasSentJoinsItsThreadWhereThatIsWanted() async throws {
        let linked = try await Self.outcome(references: \.rawValue, threads: .link)
        guard case .linked(_, let contacts) = linked else {
            Issue.record("not linked: \(linked)")
            return
        }
        #expect(contacts.count == 1)
        guard case .review = try await Self.outcome(references: \.rawValue, threads: .suggest) else {
            Issue.record("linked although it is only to be suggested")
            return
        }
    }

    @Test(arguments: [0, 4 << 20])
    func theBytesAreThoseThatWentOut(heapBytes: Int) async throws {
        let fixture = try WorkerFixture()
        let line = Array((String(repeating: "x", count: 76) + "\r\n").utf8)
        var sent = Array(
            "From: \(WorkerFixture.own)\r\nTo: \(WorkerFixture.client)\r\nMessage-ID: <a@b>\r\n\r\n".utf8)
        // Several pieces of the outbox.
        while sent.count < 1_300_000 { sent += line }
        let item = try fixture.archive.queueMail(
            OutboxDraft(
                account: fixture.account, requestedBy: "anna", messageID: MessageID(rawValue: "a@b"),
                sender: EmailAddress(WorkerFixture.own),
                recipients: [OutboxDraft.Recipient(EmailAddress(WorkerFixture.client)!)],
                content: MessageBytes(sent), notBefore: fixture.clock.now)
        ).item
        try fixture.sent(item)
        let filing = SentFiling(
            archive: fixture.archive, parsing: InProcessParsing(parser: MIMEParser()), heapBytes: heapBytes)
        #expect(try await filing.run() == 1)
        #expect(try await filing.run() == 0)
        let message = try #require(try fixture.archive.outboxItem(item).message)
        #expect(try fixture.archive.original(of: message).withUnsafeBytes { Array($0) } == sent)
        #expect(try fixture.historyCount() == 1)
    }
}
