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

    private func form(_ fields: String, _ body: String = "Text") -> Digest256 {
        reading("From: a@b.example\nMessage-ID: <1@b.example>\n\(fields)\n\(body)\n").formDigest
    }

    @Test func `the same body under another type, boundary, charset or encoding is another form`() {
        let body = ["A", "B", "a"].map { "--\($0)\n\nTo whom \($0) is\n--\($0)--" }.joined(separator: "\n")
        let forms = [
            "", "Content-Type: text/html\n", "Content-Type: text/plain; charset=utf-8\n",
            "Content-Type: text/plain; charset=koi8-r\n",
            "Content-Transfer-Encoding: quoted-printable\n", "Content-Type: multipart/mixed; boundary=A\n",
            "Content-Type: multipart/mixed; boundary=B\n", "Content-Type: multipart/mixed; boundary=a\n",
        ].map { form($0, body) }
        #expect(Set(forms).count == forms.count)
        let encoded = "Content-Transfer-Encoding: base64\n"
        #expect(form(encoded, "SGVsbG8sIHdvcmxkIQ==") != form("", "SGVsbG8sIHdvcmxkIQ=="))
        // What cannot be decoded is read as it stands, with and without the field.
        #expect(form(encoded, body) == form("", body))
    }

    @Test func `what a relay writes otherwise and means the same is the same form`() {
        let plain = form("")
        for fields in [
            "Content-Type: text/plain\n", "Content-Type: TEXT/Plain; charset=\"US-ASCII\"\n",
            "Content-Transfer-Encoding: 7bit\n", "Content-Transfer-Encoding: 8BIT\n", "MIME-Version: 1.0\n",
        ] { #expect(form(fields) == plain, "\(fields)") }
        let quoted = form("Content-Type: text/plain; charset=\"utf-8\";\n\tformat=flowed\n")
        #expect(form("Content-Type: text/plain; format=flowed; charset=UTF-8\n") == quoted)
    }
}
