import Foundation
import MIMEParse
import MailModel
import Testing

@Suite struct StructureTests {
    @Test(arguments: [
        "", "\n", "\r\n\r\n", ":", "--", "From ", "Content-Type: multipart/mixed; boundary=b\n\n--b",
        "Content-Type: multipart/mixed; boundary=b\n\n--b--",
        "Content-Type: multipart/mixed; boundary=\n\n--\n--\n",
        "Content-Type: multipart/mixed; boundary=b", "Content-Type: message/rfc822", "\u{0}\u{0}\u{0}",
        "Content-Transfer-Encoding: base64\n\n=", "Content-Type: text/html\n\n<", "\u{FEFF}Subject: x\n\ny",
    ])
    func scrapsAreRead(_ mail: String) {
        let message = reading(mail)
        #expect(message.attachments.count <= 1)
    }

    @Test func anEmptyMessageSaysOnlyThat() {
        #expect(reading("").defects == [.emptyMessage])
    }

    @Test func anUnclosedInnerMultipartLosesNothing() {
        let message = reading(
            "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\ntext\n--i\nContent-Type: text/html\n\n<b>x</b>\n--o\nContent-Type: application/a\n\n1\n--o\nContent-Type: application/b\n\n2\n--o--\n"
        )
        #expect(message.attachments.map(\.contentType) == ["application/a", "application/b"])
        #expect(message.text == "text")
        #expect(message.defects.contains(.missingClosingBoundary))
    }

