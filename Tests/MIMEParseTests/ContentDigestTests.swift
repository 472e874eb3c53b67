import MIMEParse
import MailModel
import Testing

@Suite struct ContentDigestTests {
    private static let mail = """
        From: Anna <a@b.example>
        To: c@d.example
        Cc: e@f.example
        Subject: Offer
        Date: Mon, 1 Jan 2024 00:00:00 +0000
        Message-ID: <1@b.example>

        The body.

        Its end.
        """

    private func digest(_ mail: String) -> Digest256 { reading(mail).contentDigest }

    @Test(arguments: [
        ("Anna <a@b.example>", "Anna <x@b.example>"), ("To: c@d.example", "To: x@d.example"),
        ("Cc: e@f.example", "Cc: x@f.example"), ("Subject: Offer", "Subject: Refusal"),
        ("00:00:00", "00:00:01"), ("<1@b.example>", "<2@b.example>"), ("The body.", "The bodY."),
        ("Date: Mon, 1 Jan 2024", "Date: impossible"),
        ("To: c@d.example\nCc: e@f.example", "To: c@d.example, e@f.example"),
    ])
    func whatTheSenderWroteMatters(_ from: String, _ to: String) {
        let changed = Self.mail.replacing(from, with: to)
        #expect(changed != Self.mail)
        #expect(digest(changed) != digest(Self.mail))
    }

    @Test(arguments: [
        "Received: by mx.example\n", "Return-Path: <a@b.example>\n", "Bcc: g@h.example\n", "X-Spam: no\n",
        "Delivered-To: c@d.example\nReceived: from x\n\tby y\n",
    ])
    func whatItsWayAddedDoesNot(_ fields: String) {
        #expect(digest(fields + Self.mail) == digest(Self.mail))
    }

    @Test func lineEndsAndBlankLinesAtTheEndDoNot() {
        #expect(digest(Self.mail.replacing("\n", with: "\r\n")) == digest(Self.mail))
        #expect(digest(Self.mail + "\n\n\r\n") == digest(Self.mail))
        #expect(digest(Self.mail.replacing("Anna <a@b.example>", with: "A@B.example")) == digest(Self.mail))
        let long = Self.mail + String(repeating: "\nline of text", count: 5000)
        #expect(digest(long.replacing("\n", with: "\r\n")) == digest(long))
    }

    @Test func twoUnreadableDatesDiffer() {
        #expect(digest("Date: one\n\nx") != digest("Date: two\n\nx"))
    }
}
