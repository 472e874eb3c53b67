import MIMEParse
import MailModel
import Testing

private func body(_ type: String, _ octets: [UInt8]) -> ParsedMessage {
    reading(Array("Content-Type: \(type)\n\n".utf8) + octets)
}

private func html(_ source: String) -> String? {
    body("text/html; charset=utf-8", Array(source.utf8)).text
}

@Suite struct BodyTextTests {
    @Test func wrongOrUnknownLabelsAreSeenThrough() {
        let utf8 = Array("Привет".utf8)
        #expect(body("text/plain; charset=windows-1251", utf8).text == "Привет")
        #expect(body("text/plain; charset=windows-1251", utf8).defects.contains(.mislabelledCharset))
        #expect(body("text/plain; charset=no-such", utf8).defects.contains(.unknownCharset))
        #expect(body("text/plain; charset=us-ascii", [0xCF, 0xF0, 0xE8, 0xE2, 0xE5, 0xF2]).text == "Привет")
        #expect(body("text/plain; charset=utf-8", utf8 + [0xFF]).text == "Привет\u{FFFD}")
    }

    @Test(
        arguments: [
            ("windows-1251", [0xDF, 0xE1]), ("cp-1251", [0xDF, 0xE1]), ("KOI8-R", [0xF1, 0xC2]),
            ("cp866", [0x9F, 0xA1]), ("iso-8859-5", [0xCF, 0xD1]), ("x-mac-cyrillic", [0x9F, 0xE1]),
        ] as [(String, [UInt8])])
    func cyrillicCharsets(_ label: String, _ octets: [UInt8]) {
        #expect(body("text/plain; charset=\(label)", octets).text == "Яб")
    }

