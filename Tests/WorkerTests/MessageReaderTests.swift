import Archive
import MIMEParse
import MailModel
import Matcher
import Testing

@testable import Worker

struct MessageReaderTests {
    private func arrival(_ text: String) -> Arrival {
        let bytes = MessageBytes(Array(text.utf8))
        return MessageReader.arrival(
            of: ReceivedMessage(
                folder: FolderID(rawValue: 1), uidValidity: UIDValidity(2), uid: UID(3),
                internalDate: UnixTime(4), bytes: bytes),
            read: .read(MIMEParser().parse(bytes)))
    }

    @Test(arguments: [
        "", "\u{0}", "no header at all", "\r\n\r\n\r\n", String(repeating: "x", count: 100_000),
    ])
    func rubbishIsAnArrivalWithItsBytes(text: String) {
        let arrival = arrival(text)
        #expect(arrival.original.count == text.utf8.count)
        #expect(arrival.uid == UID(3) && arrival.uidValidity == UIDValidity(2))
        #expect(arrival.internalDate == UnixTime(4))
    }

    @Test(arguments: ["a", "я", "€", "😀", "e\u{301}", "字"])
    func aSnippetIsCutBetweenCharactersOnly(character: String) {
        for padding in 0...4 {
            let text = String(repeating: "-", count: padding) + String(repeating: character, count: 400)
            let snippet = MessageReader.snippet(of: text)
            #expect(!snippet.contains("\u{FFFD}"))
            #expect(snippet.unicodeScalars.count == 200)
            #expect(text.hasPrefix(snippet) || character.unicodeScalars.count > 1)
        }
    }

    @Test(arguments: [
        ("", ""), (" \t\r\n ", ""), ("a", "a"), ("  a  b\r\n\r\nc\t", "a b c"), ("a\u{0B}\u{0C}b", "a b"),
    ])
    func whiteSpaceOfASnippetIsOneSpace(text: String, expected: String) {
        #expect(MessageReader.snippet(of: text) == expected)
    }

    @Test(arguments: 195...205)
    func theSpaceBeforeACharacterCountsToo(length: Int) {
        let snippet = MessageReader.snippet(of: String(repeating: "x", count: length) + " yz")
        #expect(snippet.count <= 200)
        #expect(snippet.last != " ")
        #expect(snippet.hasPrefix(String(repeating: "x", count: min(length, 200))))
    }

    @Test func aLongTextCostsNoMoreThanItsBeginning() {
        let text = String(repeating: " word", count: 1_000_000)
        #expect(MessageReader.snippet(of: text).count <= 200)
    }

    @Test func everyFieldOfParticipantsKeepsItsRole() throws {
        let content = try #require(
            arrival(
                """
                From: a@x.example\r
                Sender: b@x.example\r
                Reply-To: c@x.example\r
                To: d@x.example, e@x.example\r
                Cc: f@x.example\r
                Bcc: g@x.example\r
                Subject: S\r
                Message-ID: <m@x.example>\r
                \r
                Text
                """
            ).content)
        #expect(
            content.participants.map { "\($0.role) \($0.mailbox.address.addrSpec)" } == [
                "from a@x.example", "sender b@x.example", "replyTo c@x.example", "to d@x.example",
                "to e@x.example", "cc f@x.example", "bcc g@x.example",
            ])
        #expect(content.messageID == MessageID(rawValue: "m@x.example"))
        #expect(content.subject == "S" && content.snippet == "Text" && content.category == .personal)
    }

    @Test func mailThatNobodyWroteIsToldByItsKind() throws {
        let list = "List-Id: <l.x.example>\r\nAuto-Submitted: auto-generated\r\n\r\nT"
        #expect(try #require(arrival(list).content).category == .list)
        #expect(try #require(arrival("Auto-Submitted: auto-replied\r\n\r\nT").content).category == .automatic)
        let report =
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            + "--b\r\n\r\nx\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
            + "Reporting-MTA: dns; x.example\r\n\r\nFinal-Recipient: rfc822; y@x.example\r\nAction: failed\r\n"
            + "\r\n--b--\r\n"
        let content = try #require(arrival(report).content)
        #expect(content.isDeliveryReport && content.category == .report)
    }
}
