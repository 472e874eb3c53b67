/// Tells lines of base64 from lines of words. Every octet of words that is in the alphabet
/// decodes to something; what they say is gone then, and what stands beside them is spoilt.
enum Base64Lines {
    private enum Kind {
        case blank, data, words
        /// Short, or damaged: it may be either.
        case unclear
    }

    /// Nobody's word is as long.
    private static let dataLength = 20
    /// A list's or a scanner's footer is shorter.
    private static let footerBytes = 4 << 10
    private static let sampleBytes = 4 << 10

    /// Where the words begin that somebody put behind the data, below a line that sets them off; the
    /// end where nobody did. Behind padding the decoder stops by itself; a third of all data ends
    /// without.
    static func end(of bytes: UnsafeRawBufferPointer) -> Int {
        var end = bytes.count
        var start = bytes.count
        let lowest = max(0, bytes.count - footerBytes)
        while end > lowest {
            var lineStart = end - 1
            while lineStart > lowest, bytes[lineStart - 1] != Octet.lf { lineStart -= 1 }
            let line = bytes.slice(lineStart..<end)
            switch kind(of: line) {
            case .data: return start
            case .words: if setsOff(line) { start = lineStart }
            case .blank, .unclear: break
            }
            end = lineStart
        }
        // No line of data was in sight: these are no words behind some.
        return bytes.count
    }

    /// Whether a text that is said to be base64 is none: relays decode, and leave the field.
    static func isPlainText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var cursor = 0
        var hasWords = false
        while cursor < min(bytes.count, sampleBytes) {
            let line = bytes.line(from: cursor, to: min(bytes.count, cursor + sampleBytes))
            switch kind(of: bytes.slice(cursor..<max(cursor, line.end))) {
            case .data: return false
            case .words: hasWords = true
            case .blank, .unclear: break
            }
            cursor = max(cursor + 1, line.next)
        }
        return hasWords
    }

    /// A line of dashes, underlines or the like, as stands above a footer.
    private static func setsOff(_ line: UnsafeRawBufferPointer) -> Bool {
        let line = line.trimmed()
        guard line.count > 1, let first = line.first, line[1] == first else { return false }
        return [Octet.hyphen, UInt8(ascii: "_"), UInt8(ascii: "*"), UInt8(ascii: "#"), Octet.equals]
            .contains(first)
    }

    private static func kind(of line: UnsafeRawBufferPointer) -> Kind {
        let line = line.trimmed()
        var digits = 0
        var blanks = 0
        var isPadded = false
        for byte in line {
            if Octet.isLetter(byte) || Octet.isDigit(byte) || byte == Octet.plus || byte == Octet.slash {
                digits += 1
            } else if Octet.isBlank(byte) {
                blanks += 1
            } else if byte == Octet.equals {
                isPadded = true
                digits += 1
            }
        }
        let others = line.count - digits - blanks
        if line.isEmpty { return .blank }
        if others == 0, blanks == 0 { return digits >= dataLength ? .data : .unclear }
        if others * 4 >= line.count { return .words }
        // Blanks alone may have come into base64 on its way, a group at a time.
        return blanks > 0 && (others > 0 || !isPadded && digits % 4 != 0) ? .words : .unclear
    }
}
