import MIMEParse
import MailModel
import Testing

private func base64(_ text: String) -> (String, Bool) {
    var decoder = Base64Decoder()
    var result: [UInt8] = []
    Array(text.utf8).withUnsafeBytes { decoder.decode($0, into: &result) }
    decoder.finish(into: &result)
    return (String(decoding: result, as: UTF8.self), decoder.isDamaged)
}

private func quotedPrintable(_ text: String) -> String {
    var result: [UInt8] = []
    _ = Array(text.utf8).withUnsafeBytes { QuotedPrintable.decode($0, into: &result) }
    return String(decoding: result, as: UTF8.self)
}

@Suite struct TransferDecodingTests {
    @Test func damagedBase64GivesWhatItCan() {
        #expect(base64("SGVs|bG8=") == ("Hello", true))
        #expect(base64("SGVsbG8") == ("Hello", true))
        #expect(base64("====") == ("", true))
        #expect(base64("S") == ("", true))
        #expect(base64("SGVsbG8=\n-- \nlist footer here") == ("Hello", true))
    }

    @Test(arguments: [
        "__________\nUsers mailing list\n", "\n-- \nIvan\n", "-- checked, nothing found --\n",
        "__________\nUsers@lists.example.org\nhttps://lists.example.org/mailman/listinfo/users\n",
    ])
    func wordsBehindUnpaddedBase64AreNoneOfIt(_ footer: String) {
        let data = "0J/RgNC40LLQtdGCLCDQvNC40YAsINC6"
        let message = reading(
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\(data)\n\(footer)"
        )
        #expect(message.text == "Привет, мир, к")
        let file = reading("Content-Type: a/b\nContent-Transfer-Encoding: base64\n\n\(data)\n\(footer)")
        #expect(file.attachments.map(\.size) == [24])
        #expect(file.defects.contains(.malformedBase64))
    }

    @Test(arguments: [
        "Добрый день, высылаю договор.\nВторая строка", "Dear customer,\nthis is the text of our mail.",
        "Hello\n\nwhat about it?",
    ])
    func textThatIsOnlySaidToBeBase64IsRead(_ text: String) {
        let message = reading("Content-Transfer-Encoding: base64\n\n\(text)\n")
        #expect(message.text == text)
        #expect(message.defects.contains(.malformedBase64))
    }

    @Test func base64InPiecesAndPaddedInTheMiddle() {
        #expect(base64("SGVs\r\nbG8=\r\n") == ("Hello", false))
        #expect(base64("SGVsbG8=\nSGVsbG8=\n") == ("HelloHello", false))
        let text = Array("SGVsbG8sIHdvcmxkIQ==".utf8)
        for cut in 0...text.count {
            var decoder = Base64Decoder()
            var result: [UInt8] = []
            text[..<cut].withUnsafeBytes { decoder.decode($0, into: &result) }
            text[cut...].withUnsafeBytes { decoder.decode($0, into: &result) }
            decoder.finish(into: &result)
            #expect(String(decoding: result, as: UTF8.self) == "Hello, world!")
        }
    }

    @Test func damagedQuotedPrintableStandsForItself() {
        #expect(quotedPrintable("a=ZZb") == "a=ZZb")
        #expect(quotedPrintable("100=% sure=") == "100=% sure")
        #expect(quotedPrintable("=4") == "=4")
    }

    @Test func softLineBreaksJoin() {
        #expect(quotedPrintable("a=\r\nb=\nc= \t\nd") == "abcd")
        #expect(quotedPrintable("=d0=9F") == "П")
    }

    @Test func uuencodedFilesInTextAreAttachments() {
        let message = reading("Subject: x\n\nsee\nbegin 644 a.txt\n#0V%T\n`\nend\nbye\n")
        #expect(message.attachments.map(\.filename) == ["a.txt"])
        #expect(message.attachments.map(\.size) == [3])
        #expect(message.text == "see\nbye")
        #expect(reading("Subject: x\n\nbegin 644 a.txt\nno such lines here at all\n").attachments.isEmpty)
    }

