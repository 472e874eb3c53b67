import MailModel

/// Writes header fields: tokens that are never broken, folded between them (RFC 5322, 2.2.3).
///
/// A token is written as it is given. Those who make them see to it that none holds a
/// control character; what they cannot vouch for goes through `unstructured` or `phrase`.
struct HeaderWriter {
    private(set) var bytes: [UInt8] = []

    /// Lines with encoded words end here at the latest (RFC 2047, 2), and so do all others.
    static let lineLength = 76

    mutating func field(_ name: String, _ tokens: [String]) {
        bytes += name.utf8
        bytes.append(UInt8(ascii: ":"))
        var column = name.utf8.count + 1
        for (index, token) in tokens.enumerated() {
            // The first token stays beside the name: some programs take an empty first line for
            // an empty field.
            if index > 0, column + 1 + token.utf8.count > Self.lineLength {
                bytes += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
                column = 0
            }
            bytes.append(UInt8(ascii: " "))
            bytes += token.utf8
            column += 1 + token.utf8.count
        }
        bytes += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
    }

    /// A field of free text; `line` comes from `Grammar.line`.
    mutating func unstructured(_ name: String, _ line: String) {
        let words = line.utf8.split(separator: UInt8(ascii: " "))
        // The longest word that a line still takes beside the name.
        let room = Self.lineLength - name.utf8.count - 2
        let isPlain =
            line.utf8.allSatisfy { $0 < 0x80 } && !line.utf8.containsEncodedWordStart
            && words.allSatisfy { $0.count <= room }
        field(name, isPlain ? words.map { String($0) ?? "" } : EncodedWords.of(line, firstRoom: room))
    }

    /// An address list (RFC 5322, 3.4): names as phrases, addresses between angle brackets.
    mutating func mailboxes(_ name: String, _ mailboxes: [CheckedMailbox]) {
        var tokens: [String] = []
        for (index, mailbox) in mailboxes.enumerated() {
            let isFirst = tokens.isEmpty
            tokens += phrase(
                mailbox.name, firstRoom: isFirst ? Self.lineLength - name.utf8.count - 2 : Self.lineLength - 1
            )
            let comma = index == mailboxes.count - 1 ? "" : ","
            let address = mailbox.path.text
            tokens.append((mailbox.name.isEmpty ? address : "<\(address)>") + comma)
        }
        field(name, tokens)
    }

    /// A display name: atoms, a quoted string, or encoded words.
    private func phrase(_ line: String, firstRoom: Int) -> [String] {
        guard !line.isEmpty else { return [] }
        let isASCII = line.utf8.allSatisfy { $0 < 0x80 }
        // A quoted pair would do for a quotation mark; but OpenSMTPD, which puts its own name behind words
        // that it takes for addresses, loses its place there, and writes into the names that follow.
        let needsPairs = line.utf8.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
        guard isASCII, line.utf8.count <= 60, !needsPairs, !line.utf8.containsEncodedWordStart else {
            return EncodedWords.of(line, firstRoom: firstRoom)
        }
        if line.utf8.allSatisfy({ Grammar.isAtomText($0) || $0 == UInt8(ascii: " ") }) { return [line] }
        return [Self.quoted(line)]
    }

    /// A quoted string (RFC 5322, 3.2.4) of a line.
    static func quoted(_ line: String) -> String {
        var result = "\""
        for scalar in line.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }
}

/// A mailbox that may be written: its name is one line, its address is checked.
struct CheckedMailbox {
    var name: String
    var path: SMTPPath

    /// - Throws: `compose.address`, `compose.control-character`, `compose.too-long`.
    init(_ mailbox: Mailbox, limits: ComposerLimits) throws(MailFailure) {
        guard let name = Grammar.line(mailbox.displayName ?? "") else {
            throw .controlCharacter(in: "the name of \(mailbox.address.addrSpec)")
        }
        guard name.utf8.count <= limits.lineBytes else { throw .overlong("name", limit: limits.lineBytes) }
        self.name = name
        path = try SMTPPath(mailbox.address)
    }
}

extension Sequence<UInt8> {
    /// Whether `=?` stands in it, which readers take for the beginning of an encoded word.
    var containsEncodedWordStart: Bool {
        var previous: UInt8 = 0
        for byte in self {
            if byte == UInt8(ascii: "?"), previous == UInt8(ascii: "=") { return true }
            previous = byte
        }
        return false
    }
}
