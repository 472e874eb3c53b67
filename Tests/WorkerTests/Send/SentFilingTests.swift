import Archive
import MIMEParse
import MailModel
import Testing

@testable import Worker

/// What was sent is put into the archive in the bytes that went out.
@Suite struct SentFilingTests {
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
        _ = try fixture.archive.claimOutbox(fixture.account) { facts, _ in facts.due.map(\.id) }
        var ending = OutboxEnding(item: item, attempt: 1, nextTry: fixture.clock.now)
        ending.outcomes = [0: .sent]
        _ = try fixture.archive.noteOutbox([.ended(ending)])
        let filing = SentFiling(
            archive: fixture.archive, parsing: InProcessParsing(parser: MIMEParser()), heapBytes: heapBytes)
        #expect(try await filing.run() == 1)
        #expect(try await filing.run() == 0)
        let message = try #require(try fixture.archive.outboxItem(item).message)
        #expect(try fixture.archive.original(of: message).withUnsafeBytes { Array($0) } == sent)
        #expect(try fixture.historyCount() == 1)
    }
}
