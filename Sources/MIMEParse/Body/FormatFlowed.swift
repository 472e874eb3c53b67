/// Undoes format=flowed (RFC 3676) in unquoted paragraphs. Quoted lines stay as
/// they are: their marks tell who said what.
enum FormatFlowed {
    /// `text` has LF line ends.
    static func unflowed(_ text: [UInt8], deletesSpace: Bool) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        text.withUnsafeBytes { bytes in
            let isMeantToStay = deletesSpace && endsInSingleBlanks(bytes)
            var cursor = 0
            var isContinuing = false
            while cursor < bytes.count {
                let newline = bytes.offset(of: Octet.lf, from: cursor, to: bytes.count)
                var start = cursor
                var end = newline ?? bytes.count
                cursor = newline.map { $0 + 1 } ?? bytes.count
                if end > start, bytes[start] == Octet.greater {
                    if isContinuing { result.append(Octet.lf) }
                    result.append(contentsOf: bytes.slice(start..<end))
                    isContinuing = false
                } else {
                    if end > start, bytes[start] == Octet.space { start += 1 }
                    let isSignature =
                        end - start == 3 && bytes.slice(start..<end).hasPrefixIgnoringCase("-- ")
                    let isFlowed = !isSignature && end > start && bytes[end - 1] == Octet.space
                    if isSignature, isContinuing { result.append(Octet.lf) }
                    if isFlowed, deletesSpace,
                        !(isMeantToStay && isBetweenWords(bytes, line: start..<end, next: cursor))
                    {
                        end -= 1
                    }
                    result.append(contentsOf: bytes.slice(start..<end))
                    isContinuing = isFlowed
                }
                if !isContinuing, newline != nil { result.append(Octet.lf) }
            }
        }
        return result
    }

    /// With DelSp the blank between two words is a second one before the break. A program that
    /// never writes two leaves the only one there is between its words.
    private static func endsInSingleBlanks(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var cursor = 0
        while let newline = bytes.offset(of: Octet.lf, from: cursor, to: bytes.count) {
            cursor = newline + 1
            guard newline > 1, bytes[newline - 1] == Octet.space, bytes[newline - 2] != Octet.lf else {
                continue
            }
            if bytes[newline - 2] == Octet.space { return false }
        }
        return true
    }

    /// Octets of the longest word that nobody breaks in two.
    private static let wordLength = 40

    /// Whether a line holds several words, ends with a letter of a script that has blanks, and would
    /// make no endless word with the next line: a long link may be cut anywhere.
    private static func isBetweenWords(
        _ bytes: UnsafeRawBufferPointer, line: Range<Int>, next: Int
    ) -> Bool {
        let text = bytes.slice(line.lowerBound..<(line.upperBound - 1))
        guard let last = text.last, let blank = text.lastIndex(of: Octet.space) else { return false }
        // The two octets of a Cyrillic letter.
        let isLetter =
            Octet.isLetter(last)
            || text.count > 1 && last & 0xC0 == 0x80 && (0xD0...0xD3).contains(text[text.count - 2])
        let following = bytes.slice(next..<min(bytes.count, next + wordLength))
            .drop { $0 == Octet.space }.prefix { !Octet.isSpace($0) }
        return isLetter && text.count - 1 - blank + following.count <= wordLength
    }
}
