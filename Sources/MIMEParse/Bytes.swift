#if canImport(Glibc)
    import Glibc
#endif

/// The octets that the grammars name.
enum Octet {
    static let tab: UInt8 = 0x09
    static let lf: UInt8 = 0x0A
    static let cr: UInt8 = 0x0D
    static let escape: UInt8 = 0x1B
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let dollar: UInt8 = 0x24
    static let percent: UInt8 = 0x25
    static let apostrophe: UInt8 = 0x27
    static let openParenthesis: UInt8 = 0x28
    static let closeParenthesis: UInt8 = 0x29
    static let asterisk: UInt8 = 0x2A
    static let comma: UInt8 = 0x2C
    static let hyphen: UInt8 = 0x2D
    static let dot: UInt8 = 0x2E
    static let plus: UInt8 = 0x2B
    static let slash: UInt8 = 0x2F
    static let colon: UInt8 = 0x3A
    static let semicolon: UInt8 = 0x3B
    static let less: UInt8 = 0x3C
    static let equals: UInt8 = 0x3D
    static let greater: UInt8 = 0x3E
    static let question: UInt8 = 0x3F
    static let at: UInt8 = 0x40
    static let openBracket: UInt8 = 0x5B
    static let backslash: UInt8 = 0x5C
    static let closeBracket: UInt8 = 0x5D
    static let underscore: UInt8 = 0x5F

    @inline(__always) static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    /// Space, tab, CR, LF, vertical tab, form feed.
    @inline(__always) static func isSpace(_ byte: UInt8) -> Bool {
        byte == space || (byte >= tab && byte <= cr)
    }

    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    @inline(__always) static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    @inline(__always) static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// The value of a hexadecimal digit; nil for another octet.
    @inline(__always) static func hexValue(_ byte: UInt8) -> UInt8? {
        let digit = byte &- 0x30
        if digit < 10 { return digit }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes of `range`, counted from zero again.
    @inline(__always) func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range])
    }

    /// The first `byte` at or after `start` and before `end`.
    @inline(__always) func offset(of byte: UInt8, from start: Int, to end: Int) -> Int? {
        guard start < end, let base = baseAddress,
            let found = memchr(base + start, Int32(byte), end - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// End of the line that holds `start`, and the start of the next one. The end
    /// excludes the line's LF or CRLF.
    @inline(__always) func line(from start: Int, to limit: Int) -> (end: Int, next: Int) {
        guard let newline = offset(of: Octet.lf, from: start, to: limit) else { return (limit, limit) }
        let hasCR = newline > start && self[newline - 1] == Octet.cr
        return (hasCR ? newline - 1 : newline, newline + 1)
    }

    /// Without the white space at both ends.
    func trimmed() -> UnsafeRawBufferPointer {
        var start = 0
        var end = count
        while start < end, Octet.isSpace(self[start]) { start += 1 }
        while end > start, Octet.isSpace(self[end - 1]) { end -= 1 }
        return slice(start..<end)
    }

    /// Without a quotation mark at each end.
    var withoutQuotes: UnsafeRawBufferPointer {
        count > 2 && first == Octet.quote && last == Octet.quote ? slice(1..<(count - 1)) : self
    }

    /// ASCII case-insensitive equality; `lowercase` holds no upper-case letter.
    @inline(__always) func equalsIgnoringCase(_ lowercase: StaticString) -> Bool {
        count == lowercase.utf8CodeUnitCount && hasPrefixIgnoringCase(lowercase)
    }

    /// ASCII case-insensitive prefix; `lowercase` holds no upper-case letter.
    @inline(__always) func hasPrefixIgnoringCase(_ lowercase: StaticString) -> Bool {
        let length = lowercase.utf8CodeUnitCount
        guard count >= length else { return false }
        let other = lowercase.utf8Start
        for index in 0..<length where Octet.lowercased(self[index]) != other[index] { return false }
        return true
    }

    /// Whether the bytes from `offset` on begin with `other`.
    @inline(__always) func holds(_ other: [UInt8], at offset: Int) -> Bool {
        guard count - offset >= other.count, let base = baseAddress else { return false }
        return other.withUnsafeBytes { octets in
            octets.baseAddress.map { memcmp(base + offset, $0, octets.count) == 0 } ?? true
        }
    }

    /// Whether `lowercase` occurs anywhere, letter case aside. Linear for the short
    /// constant words that it is meant for.
    func containsIgnoringCase(_ lowercase: StaticString) -> Bool {
        let length = lowercase.utf8CodeUnitCount
        guard length > 0, count >= length else { return false }
        for start in 0...(count - length)
        where slice(start..<count).hasPrefixIgnoringCase(lowercase) { return true }
        return false
    }

    /// Whether no byte has its high bit set.
    var isASCII: Bool {
        var index = 0
        while index + 8 <= count {
            if loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 {
                return false
            }
            index += 8
        }
        while index < count {
            if self[index] >= 0x80 { return false }
            index += 1
        }
        return true
    }

    /// The bytes as text in lower case, for the ASCII names of types and charsets.
    func lowercasedString() -> String {
        String(unsafeUninitializedCapacity: count) { text in
            for (index, byte) in enumerated() { text[index] = Octet.lowercased(byte) }
            return count
        }
    }
}

/// The defects of one message, each once, in order of first meeting.
public struct DefectLog: Sendable {
    public private(set) var defects: [Defect] = []

    public init() {}

    /// Whether a reason for a strange entity tree is among them.
    var hasStructural: Bool {
        defects.contains { defect in
            switch defect {
            case .missingBoundary, .missingClosingBoundary, .malformedHeaderLine, .depthLimit, .partLimit,
                .headerLimit, .fieldLimit, .structureRepaired:
                true
            default: false
            }
        }
    }

    public mutating func note(_ defect: Defect) {
        if !defects.contains(defect) { defects.append(defect) }
    }
}

extension String {
    /// Whether the octets of `pattern` stand somewhere in the text. The standard library's search goes by
    /// whole characters, and is many times slower.
    func contains(octetsOf pattern: String) -> Bool {
        var text = self
        var pattern = pattern
        return text.withUTF8 { text in
            pattern.withUTF8 { UnsafeRawBufferPointer(text).contains($0) }
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func contains(_ pattern: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = pattern.first, let wanted = pattern.baseAddress, let base = baseAddress else {
            return pattern.isEmpty
        }
        var cursor = 0
        while let found = offset(of: first, from: cursor, to: count), found + pattern.count <= count {
            if memcmp(base + found, wanted, pattern.count) == 0 { return true }
            cursor = found + 1
        }
        return false
    }
}
