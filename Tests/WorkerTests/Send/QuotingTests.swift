import Archive
import Foundation
import MIMEParse
import MailModel
import MailSend
import MailTestKit
import Testing

@testable import Worker

/// Replies and forwarded mail: whom they go to, where they stand in the thread, and what they take along.
@Suite struct QuotingTests {
    private static let letter = Array(
        """
        From: =?utf-8?B?0JzQsNGA0LjRjw==?= <maria@client.example>\r
        To: anna@firma.example\r
        Subject: Offer <b>17</b>\r
        Message-ID: <a@client.example>\r
        References: <zero@client.example>\r
        Date: Mon, 06 May 2024 10:00:00 +0000\r
        MIME-Version: 1.0\r
        Content-Type: multipart/mixed; boundary=xx\r
        \r
        --xx\r
        Content-Type: text/html; charset=utf-8\r
        \r
        <p onclick="x()">Hello &lt;Anna&gt;</p><script>steal()</script><p>&gt; older</p>\r
        --xx\r
        Content-Type: application/pdf\r
        Content-Disposition: attachment; filename="offer.pdf"\r
        Content-Transfer-Encoding: base64\r
        \r
        JVBERi0=\r
        --xx--\r\n
        """.utf8)

    /// Reads messages, and none of their files.
    private struct WithoutFiles: MessageParsing {
        func parse(_ batch: [MessageBytes]) async throws(MailFailure) -> [ParseOutcome] {
            try await InProcessParsing(parser: MIMEParser()).parse(batch)
        }

        func attachmentContent(_: Int, of _: MessageBytes) async throws(MailFailure) -> [UInt8]? { nil }
    }

    /// A message in the archive, and what comes of a request about it, read back.
    private static func written(
        _ bytes: [UInt8] = letter, parsing: any MessageParsing = InProcessParsing(parser: MIMEParser()),
        _ change: (inout MailRequest, ArchivedMessageID) -> Void
    ) async throws -> ParsedMessage {
        let fixture = try WorkerFixture {
            $0.smtp = ServerEndpoint(host: "127.0.0.1", port: 1, security: .none)
        }
        let received = ReceivedMessage(
            folder: fixture.inbox, uidValidity: UIDValidity(7), uid: UID(1), internalDate: nil,
            bytes: MessageBytes(bytes))
        let read = try await parsing.parse([received.bytes])[0]
        guard
            case .linked(let id, _) = try fixture.archive.ingest([
                MessageReader.arrival(of: received, read: read)
            ])[0]
        else { throw MailFailure(.unknownMessage, kind: .permanent, "not linked") }
        var request = MailRequest(account: "anna", to: [])
        request.text = "Own words\n\n"
        change(&request, id)
        let item = try await MailSubmission(archive: fixture.archive, parsing: parsing, settings: .init())
            .submit(request, by: "anna", isImmediate: true).receipt.item
        var sent: [UInt8] = []
        var number = 0
        while case let piece = try fixture.archive.outboxPiece(item, number), !piece.isEmpty {
            sent += piece
            number += 1
        }
        return sent.withUnsafeBytes { MIMEParser().parse($0) }
    }

