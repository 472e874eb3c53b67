/// Base64 (RFC 2045, 6.8), in lines of 76.
enum Base64Lines {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    /// Octets on one line.
    static let lineOctets = 57
    /// Octets that are read at a time: a multiple of a line's, so that pieces join.
    static let pieceOctets = 57 * 1024

    /// Octets of the encoding with a CRLF behind every line.
    static func length(_ count: Int) -> Int {
        (count + 2) / 3 * 4 + 2 * ((count + lineOctets - 1) / lineOctets)
    }

    /// Appends the encoding; all pieces of a content but the last are a multiple of `lineOctets`.
    static func append(_ bytes: UnsafeRawBufferPointer, to result: inout [UInt8]) {
        result.reserveCapacity(result.count + length(bytes.count))
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + lineOctets)
            appendLine(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), to: &result)
            result.append(UInt8(ascii: "\r"))
            result.append(UInt8(ascii: "\n"))
            start = end
        }
    }

    /// The encoding on one line, for encoded words.
    static func word(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        bytes.withUnsafeBytes { appendLine($0, to: &result) }
        return String(decoding: result, as: UTF8.self)
    }

    private static func appendLine(_ bytes: UnsafeRawBufferPointer, to result: inout [UInt8]) {
        alphabet.withUnsafeBufferPointer { letters in
            var index = 0
            while index + 3 <= bytes.count {
                let group =
                    UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
                result.append(letters[Int(group >> 18)])
                result.append(letters[Int(group >> 12 & 63)])
                result.append(letters[Int(group >> 6 & 63)])
                result.append(letters[Int(group & 63)])
                index += 3
            }
            let left = bytes.count - index
            guard left > 0 else { return }
            let group = UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
            result.append(letters[Int(group >> 18)])
            result.append(letters[Int(group >> 12 & 63)])
            result.append(left > 1 ? letters[Int(group >> 6 & 63)] : UInt8(ascii: "="))
            result.append(UInt8(ascii: "="))
        }
    }
}