    @Test func ofTwoTypesTheFirstCountsUnlessTheSecondHasParts() {
        let parts = "\n\n--b\nContent-Type: a/a\n\n1\n--b--\n"
        let multipart = "\nContent-Type: multipart/mixed; boundary=b"
        #expect(
            reading("Content-Type: text/plain" + multipart + parts).attachments.map(\.contentType) == ["a/a"])
        #expect(
            reading("Content-Type: image/png" + multipart + parts).attachments.map(\.contentType) == [
                "image/png"
            ])
        let file = "Content-Type: text/plain\nContent-Disposition: attachment; filename=f"
        #expect(reading(file + multipart + parts).attachments.map(\.filename) == ["f"])
        let named = reading("Content-Type: text/plain; charset=koi8-r" + multipart + "\n\n\u{442}")
        #expect(named.text == "\u{442}")
        #expect(named.attachments.isEmpty)
        let html = reading("Content-Type: text/html" + multipart + "\n\n<p>text")
        #expect(html.text == "text")
        #expect(html.hasHTML)
    }

    /// As gateways write that turn LF into CRLF twice, and those that fill lines with blanks.
    @Test(arguments: ["\r\r\n", " \r\n", " \n"])
    func lineEndsOfTooMuchEndHeadersAndLines(_ lineEnd: String) {
        let mail =
            "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n"
            + "Content-Transfer-Encoding: quoted-printable\n\none=\n two\nthree\n--b\nContent-Type: a/a\n\n1\n--b--\n"
        let message = reading(mail.replacing("\n", with: lineEnd))
        #expect(message.subject == "s")
        #expect(message.text?.replacing(" \n", with: "\n") == "one two\nthree")
        #expect(message.attachments.map(\.contentType) == ["a/a"])
    }

    /// Of two multiparts, each with a file behind what stands there.
    private func types(in inner: String, then outer: String = "--o--") -> [String] {
        let head = "Content-Type: multipart/mixed; boundary=o\n\n--o\n"
        return reading(head + "Content-Type: multipart/mixed; boundary=i\n\n\(inner)\n\(outer)\n").attachments
            .map(\.contentType)
    }

    @Test(arguments: [
        "Content-Type: b/b", "X-Id: 1\nContent-Type: b/b", "content-id: <1>\ncontent-type: b/b",
    ])
    func aMultipartGoesOnBehindAClosingDelimiterOfTheOuterOne(_ fields: String) {
        let closed = "--i\nContent-Type: a/a\n\n1\n--o--\n--i\n\(fields)\n\n2\n--i--"
        #expect(types(in: closed) == ["a/a", "b/b"])
        #expect(types(in: closed, then: "--o\nContent-Type: c/c\n\n3\n--o--") == ["a/a", "b/b", "c/c"])
        #expect(types(in: "--o--\n--i\n\(fields)\n\n2\n--i--") == ["b/b"])
        #expect(
            types(in: "--i\nContent-Type: a/a\n\n1\n--o\nContent-Type: c/c\n\n3\n--i\n\(fields)\n\n2")
                == ["a/a", "c/c", "b/b"])
    }

    @Test func aMultipartThatClosedItselfDoesNotGoOnBehindAnOuterPart() {
        let closed =
            "--i\nContent-Type: a/a\n\n1\n--i--\n--o\nContent-Type: c/c\n\n3\n--i\nContent-Type: b/b\n\n2"
        #expect(types(in: closed) == ["a/a", "c/c"])
    }

    @Test func delimitersOfAnUnclosedMultipartAreTextWhereNoContentFieldFollows() {
        let open = "--i\nContent-Type: a/a\n\n1\n--o\n\nsee\n--i\nA: b\n\n--i\n\n--i"
        #expect(types(in: open) == ["a/a"])
    }

    @Test func aMessageWithinMayShareADelimiterWithAnUnclosedMultipart() {
        let open = "--i\n\nx\n--o\nContent-Type: message/rfc822\n\nA: b\n\n--i\nContent-Type: b/b\n\n2"
        #expect(types(in: open) == ["message/rfc822"])
    }

    @Test func oneBoundaryMayBeginLikeAnother() {
        let message = reading(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\nContent-Type: application/a\n\n1\n--bb--\n--b\nContent-Type: application/b\n\n2\n--b--\n"
        )
        #expect(message.attachments.map(\.contentType) == ["application/a", "application/b"])
    }

    @Test(arguments: [
        "boundary=\"b;\"", "boundary=\"b \"", "boundary=b;", "x=y", "charset=utf-8; boundary=c",
    ])
    func oddBoundariesAreFound(_ parameter: String) {
        let line = parameter.contains("b;\"") ? "--b;" : "--b"
        let message = reading(
            "Content-Type: multipart/mixed; \(parameter)\n\n\(line)\nContent-Type: application/a\n\n1\n\(line)\nContent-Type: application/b\n\n2\n\(line)--\n"
        )
        #expect(message.attachments.count == 2)
    }

    @Test func aMessageWithinIsOneAttachmentAndNotEntered() {
        let message = reading(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/mixed; boundary=i\n\n--i\nContent-Type: application/x\n\n1\n--i--\n--b--\n"
        )
        #expect(message.attachments.map(\.contentType) == ["message/rfc822"])
        #expect(message.text == "see")
        #expect(message.subject == nil)
        #expect(!message.defects.contains(.structureRepaired))
    }

    @Test func inABase64MessageWithinTheDecodedBytesCount() {
        let message = reading(
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKeQ==\n")
        #expect(message.attachments.map(\.size) == [13])
    }

    @Test func digestsHoldMessages() {
        let message = reading(
            "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: a\n\nx\n--b\n\nSubject: b\n\ny\n--b--\n"
        )
        #expect(message.attachments.map(\.contentType) == ["message/rfc822", "message/rfc822"])
    }

    @Test func namesOfFieldsInOtherLettersHideNoField() {
        let message = reading("Тема: a\nИмя: b\n c\nSubject: Delivery\n\nText.\n")
        #expect(message.subject == "Delivery")
        #expect(message.text == "Text.")
        let words = reading("Subject: Delivery\nВнимание: счёт\nСрочно: оплата\nto us\n")
        #expect(words.text == "Внимание: счёт\nСрочно: оплата\nto us")
    }

    @Test func envelopeLinesAndByteOrderMarksAreSkipped() {
        #expect(reading("From x@y Mon Jan 1 00:00:00 2024\nSubject: s\n\nb").subject == "s")
        #expect(reading("\u{FEFF}Subject: s\n\nb").subject == "s")
        #expect(reading("Subject: s\rTo: a@b.example\r\rbody").to.count == 1)
    }

    @Test func inlinePicturesAreMarked() {
        let message = reading(
            "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<img src=\"cid:p@x\">\n--b\nContent-Type: image/png; name=p.png\nContent-ID: <p@x>\n\n1\n--b\nContent-Type: image/png; name=q.png\nContent-ID: <q@x>\n\n1\n--b--\n"
        )
        #expect(message.attachments.map(\.isInline) == [true, false])
        #expect(message.attachments.map(\.contentID) == ["p@x", "q@x"])
    }

    @Test func aMultipartInBase64IsEntered() {
        let parts = "--b\n\nhello\n--b\nContent-Type: application/a; name=a\n\nfile\n--b--\n"
        let encoded = Data(parts.utf8).base64EncodedString()
        let mail = Array(
            "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n\(encoded)\n"
                .utf8)
        let message = reading(mail)
        #expect(message.text == "hello")
        #expect(message.attachments.map(\.filename) == ["a"])
        #expect(message.defects.contains(.structureRepaired))
        let content = mail.withUnsafeBytes { MIMEParser().attachmentContent(0, of: $0) }
        #expect(content == Array("file".utf8))
        #expect(mail.withUnsafeBytes { MIMEParser().attachmentContent(1, of: $0) } == nil)
    }

    @Test(arguments: [
        "multipart/alternative", "multipart/alternative; boundary=zz",
        "multipart/alternative; boundary=\"zz \"",
    ])
    func aMultipartWithoutPartsTakesNothingFromTheOneAroundIt(_ type: String) {
        let message = reading(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: \(type)\n\njust a text\n--b\nContent-Type: text/plain\n\nmore\n--b\nContent-Type: application/a\n\n1\n--b--\n"
        )
        #expect(message.text == "just a text")
        #expect(message.furtherText == "more")
        #expect(message.attachments.map(\.contentType) == ["application/a"])
    }

    @Test(arguments: ["--b--", "--b--;", "--b-- text", "--b---", "--b-- \n\n \n", "--b;--"])
    func aClosingDelimiterWithMoreBehindItCloses(_ line: String) {
        let message = reading(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/a\n\n1\n\(line)\n")
        #expect(message.attachments.map(\.size) == [1])
    }

    @Test(arguments: ["--b--x", "--b-- text\nmore", "--b--;\n\nmore"])
    func whatLooksLikeAClosingDelimiterWithinAPartIsText(_ lines: String) {
        let message = reading(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n1\n\(lines)\n--b--\n")
        #expect(message.text == "1\n\(lines)")
    }

    @Test func multipartsWrappedOverAndOverEnd() {
        var body = "--b\n\ntext\n--b--\n"
        for _ in 0..<6 {
            let inner = Data(body.utf8).base64EncodedString()
            body =
                "--b\nContent-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n\(inner)\n--b--\n"
        }
        let message = reading("Content-Type: multipart/mixed; boundary=b\n\n\(body)")
        #expect(message.defects.contains(.structureRepaired))
    }
}
