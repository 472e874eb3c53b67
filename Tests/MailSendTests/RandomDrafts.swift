import MailModel
import MailSend

/// Drafts of all scripts, sizes and nestings, and with strings that imitate syntax. The same seed
/// gives the same drafts.
struct RandomDrafts {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(state: seed) }

    mutating func next() -> MailDraft {
        var draft = MailDraft(
            from: mailbox(), date: UnixTime(Int64(number(-2_000_000_000...9_000_000_000))),
            messageID: identifier())
        draft.zoneMinutes = number(-14 * 60...14 * 60)
        draft.to = (0..<number(0...3)).map { _ in mailbox() }
        draft.cc = (0..<number(0...2)).map { _ in mailbox() }
        draft.bcc = (0..<number(draft.to.isEmpty && draft.cc.isEmpty ? 1...2 : 0...1)).map { _ in mailbox() }
        if chance(4) { draft.replyTo = [mailbox()] }
        draft.subject = chance(12) ? "" : line(0...number(1...120))
        if chance(8) {
            draft.html = "<div><p>\(word())</p><ul><li>\(line(1...30).filter { $0 != "<" && $0 != "&" })</ul>"
        }
        draft.text = draft.html != nil && chance(2) ? nil : "x" + text()
        draft.attachments = (0..<(chance(3) ? number(1...4) : 0)).map { _ in attachment() }
        draft.inlineImages = (0..<(chance(5) ? number(1...2) : 0)).map { index in
            Enclosure(
                .bytes(octets()), filename: chance(2) ? filename() : nil,
                type: MediaType(guessedFrom: "a.png"),
                contentID: "image\(index)@\(draft.messageID.rawValue.count)")
        }
        if chance(3) {
            draft.thread = ThreadPosition(
                answering: identifier(), references: (0..<number(0...8)).map { _ in identifier() },
                inReplyTo: [identifier()])
        }
        if chance(5) { draft.fields.append(.autoSubmitted(.generated)) }
        if chance(5) {
            draft.fields.append(
                .listUnsubscribe(
                    urls: ["https://firma.example/u?\(number(0...99))", "mailto:u@firma.example"],
                    oneClick: true))
        }
        if chance(5) { draft.fields.append(.custom(name: "X-Note", value: line(1...60))) }
        if chance(9) { draft.returnPath = .null }
        return draft
    }

    // MARK: Values

    private mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }
    private mutating func chance(_ oneIn: Int) -> Bool { number(1...oneIn) == 1 }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[number(0...elements.count - 1)]
    }

    private mutating func identifier() -> MessageID {
        MessageID(
            rawValue:
                "\(UInt64.random(in: 0 ... .max, using: &random)).\(pick(["a", "b+c", "d$e"]))@firma.example")
    }

    private mutating func mailbox() -> Mailbox {
        Mailbox(displayName: chance(4) ? nil : line(0...40), address: address())
    }

    private mutating func address() -> EmailAddress {
        var local = word()
        if chance(3) {
            local = pick([
                "a b", "\"", "\\", "a\"b\\c", "a@b", "<x@y.example>", "a,b;c:d", "=?utf-8?q?x?=", "a..b",
                ".a",
                "'a'", "(comment)", "a>", "почта", "δοκιμή", "用户", "mañana.x", " a ", "!#$%&'*+-/=?^_`{|}~",
            ])
        }
        let domain = pick([
            "firma.example", "КЛИЕНТ.рф", "bücher.example", "例え.テスト", "a-b.c_d.example", "[192.0.2.1]",
            "[IPv6:2001:db8::1]", "Mixed.Case.EXAMPLE", "xn--e1afmkfd.xn--p1ai", "localhost",
        ])
        return EmailAddress(localPart: local, domain: domain)
    }

    private mutating func word() -> String {
        String((0..<number(1...12)).map { _ in pick(Array("abcdefghijklmnopqrstuvwxyz0123456789-_")) })
    }

    /// Without the control characters that a line is refused for.
    private mutating func line(_ count: ClosedRange<Int>) -> String {
        var text = ""
        while text.unicodeScalars.count < number(count) {
            text += chance(12) ? pick(Self.hostile) : run()
            if chance(3) { text += pick([" ", "  ", "\t"]) }
        }
        return text
    }

    private mutating func run() -> String {
        let range = pick(Self.scripts)
        var result = ""
        for _ in 0..<number(1...9) {
            if let scalar = Unicode.Scalar(UInt32(number(range))) { result.unicodeScalars.append(scalar) }
        }
        return result
    }

    private mutating func text() -> String {
        var text = ""
        for _ in 0..<number(0...12) {
            text +=
                line(0...number(1...200))
                + pick(["\n", "\r\n", "\r", "\n\n", " \n", "\n.", "\nFrom ", "\n--", "\n--=_"])
        }
        if chance(40) { text += String(repeating: run(), count: 4000) }
        return text
    }

    private mutating func filename() -> String { line(1...50) + pick(["", ".pdf", ".Документ", ".tar.gz"]) }

    private mutating func octets() -> [UInt8] {
        (0..<number(0...(chance(20) ? 200_000 : 300))).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    private mutating func attachment() -> Enclosure {
        if chance(4) {
            return Enclosure(
                message: .bytes(
                    Array("Subject: \(word())\(pick(["\r\n", "\n"]))\n\(chance(2) ? text() : word())".utf8)),
                filename: chance(2) ? filename() : nil)
        }
        return Enclosure(
            .bytes(octets()), filename: chance(5) ? nil : filename(),
            type: chance(2) ? nil : MediaType(guessedFrom: pick(["a.pdf", "a.txt", "a.html", "a.bin"])))
    }

    private static let scripts: [ClosedRange<Int>] = [
        0x20...0x7E, 0x61...0x7A, 0x61...0x7A, 0xA0...0x17F, 0x370...0x3FF, 0x410...0x44F, 0x410...0x44F,
        0x5D0...0x5EA, 0x621...0x64A, 0x905...0x939, 0xE01...0xE2E, 0x300...0x36F, 0x4E00...0x9FFF,
        0xAC00...0xD7A3, 0x1F300...0x1F64F, 0xE000...0xE010, 0x20000...0x2A6DF, 0x200B...0x200F,
    ]
    private static let hostile = [
        "=?utf-8?Q?=0D=0ABcc:_evil=40x.example?=", "=?utf-8?B?ZXZpbA==?=", "=?", "?=", "\"", "\\", "\\\"",
        "<evil@x.example>", ", evil@x.example", "Bcc: evil@x.example", "(", ")", "a;b=c", "*0*=utf-8''%41",
        "👩‍👩‍👧‍👦", "🇷🇺🇺🇦", "\u{202E}gpj.exe", "e\u{301}\u{323}", "\u{FFFD}", "%0D%0A", "--", "../../x", "C:\\dir\\f",
    ]
}

/// SplitMix64: a seed makes the same numbers on every machine.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
