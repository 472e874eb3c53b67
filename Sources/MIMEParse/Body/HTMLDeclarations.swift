/// What browsers read as empty or bogus comments (HTML 5, 13.2.5.41 to 13.2.5.45) and libxml2 as text: the conditions of
/// Word and Outlook (`<![if !vml]>`), declarations of names (`<?xml:namespace …>`), and comments that end at once.
enum HTMLDeclarations {
    /// Takes them out: they part no word.
    static func remove(from html: inout [UInt8]) {
        var ranges: [Range<Int>] = []
        html.withUnsafeBytes { bytes in forEach(in: bytes) { ranges.append($0) } }
        // Most mail needs no change, and then no copy either.
        guard !ranges.isEmpty else { return }
        ranges.sort { $0.lowerBound < $1.lowerBound }
        var result: [UInt8] = []
        result.reserveCapacity(html.count)
        var start = 0
        for range in ranges where range.lowerBound >= start {
            result += html[start..<range.lowerBound]
            start = range.upperBound
        }
        result += html[start...]
        html = result
    }

    private static func forEach(in bytes: UnsafeRawBufferPointer, _ body: (Range<Int>) -> Void) {
        for mark in [UInt8(ascii: "!"), Octet.question] {
            var cursor = 1
            while let place = bytes.offset(of: mark, from: cursor, to: bytes.count) {
                cursor = place + 1
                guard bytes[place - 1] == Octet.less else { continue }
                let rest = bytes.slice(cursor..<bytes.count)
                if mark != Octet.question, rest.hasPrefixIgnoringCase("--") {
                    // `<!-->` and `<!--->`
                    let end =
                        rest.hasPrefixIgnoringCase("-->") ? 3 : rest.hasPrefixIgnoringCase("--->") ? 4 : 0
                    if end > 0 {
                        body((place - 1)..<(cursor + end))
                        cursor += end
                    } else {
                        cursor = endOfComment(bytes, from: cursor + 2)
                    }
                    continue
                }
                if rest.hasPrefixIgnoringCase("doctype") { continue }
                // Another tag first: nothing of the kind.
                var end = cursor
                while end < bytes.count, bytes[end] != Octet.greater, bytes[end] != Octet.less { end += 1 }
                guard end < bytes.count, bytes[end] == Octet.greater else {
                    cursor = end
                    continue
                }
                body((place - 1)..<(end + 1))
                cursor = end + 1
            }
        }
    }

    /// Behind the next `-->`, or the end.
    private static func endOfComment(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var cursor = start
        while let close = bytes.offset(of: Octet.greater, from: cursor, to: bytes.count) {
            if close >= start + 2, bytes[close - 1] == Octet.hyphen, bytes[close - 2] == Octet.hyphen {
                return close + 1
            }
            cursor = close + 1
        }
        return bytes.count
    }
}
