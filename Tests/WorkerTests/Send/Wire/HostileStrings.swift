/// Strings that somebody puts into a place where a word is wanted: made from a seed, the same every time.
struct HostileStrings {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(state: seed) }

    /// What some program on the way takes for the end of a line, or makes one.
    private static let breaks: [[UInt8]] =
        [
            "\r\n", "\n", "\r", "\0", "\u{85}", "\u{2028}", "\u{2029}", "\u{B}", "\u{C}", "\u{7F}", "\u{1B}",
            "\r\n\r\n", "\r\n ", "\r\n\t", "\n\n", "\r\r\n", "\n.\n", "\r\n.\r\n", "\r.\r", "\0\r\n",
            // The low bytes of these are LF and CR.
            "\u{560A}", "\u{10D}\u{10A}", "%0D%0A", "%0a", "\\r\\n", "&#13;&#10;", "=0D=0A", "=\r\n",
            "=?utf-8?Q?=0D=0A?=", "=?utf-8?B?DQo=?=", "=?utf-8?Q?=0D=0A", "?=\r\n", "=?us-ascii?Q?_=0A_?=",
        ].map { Array($0.utf8) } + [
            // Overlong forms of CR and LF, surrogates, a sequence that is cut off, a lone Latin-1 NEL.
            [0xC0, 0x8D, 0xC0, 0x8A], [0xE0, 0x80, 0x8D, 0xE0, 0x80, 0x8A], [0xF0, 0x80, 0x80, 0x8A],
            [0xED, 0xA0, 0x8A], [0xC3, 0x0A], [0xE2, 0x80, 0x0D, 0x0A], [0x85], [0xFE, 0xFF, 0x0A, 0x00],
        ]

    private static let payloads = [
        "Bcc: evil@x.example", "X-Evil: 1", "Subject: forged", "RCPT TO:<evil@x.example>", "DATA", "QUIT",
        "MAIL FROM:<evil@x.example>", "RSET", "Content-Type: text/html", "--=_x", "--b", "--b--", ".",
        "NOTIFY=NEVER", "<evil@x.example>", "evil@x.example,", "To: evil@x.example\r\n\r\n<b>forged</b>",
    ]

    /// Words that need no line end.
    private static let whole: [String] = [
        "<evil@x.example>", "a <evil@x.example>, b", "evil@x.example,evil2@x.example", "a>, <evil@x.example",
        "> SIZE=1 BODY=8BITMIME", "a> NOTIFY=NEVER", "group: evil@x.example;", "(comment\\", "a(b(c", "\"",
        "\\",
        "\\\"", "\" <evil@x.example>, \"", "a\\\" <evil@x.example>", "'a", "=?utf-8?Q?a", "=?x", "a=?b?=",
        "=?utf-8?Q?=3Cevil=40x.example=3E?=", "=?utf-8?B?PGV2aWxAeC5leGFtcGxlPg==?=", ",", ";", ":", "@", "<",
        ">",
        "<>", "\u{202E}elpmaxe.x@live", "\u{2066}a\u{2069}", "\u{200F}", "\u{FEFF}", "\u{200B}", "\u{AD}",
        "\u{FF1C}evil\u{FF20}x\u{3002}example\u{FF1E}", "\u{FF0C}", "\u{37E}", "{{contact.name}}",
        "{{{contact.name}}}", "{{#contact}}", "%s%n", "$(id)", "`id`", "../../etc/passwd", "CON", "a\tb",
        "\u{A0}",
        String(repeating: "x", count: 64), String(repeating: "x", count: 255),
        String(repeating: "x", count: 999),
        String(repeating: "щ", count: 600), String(repeating: "a b ", count: 1_200),
        String(repeating: "\"", count: 300), String(repeating: "\\", count: 301),
        String(repeating: "=?", count: 200),
        String(repeating: "e\u{301}", count: 200), String(repeating: "\u{202E}", count: 100),
        String(repeating: ", <evil@x.example>", count: 60), String(repeating: "👩‍👩‍👧‍👦", count: 40),
        String(repeating: "x", count: 70_000),
    ]

    /// How many there are.
    static let count = breaks.count + whole.count

    /// The number-th: every break and every whole word has its turn.
    mutating func next(_ number: Int) -> Hostile {
        let turn = number % Self.count
        guard turn < Self.breaks.count else {
            return Hostile(Array(Self.whole[turn - Self.breaks.count].utf8))
        }
        let payload = Array(Self.payloads.randomElement(using: &random)!.utf8)
        let lineBreak = Self.breaks[turn]
        return switch Int.random(in: 0..<4, using: &random) {
        case 0: Hostile(Array("a".utf8) + lineBreak + payload)
        case 1: Hostile(lineBreak + payload + lineBreak)
        case 2: Hostile(Array("a".utf8) + lineBreak + payload + lineBreak + Array("b".utf8))
        default: Hostile(payload + lineBreak)
        }
    }
}

struct Hostile {
    /// As a stranger's mail or a file's name has it.
    let bytes: [UInt8]
    /// As it comes from JSON or the command line, which know Unicode only.
    let text: String

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        text = String(decoding: bytes, as: UTF8.self)
    }

    static let harmless = Hostile(Array("harmless".utf8))
}

/// SplitMix64: the same numbers every time.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