    /// As in mail that went through Japan: `\` has the octets of a yen sign.
    @Test(arguments: ["\\", "\u{A5}"])
    func yenSignsInAUuencodedFileAreBackslashes(_ sign: String) {
        let message = reading(
            "Subject: x\n\nbegin 644 \"a b.bin\"\n#\(sign)\(sign)##\n`\nend\nbye\n")
        #expect(message.attachments.map(\.filename) == ["a b.bin"])
        #expect(message.attachments.map(\.size) == [3])
        #expect(message.text == "bye")
        #expect(!message.defects.contains(.damagedFile))
    }

    /// With so many that the lines are too long: what was guessed does not take the place of the text.
    @Test(arguments: ["\u{A5}", "\u{20A9}", "\u{FFE5}"])
    func aUuencodedFileOfManySignsIsUnpackedAndStaysText(_ sign: String) {
        let lines = "&" + String(repeating: sign, count: 8)
        let message = reading("Subject: x\n\nbegin 644 a\n\(lines)\n`\nend\nbye\n")
        #expect(message.attachments.map(\.size) == [6])
        #expect(message.attachments.map(\.isUnpacked) == [true])
        #expect(
            message.attachments.map(\.sha256)
                == reading(
                    "Subject: x\n\nbegin 644 a\n&\\\\\\\\\\\\\\\\\n`\nend\n"
                ).attachments.map(\.sha256))
        #expect(message.text == "begin 644 a\n\(lines)\n`\nend\nbye")
        #expect(message.defects.contains(.damagedFile))
        let words = "begin 644 a\n&\(String(repeating: sign, count: 20))\n`\nend\n"
        #expect(reading("Subject: x\n\n\(words)").attachments.isEmpty)
    }

    @Test func aUuencodedFileWithADamagedLineIsADamagedFile() {
        let whole = String(repeating: "#0V%T\n", count: 8)
        let message = reading("Subject: x\n\nbegin 644 a\n\(whole)#0~%T\n\(whole)`\nend\nbye\n")
        #expect(message.attachments.count == 1)
        #expect(message.text == "bye")
        #expect(message.defects.contains(.damagedFile))
    }

    @Test func attachmentContentIsWhatWasMeasured() throws {
        let source = Array(
            """
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: application/a
            Content-Transfer-Encoding: base64

            SGVsbG8=
            --b
            Content-Type: application/b
            Content-Transfer-Encoding: quoted-printable

            a=3Db
            --b
            Content-Type: application/c

            plain
            --b--
            """.utf8)
        let parser = MIMEParser()
        let message = source.withUnsafeBytes { parser.parse($0) }
        let contents = (0..<3).map { index in
            source.withUnsafeBytes { parser.attachmentContent(index, of: $0) }
        }
        #expect(contents.map { String(decoding: $0 ?? [], as: UTF8.self) } == ["Hello", "a=b", "plain"])
        #expect(message.attachments.map(\.size) == [5, 3, 5])
        #expect(source.withUnsafeBytes { parser.attachmentContent(3, of: $0) } == nil)
        #expect(source.withUnsafeBytes { parser.attachmentContent(-1, of: $0) } == nil)
    }

    @Test(
        arguments: [
            "base64", "Base64", "\"base64\"", "base64;", "base64 (x)", "base 64", "x-base64", "b64",
            "base-64",
        ])
    func namesOfBase64(_ name: String) {
        #expect(reading("Content-Transfer-Encoding: \(name)\n\n0Jc=\n").text == "З")
    }

    @Test(arguments: ["quoted-printable", "Quoted-Printable;", "quoted printable", "quotedprintable", "qp"])
    func namesOfQuotedPrintable(_ name: String) {
        #expect(reading("Content-Transfer-Encoding: \(name)\n\n=D0=97\n").text == "З")
    }
}
