import MailModel
import Testing

@testable import MIMEParse

/// What the fuzzer and the attack files found, and what must hold since then.
/// How long they take is measured by scripts/attack; here is what is read.
@Suite struct HostileInputTests {
    private func limits(_ change: (inout MailLimits) -> Void) -> MailLimits {
        var limits = MailLimits.standard
        change(&limits)
        return limits
    }

    /// The octets that a leaf of that encoding decodes to, and what was measured.
    private func content(_ body: [UInt8], _ encoding: TransferEncoding) -> (decoded: [UInt8], measured: Int) {
        var defects = DefectLog()
        return body.withUnsafeBytes {
            let leaf = LeafContent(bytes: $0, encoding: encoding)
            return (leaf.decoded(defects: &defects), leaf.measure(defects: &defects).size)
        }
    }

    @Test func anEncodedWordInAnAddressNeverBecomesSyntax() {
        let mail =
            Array("From: =?utf-8?q?a=40evil.example=0A?=".utf8) + [0xFF]
            + Array("@b.example\n\nx".utf8)
        let message = reading(mail)
        for mailbox in message.from {
            #expect(!mailbox.address.addrSpec.contains("@evil"))
            #expect(!mailbox.address.addrSpec.contains("\n"))
        }
    }

    @Test(arguments: [1, 2])
    func anAddressBehindTheLimitIsNotRead(_ limit: Int) {
        let message = reading(
            "To: <a@b.example> c@d.example <e@f.example> g@h.example\n\n",
            limits: limits { $0.addresses = limit })
        #expect(message.to.count == limit)
        #expect(message.defects.contains(.addressLimit))
    }

    @Test func addressesWithoutCommasAreAllRead() {
        let field = (0..<300).map { "a\($0)@b.example" }.joined(separator: " ")
        #expect(addresses(field) == (0..<300).map { "a\($0)@b.example" })
    }

    @Test func wordsWithoutAnEndStayText() {
        let value = String(repeating: "=?x?q? ", count: 1000)
        #expect(header(value) == value.trimmingSuffix(" "))
        #expect(header("=?utf-8?q?a?= =?x?q?b c") == "a =?x?q?b c")
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["(=", "(?a="])
    func eachLineMayGoOnWithABrokenWord(line: String) {
        // Looking for the word's beginning at each of them takes minutes.
        let lines = String(repeating: line + "\n", count: 60_000)
        let message = reading("Subject: =?utf-8?Q?x=\n\(lines)To: a@b.example\n\nbody\n")
        let isWhole = message.subject?.utf8.count ?? 0 > 100_000
        #expect(isWhole)
        #expect(message.to.count == 1 && message.text?.contains("(") == false)
        #expect(message.defects.contains(.malformedHeaderLine))
    }

    @Test func aWordThatHasEndedTakesNoFurtherLine() {
        for value in [
            "=?utf-8?Q?x?= a=", "=?utf-8?Q?x=\n y?= a=", "=?utf-8?Q?x=\ny?= a=", "a=", "=?utf-8?B?eA==",
        ] {
            #expect(reading("Subject: \(value)\n(z\n\nbody\n").subject?.contains("(z") == false, "\(value)")
        }
    }

    @Test func furtherTextKeepsToItsLimit() {
        let part = "--b\n\n" + String(repeating: "x", count: 60) + "\n"
        let mail =
            "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: part, count: 4) + "--b--\n"
        let message = reading(mail, limits: limits { $0.textBytes = 100 })
        #expect(message.furtherText?.utf8.count == 100)
        #expect(message.defects.contains(.textLimit))
    }

    @Test(arguments: ["=41", "=41 ", "x= y", "a", "=D1=8F\n", "=\n"])
    func quotedPrintableIsTheSameInPieces(_ sequence: String) {
        let body = Array(String(repeating: sequence, count: 60_000).utf8)
        var whole: [UInt8] = []
        body.withUnsafeBytes { _ = QuotedPrintable.decode($0, into: &whole) }
        let (decoded, measured) = content(body, .quotedPrintable)
        let isSame = decoded == whole
        #expect(isSame)
        #expect(measured == whole.count)
    }

    @Test func uuencodedLinesThatLostTheirBlanksAreZerosWithinBounds() {
        let short = content(Array("begin 644 f\nM\n`\nend\n".utf8), .uuencode)
        #expect(short.decoded == [UInt8](repeating: 0, count: 45))
        // Each octet claims 63: 25 million of them would be 1.5 GB, these 3.8 MB.
        let bomb = content(Array(repeatElement([0x5F, 0x0A], count: 60_000).joined()), .uuencode)
        #expect(bomb.measured < 2 << 20 + 64)
    }

