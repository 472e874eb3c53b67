/// Which of a message's text leaves are read, and in which order. Values only: how a leaf is
/// decoded, and where it stands, is the plan's to say.
enum TextChoice {
    /// A text leaf, as far as the choice depends on it.
    struct Leaf {
        var isHTML: Bool
        /// The outermost multipart/alternative around it; nil outside of any.
        var alternative: Int?
        /// Nothing that a reader sees, once it is decoded. Asked of plain leaves only.
        var isBlank = false
    }

    /// The places of the leaves to read. The first that says anything is the body, the others are
    /// further text, so that each word of the sender is in one of the two.
    ///
    /// Of the versions in a multipart/alternative the plain one is read, unless it is blank. HTML
    /// elsewhere repeats nothing: it is often what the sender wrote, behind a gateway's plain
    /// warning.
    static func read(_ leaves: [Leaf]) -> [Int] {
        var answered: Set<Int> = []
        for leaf in leaves where !leaf.isHTML && !leaf.isBlank {
            if let alternative = leaf.alternative { answered.insert(alternative) }
        }
        let kept = leaves.indices.filter { place in
            let leaf = leaves[place]
            guard leaf.isHTML else { return !leaf.isBlank }
            return leaf.alternative.map { !answered.contains($0) } ?? true
        }
        // A message of blanks has an empty text, not none.
        return kept.isEmpty ? Array(leaves.indices) : kept
    }

    /// Whether a reader sees nothing of a text: white space, invisible and control characters.
    /// Of a text that is cut the last character may be broken.
    static func isBlank(_ text: String, isCut: Bool) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isWhitespace || scalar.properties.isDefaultIgnorableCodePoint
                || scalar.properties.generalCategory == .control || isCut && scalar == "\u{FFFD}"
        }
    }

    /// Octets of UTF-8 beyond which a plain version is believed to say what the HTML says.
    static let longestStub = 1000

    /// Whether a plain version says so much less than the HTML that it cannot be the same: twice as many
    /// words stand there. A signature, which may be a scanner's, does not count.
    static func isStub(_ text: [UInt8], beside html: ArraySlice<UInt8>) -> Bool {
        func weight(_ text: some Sequence<UInt8>) -> Int {
            text.lazy.filter { $0 >= 0x80 || Octet.isLetter($0) || Octet.isDigit($0) }.count
        }
        var end = text.count
        text.withUnsafeBytes { bytes in
            var cursor = 0
            while cursor < bytes.count {
                let line = bytes.line(from: cursor, to: bytes.count)
                if line.end - cursor == 3, bytes.slice(cursor..<line.end).hasPrefixIgnoringCase("-- ") {
                    end = cursor
                    return
                }
                cursor = line.next
            }
        }
        return weight(html) >= 2 * max(1, weight(text[..<end]))
    }

    /// Whether a text is the beginning of another, or all of it, but for its blanks and signs.
    static func repeats(_ text: ArraySlice<UInt8>, _ other: [UInt8]) -> Bool {
        func isWord(_ byte: UInt8) -> Bool { byte >= 0x80 || Octet.isLetter(byte) || Octet.isDigit(byte) }
        return other.lazy.filter(isWord).starts(with: text.lazy.filter(isWord))
    }
}
