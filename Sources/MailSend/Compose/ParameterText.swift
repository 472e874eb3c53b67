import MIMEParse

/// Parameters of structured fields (RFC 2045, 5.1; RFC 2231) as tokens for the header writer,
/// each with what separates it from the next.
enum ParameterText {
    /// Columns of the longest value that is written in quotes.
    private static let longestQuoted = 60

    /// A file name in Content-Disposition: in quotes where it is plain ASCII, else by RFC 2231.
    static func filename(_ name: String) -> [String] {
        if isPlain(name) { return ["filename=\(HeaderWriter.quoted(name))"] }
        let sections = extended(name)
        guard sections.count > 1 else { return ["filename*=utf-8''\(sections[0])"] }
        let last = sections.count - 1
        return sections.enumerated().map { index, section in
            "filename*\(index)*=" + (index == 0 ? "utf-8''" : "") + section + (index < last ? ";" : "")
        }
    }

    /// The same name in Content-Type, for programs that never learned RFC 2231, among them
    /// Outlook until 2010: ASCII that they decode as encoded words, which all the others pass over,
    /// since Content-Disposition says it properly.
    static func name(_ name: String) -> [String] {
        if isPlain(name) { return ["name=\(HeaderWriter.quoted(name))"] }
        var words = EncodedWords.of(name, firstRoom: HeaderWriter.lineLength - 8)
        words[0] = "name=\"" + words[0]
        words[words.count - 1] += "\""
        return words
    }

    private static func isPlain(_ name: String) -> Bool {
        name.utf8.count <= longestQuoted && name.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
            && !name.utf8.containsEncodedWordStart
    }

    /// The name percent-encoded, cut between characters into sections that fit a line.
    private static func extended(_ name: String) -> [String] {
        var sections: [String] = []
        var section: [UInt8] = []
        for scalar in name.unicodeScalars {
            var unit: [UInt8] = []
            for byte in String(scalar).utf8 {
                if Grammar.isAttributeCharacter(byte) {
                    unit.append(byte)
                } else {
                    unit += [
                        UInt8(ascii: "%"), HexDigits.upper[Int(byte >> 4)], HexDigits.upper[Int(byte & 15)],
                    ]
                }
            }
            // `filename*99*=utf-8''` and `;` take the rest of the line.
            if section.count + unit.count > HeaderWriter.lineLength - 24 {
                sections.append(String(decoding: section, as: UTF8.self))
                section = []
            }
            section += unit
        }
        sections.append(String(decoding: section, as: UTF8.self))
        return sections
    }
}
