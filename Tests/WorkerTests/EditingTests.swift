import Archive
import MIMEParse
import MailModel
import Testing

@testable import Worker

/// What is read anew out of an original is shown, quoted and found with the words of an edit.
@Suite struct EditingTests {
    private static let parsing = InProcessParsing(parser: MIMEParser())

    private let fixture: WorkerFixture
    private let message: ArchivedMessageID
    private var editing: MessageEditing { MessageEditing(archive: fixture.archive, parsing: Self.parsing) }

    init() async throws {
        fixture = try WorkerFixture()
        let bytes = Array(
            """
            From: stranger@else.example\r
            To: anna@firma.example\r
            Subject: Confidential\r
            Message-ID: <a@else.example>\r
            MIME-Version: 1.0\r
            Content-Type: multipart/mixed; boundary=xx\r
            \r
            --xx\r
            Content-Type: text/plain\r
            \r
            The zebrafinch is yellow.\r
            --xx\r
            Content-Type: application/pdf\r
            Content-Disposition: attachment; filename="offer.pdf"\r
            \r
            content\r
            --xx\r
            Content-Type: text/plain\r
            \r
            Footer with a nuthatch.\r
            --xx--\r\n
            """.utf8)
        let received = ReceivedMessage(
            folder: fixture.inbox, uidValidity: UIDValidity(7), uid: UID(1), internalDate: nil,
            bytes: MessageBytes(bytes))
        let read = try await Self.parsing.parse([received.bytes])[0]
        _ = try fixture.archive.ingest([MessageReader.arrival(of: received, read: read)])
        message = try #require(try fixture.archive.reviewItems().first).message
        try await SearchIndexing(archive: fixture.archive, parsing: Self.parsing).run()
    }

    private func shown() async throws -> ParsedMessage {
        try #require(
            try await ShownMessages(archive: fixture.archive, parsing: Self.parsing).read(message).message)
    }

    private func found(_ word: String) throws -> Bool {
        try !fixture.archive.search(SearchQuery(word)).isEmpty
    }

    @Test func `an edited text takes the place of all of it, and files stay`() async throws {
        try await editing.edit(
            message, subject: nil, text: "\u{FEFF}A goldcrest.\r\n-- \r\nTom, +7 916 123-45-67\r\n",
            by: "anna")
        let message = try await shown()
        #expect(message.text == "A goldcrest.\n-- \nTom, +7 916 123-45-67\n")
        #expect(message.furtherText == nil)
        #expect(message.split?.signatureText(in: message.text ?? "")?.contains("Tom") == true)
        #expect(message.subject == "Confidential")
        #expect(message.attachments.map(\.filename) == ["offer.pdf"])
        #expect(try fixture.archive.reviewItems().first?.snippet?.hasPrefix("A goldcrest. -- Tom") == true)
        #expect(try found("goldcrest") && !found("zebrafinch") && !found("nuthatch"))
        #expect(try fixture.archive.searchBacklog() == 0)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `an edited subject leaves the text, and no text is one too`() async throws {
        try await editing.edit(message, subject: "Harmless", text: nil, by: "anna")
        #expect(try await shown().subject == "Harmless")
        #expect(try await shown().text?.contains("zebrafinch") == true)
        #expect(try found("harmless") && found("zebrafinch") && !found("confidential"))
        try await editing.edit(message, subject: "", text: "", by: "anna")
        #expect(try await shown().subject == nil)
        #expect(try await shown().text == nil)
        #expect(try !found("harmless") && !found("zebrafinch"))
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `reverting shows, finds and suggests as before`() async throws {
        let before = try await shown()
        try await editing.edit(message, subject: "Harmless", text: "A goldcrest.", by: "anna")
        try await editing.revert(message)
        #expect(try await shown() == before)
        #expect(try found("zebrafinch") && found("nuthatch") && !found("goldcrest"))
        #expect(try fixture.archive.message(message).edited == nil)
        let content = { @Sendable (batch: [MessageBytes]) throws(MailFailure) -> [Content?] in
            batch.map { MessageReader.content(of: .read(MIMEParser().parse($0))) }
        }
        #expect(try fixture.archive.verify(reread: content).findings == [])
    }

    @Test func `the index made anew has the words of the edit`() async throws {
        try await editing.edit(message, subject: nil, text: "A goldcrest.", by: "anna")
        try fixture.archive.emptySearchIndex()
        try await SearchIndexing(archive: fixture.archive, parsing: Self.parsing).run()
        #expect(try found("goldcrest") && !found("zebrafinch"))
    }
}