    @Test func aMailIsNotForwardedWithoutAFileThatCannotBeRead() async throws {
        await #expect {
            _ = try await Self.written(parsing: WithoutFiles()) { request, id in
                request.to = ["boris@firma.example"]
                request.forward = "\(id)"
            }
        } throws: { error in
            let failure = error as? MailFailure
            return failure?.code == .unreadableMessage && failure?.remedy?.contains("original") == true
        }
    }

    @Test func aMailThatAnswersAndForwardsAtOnceIsRefused() async throws {
        let failure = await #expect(throws: MailFailure.self) {
            _ = try await Self.written { request, id in
                request.replyToMessage = "\(id)"
                request.forward = "\(id)"
            }
        }
        #expect(failure?.code == .answersAndForwards)
    }

    @Test(arguments: [
        "Auto-Submitted: auto-replied", "X-Auto-Reply: yes", "Return-Path: <>", "Precedence: bulk",
    ])
    func automaticMailDoesNotAnswerAutomaticMail(_ field: String) async throws {
        let automatic = Array("\(field)\r\n".utf8) + Self.letter
        let failure = await #expect(throws: MailFailure.self) {
            _ = try await Self.written(automatic) { request, id in
                request.replyToMessage = "\(id)"
                request.kind = .automatic
            }
        }
        #expect(failure?.code == .answersAutomatic)
    }

    /// Whoever answers has no say in what stands there.
    @Test func whatOthersWroteIntoTheirHeadersKeepsNobodyFromAnswering() async throws {
        let odd = Array(
            """
            From: =?utf-8?q?Ma=E2=80=A8ria?= <maria@client.example>\r
            To: =?utf-8?q?An=C2=85na?= <anna@firma.example>, =?utf-8?q?I=E2=80=A9van?= <ivan@client.example>\r
            Subject: =?utf-8?q?Off=E2=80=A8er_=01_17?=\r
            \r
            Hello\r

            """.utf8)
        let answer = try await Self.written(odd) { request, id in
            request.replyToMessage = "\(id)"
            request.replyAll = true
        }
        #expect(answer.subject == "Re: Off er 17")
        #expect(answer.to.map(\.displayName) == ["Ma ria"] && answer.cc.map(\.displayName) == ["I van"])
        let forwarded = try await Self.written(odd) { request, id in
            request.forward = "\(id)"
            request.to = ["boss@firma.example"]
        }
        #expect(forwarded.subject == "Fwd: Off er 17")
    }

    @Test func aReplyQuotesTheTextAndJoinsTheThread() async throws {
        let mail = try await Self.written { request, id in request.replyToMessage = "\(id)" }
        #expect(mail.to.map(\.address.addrSpec) == ["maria@client.example"])
        #expect(mail.subject == "Re: Offer <b>17</b>")
        #expect(mail.inReplyTo.map(\.rawValue) == ["a@client.example"])
        #expect(mail.references.map(\.rawValue) == ["zero@client.example", "a@client.example"])
        let text = try #require(mail.text)
        #expect(text.hasPrefix("Own words\n\n"))
        #expect(text.contains("Мария <maria@client.example>") && text.contains("> Hello <Anna>"))
        // A reader finds out which words are new.
        #expect(mail.split?.quoted.isEmpty == false)
        #expect(mail.attachments.isEmpty)
    }

    @Test func aReplyToAllReachesEverybodyButItsWriter() async throws {
        let wide = Array(
            String(decoding: Self.letter, as: UTF8.self)
                .replacing("To: anna@firma.example", with: "To: anna@firma.example, ivan@client.example").utf8
        )
        let mail = try await Self.written(wide) { request, id in
            request.replyToMessage = "\(id)"
            request.replyAll = true
        }
        #expect(mail.to.map(\.address.addrSpec) == ["maria@client.example"])
        #expect(mail.cc.map(\.address.addrSpec) == ["ivan@client.example"])
        #expect(mail.inReplyTo.map(\.rawValue) == ["a@client.example"])
    }

    @Test func anAnswerToEverybodyOfNoMessageIsRefused() async throws {
        let failure = await #expect(throws: MailFailure.self) {
            _ = try await Self.written { request, _ in
                request.to = ["maria@client.example"]
                request.replyAll = true
            }
        }
        #expect(failure?.code == .answersNobody)
    }

    @Test func aReplyWithoutQuotingHoldsItsOwnWordsOnly() async throws {
        let mail = try await Self.written { request, id in
            request.replyToMessage = "\(id)"
            request.quote = false
        }
        #expect(mail.text?.contains("Hello") == false)
        #expect(mail.inReplyTo.count == 1)
    }

    @Test func nothingOfAStrangersHTMLRuns() async throws {
        let mail = try await Self.written { request, id in
            request.text = nil
            request.html = "<html><body><p>Own</p></body></html>"
            request.replyToMessage = "\(id)"
        }
        let quoted = QuotedMessage(message: Self.letter.withUnsafeBytes { MIMEParser().parse($0) })
        let html = quoted.answered(belowHTML: "<html><body><p>Own</p></body></html>")
        #expect(!html.contains("onclick") && !html.contains("<script") && html.contains("Hello &lt;Anna&gt;"))
        #expect(html.hasSuffix("</div></body></html>"))
        #expect(mail.hasHTML && mail.text?.contains("Hello <Anna>") == true)
    }

    @Test func aForwardedMailTakesTheFilesAlong() async throws {
        let mail = try await Self.written { request, id in
            request.to = ["boris@firma.example"]
            request.forward = "\(id)"
        }
        #expect(mail.to.map(\.address.addrSpec) == ["boris@firma.example"])
        #expect(mail.subject == "Fwd: Offer <b>17</b>")
        #expect(mail.inReplyTo.isEmpty)
        #expect(mail.references.last?.rawValue == "a@client.example")
        #expect(mail.attachments.map(\.filename) == ["offer.pdf"] && mail.attachments.map(\.size) == [5])
        #expect(mail.text?.contains("Forwarded message") == true)
        #expect(mail.text?.contains("Subject: Offer <b>17</b>") == true)
    }

    @Test func whoeverAnswersTheirOwnMailWritesToItsRecipientsAgain() async throws {
        let own = Array(
            String(decoding: Self.letter, as: UTF8.self)
                .replacing("To: anna@firma.example", with: "To: maria@client.example")
                .replacing("<maria@client.example>\r\nTo", with: "<anna@firma.example>\r\nTo").utf8)
        let mail = try await Self.written(own) { request, id in request.replyToMessage = "\(id)" }
        #expect(mail.to.map(\.address.addrSpec) == ["maria@client.example"])
    }

    @Test(arguments: [("Re: x", "Re: x"), ("RE: x", "RE: x"), ("x", "Re: x"), ("", "Re: ")])
    func aSubjectIsMarkedOnce(subject: String, expected: String) {
        var message = ParsedMessage(contentDigest: Digest256(bytes: [UInt8](repeating: 0, count: 32))!)
        message.subject = subject
        #expect(QuotedMessage(message: message).replySubject == expected)
    }
}
