/// A text or an HTML document on its way into a part: UTF-8, lines that end in CRLF, in the
/// transfer encoding that suits it (RFC 2045, 6).
struct TextBody {
    enum Encoding: String {
        case sevenBit = "7bit"
        case quotedPrintable = "quoted-printable"
        case base64
    }

    let encoding: Encoding
    /// Encoded, every line with its CRLF.
    let bytes: [UInt8]

    init(_ text: String) {
        let lines = Self.lines(text)
        var body: [UInt8] = []
        body.reserveCapacity(text.utf8.count + 2 * lines.count)
        var isPlain = true
        var escapes = 0
        for line in lines {
            if !Self.isPlain(line) { isPlain = false }
            escapes += Self.escapes(in: line)
            body += line
            body += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
        }
        if isPlain {
            encoding = .sevenBit
            bytes = body
        } else if body.count + 2 * escapes <= Base64Lines.length(body.count) {
            encoding = .quotedPrintable
            var encoded: [UInt8] = []
            encoded.reserveCapacity(body.count + 3 * escapes)
            for line in lines { Self.appendQuoted(line, to: &encoded) }
            bytes = encoded
        } else {
            encoding = .base64
            var encoded: [UInt8] = []
            body.withUnsafeBytes { Base64Lines.append($0, to: &encoded) }
            bytes = encoded
        }
    }

    /// The lines without their ends. CR, LF, CRLF, vertical tab and form feed end one; NUL, other
    /// control characters and a byte order mark in front are dropped. Nothing stands behind the
    /// last line end.
    static func lines(_ text: String) -> [ArraySlice<UInt8>] {
        var clean: [UInt8] = []
        clean.reserveCapacity(text.utf8.count)
        var previous: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case 0x0A where previous == 0x0D: break
            case 0x0A...0x0D: clean.append(UInt8(ascii: "\n"))
            case 0x09, 0x20...0x7E, 0x80...: clean.append(byte)
            default: break
            }
            previous = byte
        }
        var start = 0
        if clean.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
        var lines = clean[start...].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// Whether relays leave the line as it is without an encoding: short, ASCII, no white space at
    /// its end, and nothing at its start that somebody takes for more than text.
    private static func isPlain(_ line: ArraySlice<UInt8>) -> Bool {
        line.count <= 78 && line.allSatisfy { $0 < 0x80 } && line.last != UInt8(ascii: " ")
            && line.last != UInt8(ascii: "\t") && !isCaught(line) && !line.starts(with: "--=_".utf8)
    }

    /// `From ` is escaped by mbox files, a dot by SMTP: some do it wrong.
    private static func isCaught(_ line: ArraySlice<UInt8>) -> Bool {
        line.first == UInt8(ascii: ".") || line.starts(with: "From ".utf8)
    }

    private static func escapes(in line: ArraySlice<UInt8>) -> Int {
        line.reduce(0) { $0 + (isLiteral($1) ? 0 : 1) } + line.count / 70
    }

    private static func isLiteral(_ byte: UInt8) -> Bool {
        byte == 0x09 || byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "=")
    }

    /// One line by RFC 2045, 6.7, in pieces of at most 76 with `=` at the end of all but the last.
    private static func appendQuoted(_ line: ArraySlice<UInt8>, to result: inout [UInt8]) {
        var column = 0
        for (index, byte) in line.enumerated() {
            let isLast = index == line.count - 1
            let isSpace = byte == UInt8(ascii: " ") || byte == 0x09
            var isLiteral = isLiteral(byte) && !(isLast && isSpace) && !(index == 0 && isCaught(line))
            if column + (isLiteral ? 1 : 3) > (isLast ? 76 : 75) {
                result += [UInt8(ascii: "="), UInt8(ascii: "\r"), UInt8(ascii: "\n")]
                column = 0
                // A soft line end must not put in front what is caught there.
                if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "F") { isLiteral = false }
            }
            let width = isLiteral ? 1 : 3
            if isLiteral {
                result.append(byte)
            } else {
                result += [
                    UInt8(ascii: "="), HexDigits.upper[Int(byte >> 4)], HexDigits.upper[Int(byte & 15)],
                ]
            }
            column += width
        }
        result += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
    }
}