    @Test func otherCharsets() {
        #expect(body("text/plain; charset=iso-8859-1", [0x93, 0xE9, 0x94]).text == "“é”")
        #expect(body("text/plain; charset=gb2312", [0xC4, 0xE3]).text == "你")
        #expect(
            body("text/plain; charset=iso-2022-jp", [0x1B, 0x24, 0x42, 0x24, 0x22, 0x1B, 0x28, 0x42]).text
                == "あ")
        #expect(body("text/plain; charset=utf-7", Array("+BB8-".utf8)).text == "П")
    }

    @Test func hostileHTMLIsOnlyText() {
        #expect(html("<script>alert(1)</script>a<style>b{}</style>") == "a")
        #expect(html("<p>a<p>b</div></td>") == "a\n\nb")
        #expect(html("a<br>b<br/>c") == "a\nb\nc")
        #expect(html(String(repeating: "<div>", count: 100_000) + "x") != nil)
        #expect(html("") == "")
    }

    @Test func whatNobodySeesIsNotRead() {
        #expect(html("<div style=\"display:none;max-height:0\">pre<br>hea<b>der</b></div><p>x</p>") == "x")
        #expect(html("<span style=\"DISPLAY : none !important\">h</span>x") == "x")
        #expect(html("<div hidden>h</div>x") == "x")
        // Outlook alone would hide it, and shows another drawing of the same button.
        #expect(html("<span style='mso-hide:all'>h</span>") == "h")
        // Nothing else is there: better than an empty text.
        #expect(html("<div style=\"display:none\">only this</div>") == "only this")
    }

    @Test func aPictureOfMegabytesWithinTheHTMLHidesNothing() {
        let picture = String(repeating: "iVBORw0KGgo", count: 450_000)
        #expect(html("<p>a</p><img src=\"data:image/png;base64,\(picture)\"><p>b</p>") == "a\n\nb")
        #expect(html("<p>a</p><img src=data:image/png;base64,\(picture)><p>b</p>") == "a\n\nb")
    }

    @Test(arguments: [
        ("a<![if !vml]>b<![endif]>c", "abc"), ("a<!-->b<!-- x -->c", "abc"), ("a<!--->b", "ab"),
        ("a<!x>b", "ab"),
        ("<style><!-- p{} --></style>a<!--[if mso]>x<![endif]-->b", "ab"),
        ("<script>if (a <! b) c()</script>d", "d"), ("a<?xml:namespace prefix=o ns=\"x\" />b", "ab"),
        ("<!DOCTYPE html><p>a", "a"),
    ])
    func declarationsAreNoText(_ source: String, _ text: String) {
        #expect(html(source) == text)
    }

    @Test(arguments: ["a<!", "a<?", "a<![if x", "a<!--", "a<!-", "a<?<?<?", "<!<!<!<!"])
    func declarationsThatAreCutAreRead(_ source: String) {
        #expect(html(source) != nil)
    }

    @Test func linesAreKeptWhereTheStyleSaysSo() {
        #expect(html("<div style='white-space: pre-wrap'>a\nb</div>c\nd") == "a\nb\nc d")
        #expect(
            html("<span style='WHITE-SPACE:pre-line'>a<br>b\n<b>c\nd</b></span> e\nf") == "a\nb\nc\nd e f")
        #expect(html("<p style='line-break: after-white-space'>a\nb</p>") == "a b")
    }

    @Test func elementsThatNobodyClosesHideNothing() {
        for count in [500, 600, 5_000] {
            let text = html(String(repeating: "<font>x<br>", count: count) + "end") ?? ""
            #expect(text.hasSuffix("end"))
            #expect(text.split(separator: "\n").count == count + 1)
        }
        let chain = String(repeating: "<blockquote type=cite>", count: 520)
        #expect(html("a\(chain)b")?.hasSuffix("> b") ?? false)
    }

    @Test func listsKeepTheirMarks() {
        #expect(html("<ul><li>a<li>b</ul>c") == "- a\n- b\n\nc")
        #expect(html("<ol><li>a</li><li>b</li></ol>") == "1. a\n2. b")
        #expect(html(String(repeating: "<ul><li>", count: 50_000) + "x") != nil)
    }

    @Test func quotedMailIsMarkedAndIndentsAreNot() {
        #expect(html("a<blockquote type=cite>b<br>c</blockquote>d") == "a\n\n> b\n> c\n\nd")
        #expect(html("a<blockquote style=\"margin:0 40px\">b</blockquote>") == "a\n\nb")
        let message = body(
            "text/html; charset=utf-8",
            Array(
                "Да.<div class=gmail_quote>пн, 1 июн. 2026 г. в 10:00, Иван &lt;i@x.example&gt;:<br><blockquote class=gmail_quote>Согласны?</blockquote></div>"
                    .utf8))
        #expect(message.split?.ownText(in: message.text ?? "") == "Да.")
    }

    @Test func entitiesAndLinksAreReadable() {
        #expect(html("5&nbsp;000 &#8381; &lt;b&gt; <a href=\"http://x\">link</a>") == "5 000 ₽ <b> link")
        #expect(html("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>") == "a b\nc")
    }

    @Test func thePlainVersionOfAnAlternativeIsRead() {
        let message = reading(
            "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/html\n\n<b>html</b>\n--b--\n"
        )
        #expect(message.text == "plain")
        #expect(message.textSource == .plain)
        #expect(message.hasHTML)
        #expect(message.attachments.isEmpty)
    }

    @Test func aBlankPlainVersionGivesWayToHTML() {
        let message = reading(
            "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<b>html</b>\n--b--\n"
        )
        #expect(message.text == "html")
        #expect(message.textSource == .html)
    }

    @Test func furtherTextsAreKept() {
        let message = reading(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n")
        #expect(message.text == "one")
        #expect(message.furtherText == "two")
    }

    @Test func flowedParagraphsAreJoinedAndQuotesAreNot() {
        let message = body("text/plain; format=flowed", Array("one \ntwo\n> a \n> b\n-- \nsig".utf8))
        #expect(message.text == "one two\n> a \n> b\n-- \nsig")
    }

    @Test(arguments: [
        // As RFC 3676 has it: two blanks between words, one within a long word.
        ("one  \ntwo  \nthree  \nfour", "one two three four"),
        ("http://a.example/x \ny \nz \nw", "http://a.example/xyzw"),
        ("see this  \nlong.example/aa \nbb \ncc", "see this long.example/aabbcc"),
        // A program that writes one blank always.
        ("there is \na word of the \nrecord of \nsomebody", "there is a word of the record of somebody"),
        ("так же \nкак и \nвсе другие \nслова", "так же как и все другие слова"),
        ("there is \na word", "there is a word"),
        ("or is it \nhttps://a.example", "or is it https://a.example"),
        (
            "it is by \na.example/a/very/long/path/that/nobody/writes",
            "it is bya.example/a/very/long/path/that/nobody/writes"
        ),
        ("one  \nthere is \na word", "one there isa word"),
    ])
    func theBlankBeforeABreakGoesWhereItWasPutThere(_ text: String, _ read: String) {
        let message = body("text/plain; charset=utf-8; format=flowed; delsp=yes", Array(text.utf8))
        #expect(message.text == read)
    }
}
