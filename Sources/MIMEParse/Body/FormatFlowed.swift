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
                    if isFlowed, deletesSpace, !(isMeantToStay && isWords(bytes.slice(start..<end))) {
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

    /// Breaks that say something of the program that made them.
    private static let tellingBreaks = 3

    /// With DelSp the blank between two words is a second one before the break. A program that
    /// breaks often and never writes two leaves the only one there is between its words.
    private static func endsInSingleBlanks(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var breaks = 0
        var cursor = 0
        while let newline = bytes.offset(of: Octet.lf, from: cursor, to: bytes.count) {
            cursor = newline + 1
            guard newline > 1, bytes[newline - 1] == Octet.space, bytes[newline - 2] != Octet.lf else {
                continue
            }
            if bytes[newline - 2] == Octet.space { return false }
            breaks += 1
        }
        return breaks >= tellingBreaks
    }

    /// Whether a line holds several words and ends with a letter of a script that has blanks: no
    /// piece of a long link.
    private static func isWords(_ line: UnsafeRawBufferPointer) -> Bool {
        let text = line.slice(0..<(line.count - 1))
        guard let last = text.last, text.contains(Octet.space) else { return false }
        // The two octets of a Cyrillic letter.
        return Octet.isLetter(last)
            || text.count > 1 && last & 0xC0 == 0x80 && (0xD0...0xD3).contains(text[text.count - 2])
    }
}
