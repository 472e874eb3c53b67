import MailModel

/// One content line of a calendar or vCard (RFC 5545, 3.1; RFC 6350, 3.3): name, parameters
/// and value, as octets.
struct ContentLine {
    /// In upper case, without the group that a vCard may write in front.
    var name: String
    /// Names in upper case; a bare word of vCard 2.1 (`TEL;HOME:`) is a TYPE.
    var parameters: [(name: String, value: [UInt8])]
    var value: ArraySlice<UInt8>

    func parameter(_ name: String) -> [UInt8]? {
        parameters.first { $0.name == name }?.value
    }

    func word(_ name: String) -> String? {
        parameter(name).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Reads content lines one by one: unfolds, joins the soft line breaks of vCard 2.1, and
/// passes over lines that are none.
struct ContentLineReader {
    /// A longer line is read up to here: no field that we show is longer.
    private static let maximumLine = 256 << 10
    private static let maximumParameters = 100

    private let bytes: [UInt8]
    private var cursor = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> ContentLine? {
        while cursor < bytes.count {
            var text = nextPhysicalLine()
            while cursor < bytes.count, Octet.isBlank(bytes[cursor]) {
                cursor += 1
                append(nextPhysicalLine(), to: &text)
            }
            guard var line = Self.line(text) else { continue }
            if Self.isQuotedPrintable(line) {
                while line.value.last == Octet.equals, cursor < bytes.count,
                    line.value.count < Self.maximumLine
                {
                    line.value.removeLast()
                    line.value += nextPhysicalLine()
                }
            }
            return line
        }
        return nil
    }

    private mutating func nextPhysicalLine() -> ArraySlice<UInt8> {
        let line = bytes.withUnsafeBytes { $0.line(from: cursor, to: $0.count) }
        defer { cursor = max(line.next, cursor + 1) }
        var start = cursor
        if start == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { start = min(3, line.end) }
        return bytes[start..<max(start, line.end)].prefix(Self.maximumLine)
    }

    private func append(_ line: ArraySlice<UInt8>, to text: inout ArraySlice<UInt8>) {
        if text.count < Self.maximumLine { text += line }
    }

    static func isQuotedPrintable(_ line: ContentLine) -> Bool {
        line.parameters.contains {
            ($0.name == "ENCODING" || $0.name == "TYPE")
                && String(decoding: $0.value, as: UTF8.self).uppercased() == "QUOTED-PRINTABLE"
        }
    }

    /// Nil for a line without a name and a colon.
    private static func line(_ text: ArraySlice<UInt8>) -> ContentLine? {
        var index = text.startIndex
        while index < text.endIndex, text[index] != Octet.colon, text[index] != Octet.semicolon { index += 1 }
        guard index < text.endIndex, index > text.startIndex else { return nil }
        var name = text[..<index]
        if let dot = name.lastIndex(of: Octet.dot) { name = name[(dot + 1)...] }
        var line = ContentLine(name: upper(name), parameters: [], value: [])
        while index < text.endIndex, text[index] == Octet.semicolon {
            index += 1
            let start = index
            while index < text.endIndex, text[index] != Octet.equals, text[index] != Octet.colon,
                text[index] != Octet.semicolon
            {
                index += 1
            }
            let key = text[start..<index]
            guard index < text.endIndex, text[index] == Octet.equals else {
                if line.parameters.count < maximumParameters { line.parameters.append(("TYPE", Array(key))) }
                continue
            }
            index += 1
            let value = parameterValue(text, &index)
            if line.parameters.count < maximumParameters { line.parameters.append((upper(key), value)) }
        }
        guard index < text.endIndex else { return nil }
        line.value = text[(index + 1)...]
        return line
    }

    /// Up to the next `;` or `:` outside quotes, quotes taken off, `^n` and its like undone
    /// (RFC 6868).
    private static func parameterValue(_ text: ArraySlice<UInt8>, _ index: inout Int) -> [UInt8] {
        var value: [UInt8] = []
        var isQuoted = false
        while index < text.endIndex {
            let byte = text[index]
            if byte == Octet.quote {
                isQuoted.toggle()
            } else if !isQuoted, byte == Octet.semicolon || byte == Octet.colon {
                break
            } else if byte == UInt8(ascii: "^"), index + 1 < text.endIndex,
                let plain = unescaped(text[index + 1])
            {
                value.append(plain)
                index += 1
            } else {
                value.append(byte)
            }
            index += 1
        }
        return value
    }

    private static func unescaped(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "n"): Octet.lf
        case UInt8(ascii: "^"): byte
        case Octet.apostrophe: Octet.quote
        default: nil
        }
    }

    private static func upper(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix(128), as: UTF8.self).uppercased()
    }
}

/// Values of content lines as text.
enum ContentLineText {
    /// Backslash escapes undone (RFC 5545, 3.3.11), white space at the ends taken off; nil when empty.
    static func unescaped(_ value: String) -> String? {
        var result = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in value.unicodeScalars {
            if isEscaped {
                result.append(scalar == "n" || scalar == "N" ? "\n" : scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                result.append(scalar)
            }
        }
        return trimmed(String(result))
    }

    /// The pieces between separators that no backslash escapes, each unescaped.
    static func components(_ value: String, separator: Unicode.Scalar) -> [String] {
        var pieces = [String.UnicodeScalarView()]
        var isEscaped = false
        for scalar in value.unicodeScalars {
            if !isEscaped, scalar == separator {
                pieces.append(String.UnicodeScalarView())
                continue
            }
            isEscaped = scalar == "\\" && !isEscaped
            pieces[pieces.count - 1].append(scalar)
        }
        return pieces.compactMap { unescaped(String($0)) }
    }

    static func trimmed(_ text: String) -> String? {
        var text = Substring(text)
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text.isEmpty ? nil : String(text)
    }
}
