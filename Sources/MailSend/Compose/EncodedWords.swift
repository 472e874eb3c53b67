/// Encoded words (RFC 2047): text of any script in the letters of ASCII, in the form that may
/// also stand in a phrase (section 5, 3).
enum EncodedWords {
    /// Section 2: a word with its delimiters is no longer.
    static let wordLength = 75
    private static let start = "=?utf-8?"
    /// `=?utf-8?B?` and `?=`.
    private static let overhead = 12

    /// The words for one line of text, to be written with a fold or blank between them, which
    /// readers take away. No character is divided among two.
    ///
    /// - Parameter firstRoom: columns that the first one may take.
    static func of(_ line: String, firstRoom: Int) -> [String] {
        let usesBase64 = base64Length(line.utf8.count) < quotedLength(line.utf8)
        var words: [String] = []
        var piece: [UInt8] = []
        var length = 0
        var room = min(wordLength, max(firstRoom, 24)) - overhead
        func finish() {
            words.append(
                usesBase64 ? "\(start)B?\(Base64Lines.word(piece))?=" : "\(start)Q?\(quoted(piece))?=")
            piece = []
            length = 0
            room = wordLength - overhead
        }
        for character in line {
            // What a reader sees as one character stays together where it fits at all.
            let whole = Array(character.utf8)
            let fits = cost(whole, after: piece, usesBase64, length) <= wordLength - overhead
            let units = fits || whole.count <= 4 ? [whole] : character.unicodeScalars.map { Array($0.utf8) }
            for unit in units {
                if !piece.isEmpty, length + added(unit, after: piece, usesBase64, length) > room { finish() }
                length += added(unit, after: piece, usesBase64, length)
                piece += unit
            }
        }
        if !piece.isEmpty { finish() }
        return words
    }

    /// Letters that `unit` needs by itself.
    private static func cost(_ unit: [UInt8], after: [UInt8], _ usesBase64: Bool, _ length: Int) -> Int {
        usesBase64 ? base64Length(unit.count) : quotedLength(unit)
    }

    /// Letters that `unit` adds to a word of `piece`.
    private static func added(_ unit: [UInt8], after piece: [UInt8], _ usesBase64: Bool, _ length: Int) -> Int
    {
        usesBase64 ? base64Length(piece.count + unit.count) - length : quotedLength(unit)
    }

    private static func base64Length(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    private static func quotedLength(_ bytes: some Sequence<UInt8>) -> Int {
        bytes.reduce(0) { $0 + (isLiteral($1) || $1 == UInt8(ascii: " ") ? 1 : 3) }
    }

    private static func quoted(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        for byte in bytes {
            if isLiteral(byte) {
                result.append(byte)
            } else if byte == UInt8(ascii: " ") {
                result.append(UInt8(ascii: "_"))
            } else {
                result.append(UInt8(ascii: "="))
                result.append(HexDigits.upper[Int(byte >> 4)])
                result.append(HexDigits.upper[Int(byte & 15)])
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// What stands for itself in a phrase.
    private static func isLiteral(_ byte: UInt8) -> Bool {
        Grammar.isAlphanumeric(byte) || "!*+-/".utf8.contains(byte)
    }
}

enum HexDigits {
    static let upper = Array("0123456789ABCDEF".utf8)
}