    /// Eight are looked at together where that is possible.
    @Test(arguments: 0..<20)
    func aControlCharacterIsDroppedWhereverItStands(place: Int) {
        let letters = Array("abcdefghijklmnopqrstuvwxyzя".utf8)
        for (octet, stands) in [
            (0x00, ""), (0x1F, ""), (0x0D, "\n"), (0x0C, "\n"), (0x09, "\t"), (0x7F, "\u{7F}"),
        ] {
            let text = letters[..<place] + [UInt8(octet)] + letters[place...]
            let whole =
                String(decoding: letters[..<place], as: UTF8.self) + stands
                + String(decoding: letters[place...], as: UTF8.self)
            let message = reading(Array("Subject: s\n\n.".utf8) + text)
            #expect(message.text == "." + whole)
        }
    }

    /// Groups are decoded two at a time; damage may stand in either.
    @Test(arguments: 0..<24)
    func base64IsTheSameWhereverItIsInterrupted(place: Int) {
        let digits = Array("QUJDREVGR0hJSktMTU5PUFFS".utf8)
        let whole = Array("ABCDEFGHIJKLMNOPQR".utf8)
        for interruption in [[0x0A], [0x0D, 0x0A], [0x20], [0x00], [0xFF]] as [[UInt8]] {
            let body = Array(digits[..<place]) + interruption + Array(digits[place...])
            let (decoded, measured) = content(body, .base64)
            #expect(decoded == whole)
            #expect(measured == whole.count)
        }
        let cut = content(Array(digits[..<place]), .base64).decoded
        #expect(cut == Array(whole[..<(place * 6 / 8)]))
    }

    /// A long field costs libmimetic the square of its length, wherever in the mail it stands.
    @Test(arguments: [0, 1, 8191, 8192, 8193, 20_000])
    func aLongFieldIsCountedWhereverItStands(before: Int) {
        let lines = String(repeating: "x\n", count: before / 2) + (before % 2 == 0 ? "" : "\n")
        for (length, isAsked) in [(60_000, true), (70_000, false)] {
            let field = "y\n" + String(repeating: " z\n", count: length / 3 - 1)
            let mail = Array(("Subject: s\n\n" + lines + field + "end\n").utf8)
            mail.withUnsafeBytes { bytes in
                var splitter = EntitySplitter(bytes, limits: .standard, defects: DefectLog())
                let tree = splitter.split(from: 0)
                let verdict = MimeticReading(bytes: bytes, limits: .standard).compare(with: tree, from: 0)
                if case .notAsked = verdict { #expect(!isAsked) } else { #expect(isAsked) }
            }
        }
    }

    @Test func paddingInOneEndlessLineIsRead() {
        let (decoded, _) = content(Array(String(repeating: "AA==", count: 1000).utf8), .base64)
        #expect(decoded == [UInt8](repeating: 0, count: 1000))
    }

    @Test func aTagWithEndlessAttributesKeepsItsText() {
        let attributes = (0..<3000).map { "a\($0)=x" }.joined(separator: " ")
        var html = Array("<p title='>' \(attributes)>text</p><p class=\"a>b\">more".utf8)
        let length = html.count
        HTMLAttributeLimit.bound(&html)
        #expect(html.count == length)
        let bounded = String(decoding: html, as: UTF8.self)
        #expect(bounded.contains("a998=x") && !bounded.contains("a1000=x"))
        var text: [UInt8] = []
        #expect(HTMLText.convert(html, limit: 100_000, into: &text))
        #expect(String(decoding: text, as: UTF8.self) == "text\n\nmore")
    }

    @Test func endTagsThatCloseNothingKeepTheText() {
        func blanked(_ count: Int) -> (tags: Int, text: String) {
            var html = Array("<div>one\(String(repeating: "</b>", count: count)) <p>two</p></div> three".utf8)
            let length = html.count
            HTMLEndTagLimit.bound(&html)
            #expect(html.count == length)
            var text: [UInt8] = []
            #expect(HTMLText.convert(html, limit: 100_000, into: &text))
            let tags = String(decoding: html, as: UTF8.self).ranges(of: "</b>").count
            return (tags, String(decoding: text, as: UTF8.self))
        }
        #expect(blanked(1001).tags == 1001)
        #expect(blanked(1002).tags == 1001)
        for count in [3, 1002, 20_000] { #expect(blanked(count).text == "one\n\ntwo\n\nthree") }
    }

    @Test func parametersThatDecideHowAPartIsReadAreKeptBehindManyOthers() {
        // The last of the 200 that a field may have.
        let others = (0..<199).map { "; p\($0)=x" }.joined()
        let message = reading("Content-Type: application/x\(others); name=f.bin\n\nx")
        #expect(message.attachments.map(\.filename) == ["f.bin"])
    }
}

extension String {
    fileprivate func trimmingSuffix(_ character: Character) -> String {
        var text = self
        while text.last == character { text.removeLast() }
        return text
    }
}
