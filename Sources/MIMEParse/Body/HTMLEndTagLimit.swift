/// End tags that close nothing: libxml2 searches all open elements for each of them.
enum HTMLEndTagLimit {
    /// No real mail has as many more end tags than start tags.
    private static let maximum = 1000

    /// Blanks out the end tags beyond a thousand more than there are start tags before them.
    static func bound(_ html: inout [UInt8]) {
        // Most mail needs no change, and then no copy either.
        var isExceeded = false
        html.withUnsafeBytes { bytes in
            forEachSurplusEndTag(in: bytes) { _ in
                isExceeded = true
                return false
            }
        }
        guard isExceeded else { return }
        html.withUnsafeMutableBytes { bytes in
            forEachSurplusEndTag(in: UnsafeRawBufferPointer(bytes)) { tag in
                for index in tag { bytes[index] = Octet.space }
                return true
            }
        }
    }

    /// - Parameter body: returns whether to go on.
    private static func forEachSurplusEndTag(
        in bytes: UnsafeRawBufferPointer, _ body: (Range<Int>) -> Bool
    ) {
        var surplus = 0
        var cursor = 0
        while let open = bytes.offset(of: Octet.less, from: cursor, to: bytes.count) {
            cursor = open + 1
            guard cursor < bytes.count else { return }
            guard bytes[cursor] == Octet.slash else {
                if Octet.isLetter(bytes[cursor]) { surplus -= 1 }
                continue
            }
            surplus += 1
            guard surplus > maximum else { continue }
            surplus = maximum
            let close = bytes.offset(of: Octet.greater, from: cursor, to: bytes.count) ?? bytes.count - 1
            guard body(open..<close + 1) else { return }
            cursor = close + 1
        }
    }
}
