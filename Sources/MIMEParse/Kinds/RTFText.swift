import MailModel

/// RTF to readable text; HTML that Outlook put into RTF (MS-OXRTFEX) is taken out and read as
/// HTML. No recursion: the groups' states stand on a list of bounded length.
struct RTFText {
    private struct Group {
        /// A destination that is not text: fonts, colours, pictures.
        var isSkipped = false
        var isFontTable = false
        /// `\htmlrtf`: what only readers of RTF see.
        var isForRTFOnly = false
        var font = 0
        /// Characters that stand in for a `\u` for readers that know none.
        var substitutes = 1
    }

    private static let maximumDepth = 1000
    private static let skipped: Set<String> = [
        "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "headerl", "headerr",
        "footerl", "footerr", "listtable", "listoverridetable", "generator", "themedata", "datastore",
        "latentstyles", "xmlnstbl", "fldinst", "mhtmltag",
    ]

    private let bytes: [UInt8]
    private let limit: Int
    private var index = 0
    private var group = Group()
    private var outer: [Group] = []
    /// Groups beyond the depth that is kept.
    private var excess = 0
    private var isHTML = false
    private var utf8: [UInt8] = []
    /// Octets in a code page, not decoded yet.
    private var pending: [UInt8] = []
    private var pendingPage = 0
    private var page = 1252
    private var pageOfFont: [Int: Int] = [:]
    private var charactersToSkip = 0
    /// `\*` was met: the next word names a destination that may be ignored.
    private var isOptional = false
    private var highSurrogate: UInt16?

    private init(_ bytes: [UInt8], limit: Int) {
        self.bytes = bytes
        self.limit = limit
    }

    static func read(_ rtf: [UInt8], limits: MailLimits) -> (text: String, isHTML: Bool) {
        var reader = RTFText(rtf, limit: limits.textBytes * 4)
        reader.run()
        reader.flush()
        guard reader.isHTML else { return (String(decoding: reader.utf8, as: UTF8.self), false) }
        var body = BodyText(limits: limits)
        var defects = DefectLog()
        reader.utf8.withUnsafeBytes {
            body.appendHTML($0, label: Array("utf-8".utf8), defects: &defects)
        }
        return (String(decoding: body.utf8, as: UTF8.self), true)
    }

    private var isShown: Bool {
        guard !group.isSkipped, !group.isFontTable, excess == 0 else { return false }
        return isHTML ? !group.isForRTFOnly : true
    }

    private mutating func run() {
        while index < bytes.count, utf8.count < limit {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "{"):
                isOptional = false
                if outer.count < Self.maximumDepth { outer.append(group) } else { excess += 1 }
            case UInt8(ascii: "}"):
                flush()
                isOptional = false
                charactersToSkip = 0
                if excess > 0 { excess -= 1 } else if let last = outer.popLast() { group = last }
            case Octet.backslash: readControl()
            case Octet.cr, Octet.lf: break
            default: put(byte)
            }
        }
    }

    private mutating func readControl() {
        guard index < bytes.count else { return }
        let first = bytes[index]
        guard Octet.isLetter(first) else {
            index += 1
            readSymbol(first)
            return
        }
        let start = index
        while index < bytes.count, Octet.isLetter(bytes[index]), index - start < 32 { index += 1 }
        let word = String(decoding: bytes[start..<index], as: UTF8.self)
        var number: Int?
        let numberStart = index
        if index < bytes.count, bytes[index] == Octet.hyphen { index += 1 }
        while index < bytes.count, Octet.isDigit(bytes[index]), index - numberStart < 12 { index += 1 }
        if index > numberStart { number = Int(String(decoding: bytes[numberStart..<index], as: UTF8.self)) }
        if index < bytes.count, bytes[index] == Octet.space { index += 1 }
        obey(word, number)
    }

    private mutating func readSymbol(_ symbol: UInt8) {
        switch symbol {
        case Octet.apostrophe:
            guard index + 1 < bytes.count, let high = Octet.hexValue(bytes[index]),
                let low = Octet.hexValue(bytes[index + 1])
            else { return }
            index += 2
            put(high << 4 | low)
        case Octet.asterisk: isOptional = true
        case UInt8(ascii: "~"): put("\u{A0}")
        case Octet.underscore: put("-")
        case Octet.backslash, UInt8(ascii: "{"), UInt8(ascii: "}"): put(symbol)
        case Octet.cr, Octet.lf: put("\n")
        default: break
        }
    }

    private mutating func obey(_ word: String, _ number: Int?) {
        let wasOptional = isOptional
        isOptional = false
        switch word {
        case "ansicpg": page = number ?? page
        case "fromhtml": isHTML = true
        case "fonttbl": group.isFontTable = true
        case "f": setFont(number ?? 0)
        case "fcharset": if let number { pageOfFont[group.font] = Self.page(ofFontCharset: number) }
        case "par", "line", "sect", "page", "row": put("\n")
        case "tab", "cell": put("\t")
        case "emdash": put("—")
        case "endash": put("–")
        case "lquote": put("‘")
        case "rquote": put("’")
        case "ldblquote": put("“")
        case "rdblquote": put("”")
        case "bullet": put("•")
        case "uc": group.substitutes = min(max(0, number ?? 1), 16)
        case "u": putUnit(UInt16(truncatingIfNeeded: number ?? 0))
        case "htmlrtf":
            flush()
            group.isForRTFOnly = number != 0
        case "htmltag" where wasOptional: isHTML = true
        case "bin": index = min(bytes.count, index + max(0, number ?? 0))
        case "plain", "pard": break
        default: if wasOptional || Self.skipped.contains(word) { group.isSkipped = true }
        }
    }

    private mutating func setFont(_ font: Int) {
        flush()
        group.font = font
    }

    /// One octet of text in the code page of the font.
    private mutating func put(_ byte: UInt8) {
        if charactersToSkip > 0 {
            charactersToSkip -= 1
            return
        }
        guard isShown else { return }
        let font = pageOfFont[group.font] ?? 0
        let current = font == 0 ? page : font
        if current != pendingPage { flush() }
        pendingPage = current
        pending.append(byte)
    }

    private mutating func put(_ text: String) {
        guard isShown else { return }
        flush()
        utf8 += text.utf8
    }

    /// One UTF-16 unit; what stands in for it is skipped.
    private mutating func putUnit(_ unit: UInt16) {
        charactersToSkip = group.substitutes
        guard isShown else { return }
        flush()
        if UTF16.isLeadSurrogate(unit) {
            highSurrogate = unit
        } else if let high = highSurrogate {
            utf8 += String(decoding: [high, unit], as: UTF16.self).utf8
            highSurrogate = nil
        } else {
            utf8 += String(decoding: [unit], as: UTF16.self).utf8
        }
    }

    private mutating func flush() {
        guard !pending.isEmpty else { return }
        var defects = DefectLog()
        let label = Array("windows-\(pendingPage)".utf8)
        pending.withUnsafeBytes { TextDecoder.decode($0, label: label, into: &utf8, defects: &defects) }
        pending.removeAll(keepingCapacity: true)
    }

    /// The code page of a font's charset number; 0 for the document's own.
    private static func page(ofFontCharset charset: Int) -> Int {
        switch charset {
        case 161: 1253
        case 162: 1254
        case 177: 1255
        case 178: 1256
        case 186: 1257
        case 204: 1251
        case 238: 1250
        default: 0
        }
    }
}
