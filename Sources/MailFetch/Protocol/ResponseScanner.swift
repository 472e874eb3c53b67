import MailModel

/// Reads the tokens of one response. Never fails hard: what does not fit is nil, and the caller
/// decides what it still can use.
struct ResponseScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let literals: [(end: Int, content: Literal)]
    private(set) var position: Int
    private var nextLiteral = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, literals: [(end: Int, content: Literal)], from start: Int = 0) {
        self.bytes = bytes
        self.literals = literals
        position = start
    }

    /// A string (RFC 9051, 4.3) in any of its forms, or NIL.
    enum Value {
        case bytes([UInt8])
        case literal(Literal)
        case null

        /// The content where it is small enough to have been kept; nil for NIL.
        var content: [UInt8]? {
            switch self {
            case .bytes(let bytes): bytes
            case .literal(.bytes(let message)): message.withUnsafeBytes { Array($0) }
            case .literal(.tooLarge), .null: nil
            }
        }
    }

    var isAtEnd: Bool { position >= bytes.count }
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Whether what was read last ends here: a space follows, or the end of the list.
    var isAtSeparator: Bool { peek == 0x20 || peek == 0x29 }

    mutating func skipSpaces() {
        while position < bytes.count, bytes[position] == 0x20 { position += 1 }
    }

    /// Whether the byte was next; it is consumed then.
    mutating func accept(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    /// The bytes up to a space, parenthesis or quote; may be empty. Wider than the RFC's atom, because
    /// servers are.
    mutating func word() -> Slice<UnsafeBufferPointer<UInt8>> {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x28, 0x29, 0x22: return bytes[start..<position]
            default: position += 1
            }
        }
        return bytes[start..<position]
    }

    /// Like `word`, and a section in brackets (`BODY[HEADER.FIELDS (TO)]<0>`) belongs to it.
    mutating func attributeName() -> Slice<UnsafeBufferPointer<UInt8>> {
        let start = position
        var isInSection = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "[") { isInSection = true }
            if byte == UInt8(ascii: "]") { isInSection = false }
            if !isInSection, byte == 0x20 || byte == 0x28 || byte == 0x29 || byte == 0x22 { break }
            position += 1
        }
        return bytes[start..<position]
    }

    mutating func number() -> UInt64? {
        var value: UInt64 = 0
        let start = position
        while position < bytes.count, let digit = bytes[position].decimalDigit {
            let (scaled, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowedToo) = scaled.addingReportingOverflow(UInt64(digit))
            guard !overflowed, !overflowedToo else { return nil }
            value = sum
            position += 1
        }
        return position > start ? value : nil
    }

    mutating func number32() -> UInt32? { number().flatMap(UInt32.init(exactly:)) }

    /// A quoted string, literal, atom or NIL; nil when none of them is next.
    mutating func value() -> Value? {
        guard position < bytes.count else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "\""): return quoted().map { .bytes($0) }
        case UInt8(ascii: "{"), UInt8(ascii: "~"):
            if let literal = literal() { return .literal(literal) }
        case 0x28, 0x29, 0x20: return nil
        default: break
        }
        let word = word()
        guard !word.isEmpty else { return nil }
        return word.equalsIgnoringCase("NIL") ? .null : .bytes(Array(word))
    }

    private mutating func quoted() -> [UInt8]? {
        position += 1
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return content }
            if byte == UInt8(ascii: "\\"), position < bytes.count {
                content.append(bytes[position])
                position += 1
            } else {
                content.append(byte)
            }
        }
        return nil
    }

    /// The literal whose announcement is next.
    private mutating func literal() -> Literal? {
        var end = position
        while end < bytes.count, bytes[end] != UInt8(ascii: "}") { end += 1 }
        end += 1
        while nextLiteral < literals.count, literals[nextLiteral].end < end { nextLiteral += 1 }
        guard nextLiteral < literals.count, literals[nextLiteral].end == end else { return nil }
        position = end
        defer { nextLiteral += 1 }
        return literals[nextLiteral].content
    }

    /// Passes over one value: string, atom or a list however nested. False when it is unbalanced.
    mutating func skipValue() -> Bool {
        var depth = 0
        repeat {
            skipSpaces()
            guard let byte = peek else { return false }
            if byte == 0x28 {
                depth += 1
                guard depth <= IMAPLimits.nesting else { return false }
                position += 1
            } else if byte == 0x29 {
                guard depth > 0 else { return false }
                depth -= 1
                position += 1
            } else if value() == nil {
                return false
            }
        } while depth > 0
        return true
    }
}

extension Collection where Element == UInt8 {
    /// Compares with a word in upper-case ASCII.
    func equalsIgnoringCase(_ upper: StaticString) -> Bool {
        guard count == upper.utf8CodeUnitCount else { return false }
        var index = 0
        for byte in self {
            if byte.asciiUppercased != upper.utf8Start[index] { return false }
            index += 1
        }
        return true
    }
}
