/// Takes the e-mail addresses out of a line that goes into a trace.
enum AddressMask {
    private static let mask = Array("(address)".utf8)
    /// What ends a local part without quotes.
    private static let specials = Array("<>()[],;:\"\\{@".utf8)

    static func masked(_ line: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        /// Where what has not been copied yet begins.
        var begin = 0
        for at in line.indices where at >= begin {
            let width = signWidth(line, at)
            guard width > 0 else { continue }
            let local = localPart(line, before: at)
            var end = at + width
            if let literal = literalEnd(line, from: end) {
                end = literal
            } else {
                while end < line.count, isDomainByte(line[end]) { end += 1 }
            }
            guard local < at, end > at + width, local >= begin else { continue }
            // Elsewhere the encoded sign is only a number.
            guard width == 1 || line[(at + width)..<end].contains(UInt8(ascii: ".")) else { continue }
            result += line[begin..<local] + mask
            begin = end
        }
        return result + line[begin...]
    }

    /// Bytes of an at sign here, which texts of servers encode at times; 0 where none is.
    private static func signWidth(_ line: [UInt8], _ at: Int) -> Int {
        switch line[at] {
        case UInt8(ascii: "@"): 1
        case UInt8(ascii: "%"), UInt8(ascii: "="): line[(at + 1)...].starts(with: Array("40".utf8)) ? 3 : 0
        default: 0
        }
    }

    /// The end of a domain literal (`[192.0.2.1]`, RFC 5321, 4.1.3) that begins here.
    private static func literalEnd(_ line: [UInt8], from start: Int) -> Int? {
        guard start < line.count, line[start] == UInt8(ascii: "["),
            let end = line[start...].firstIndex(where: { $0 == UInt8(ascii: "]") || $0 <= 0x20 }),
            line[end] == UInt8(ascii: "]")
        else { return nil }
        return end + 1
    }

    private static func localPart(_ line: [UInt8], before at: Int) -> Int {
        var start = at
        if at > 0, line[at - 1] == UInt8(ascii: "\"") {
            // "john smith"@example.com; within a quoted string the quotes stand escaped.
            start = at - 1
            while start > 0, line[start - 1] != UInt8(ascii: "\"") { start -= 1 }
            return max(0, start - 1)
        }
        while start > 0, isLocalByte(line[start - 1]) { start -= 1 }
        return start
    }

    private static func isLocalByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte != 0x7F && !specials.contains(byte)
    }

    private static func isDomainByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), 0x80...:
            true
        default: false
        }
    }
}
