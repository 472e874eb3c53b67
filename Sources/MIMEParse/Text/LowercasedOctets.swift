/// Text in lower case as UTF-8, for comparing it with phrases of ours.
struct LowercasedOctets {
    let octets: UnsafeRawBufferPointer
    /// Whether equal text has equal octets; otherwise an accent may stand behind its letter.
    let isComposed: Bool

    /// Runs `body` on the lower-case form of `text`, which must be UTF-8.
    static func with<Result>(
        _ text: UnsafeRawBufferPointer, _ body: (LowercasedOctets) -> Result
    ) -> Result {
        let quick = withUnsafeTemporaryAllocation(byteCount: max(1, text.count), alignment: 1) { buffer in
            write(text, to: buffer)
                ? body(
                    LowercasedOctets(
                        octets: UnsafeRawBufferPointer(rebasing: buffer[..<text.count]), isComposed: true))
                : nil
        }
        if let quick { return quick }
        var lowercase = String(decoding: text, as: UTF8.self).lowercased()
        return lowercase.withUTF8 {
            body(LowercasedOctets(octets: UnsafeRawBufferPointer($0), isComposed: false))
        }
    }

    /// As `with`, on the start of a string, at most `limit` octets.
    static func with<Result>(
        startOf text: String, limit: Int, _ body: (LowercasedOctets) -> Result
    ) -> Result {
        var text = text
        return text.withUTF8 { utf8 in
            let octets = UnsafeRawBufferPointer(utf8)
            return with(octets.slice(0..<UTF8Text.prefixLength(octets, limit: limit)), body)
        }
    }

    var text: String { String(decoding: octets, as: UTF8.self) }

    /// Characters as people count them.
    var characterCount: Int {
        guard isComposed else { return text.count }
        return octets.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    }

    func prefix(_ count: Int) -> LowercasedOctets {
        LowercasedOctets(octets: octets.slice(0..<count), isComposed: isComposed)
    }

    /// ASCII, Latin-1 and the letters of Russian and its neighbours, whose two forms have the same
    /// length; false for text with anything else.
    private static func write(_ text: UnsafeRawBufferPointer, to buffer: UnsafeMutableRawBufferPointer)
        -> Bool
    {
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte < 0x80 {
                buffer[index] = Octet.lowercased(byte)
                index += 1
                continue
            }
            guard index + 1 < text.count else { return false }
            var (first, second) = (byte, text[index + 1])
            var length = 2
            switch (first, second) {
            case (0xD0, 0x80...0x8F): (first, second) = (0xD1, second &+ 0x10)
            case (0xD0, 0x90...0x9F): second &+= 0x20
            case (0xD0, 0xA0...0xAF): (first, second) = (0xD1, second &- 0x20)
            case (0xD0, 0xB0...0xBF), (0xD1, 0x80...0x9F): break
            case (0xC3, 0x80...0x96), (0xC3, 0x98...0x9E): second &+= 0x20
            case (0xC2, 0x80...0xBF), (0xC3, 0x80...0xBF): break
            // Dashes and quotation marks, without spaces and what joins characters.
            case (0xE2, 0x80):
                guard index + 2 < text.count, (0x90...0xBF).contains(text[index + 2]) else { return false }
                buffer[index + 2] = text[index + 2]
                length = 3
            default: return false
            }
            buffer[index] = first
            buffer[index + 1] = second
            index += length
        }
        return true
    }
}

/// Phrases in lower case, looked for among octets in lower case.
struct PhraseList: Sendable {
    let strings: [String]
    private let phrases: [[UInt8]]
    /// Whether a phrase begins with an octet.
    private let beginnings: [Bool]
    /// Whether a phrase has so many octets; the last stands for all that are longer.
    private let lengths: [Bool]

    init(_ phrases: [String]) {
        strings = phrases
        self.phrases = phrases.map { Array($0.utf8) }
        var beginnings = [Bool](repeating: false, count: 256)
        var lengths = [Bool](repeating: false, count: 128)
        for phrase in self.phrases {
            if let first = phrase.first { beginnings[Int(first)] = true }
            lengths[min(phrase.count, 127)] = true
        }
        self.beginnings = beginnings
        self.lengths = lengths
    }

    /// False where the first octet of a text, its case aside, begins no phrase: most are told by that.
    @inline(__always)
    func mayBegin(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let first = text.first else { return false }
        return first >= 0x80 || beginnings[Int(Octet.lowercased(first))]
    }

    /// Whether the whole text is a phrase.
    func contains(_ text: LowercasedOctets) -> Bool {
        guard text.isComposed else { return strings.contains(text.text) }
        let text = text.octets
        guard let first = text.first, beginnings[Int(first)], lengths[min(text.count, 127)] else {
            return false
        }
        return phrases.contains { $0.count == text.count && text.starts(withOctets: $0) }
    }

    /// Whether a phrase begins the text.
    func hasBeginning(of text: LowercasedOctets) -> Bool {
        guard text.isComposed else {
            let text = text.text
            return strings.contains { text.hasPrefix($0) }
        }
        let text = text.octets
        guard let first = text.first, beginnings[Int(first)] else { return false }
        return phrases.contains { text.starts(withOctets: $0) }
    }
}

extension UnsafeRawBufferPointer {
    func starts(withOctets other: [UInt8]) -> Bool {
        guard other.count <= count else { return false }
        for index in other.indices where self[index] != other[index] { return false }
        return true
    }
}
