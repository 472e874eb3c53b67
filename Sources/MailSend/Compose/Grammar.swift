/// The classes of octets and characters that the grammars of mail name.
enum Grammar {
    /// atext (RFC 5322, 3.2.3).
    static func isAtomText(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }

    /// token (RFC 2045, 5.1).
    static func isToken(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"()<>@,;:\\\"/[]?=".utf8.contains(byte)
    }

    /// attribute-char (RFC 2231, 7).
    static func isAttributeCharacter(_ byte: UInt8) -> Bool {
        isToken(byte) && !"*'%".utf8.contains(byte)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10
    }

    /// What stands for nothing that a line of text may hold: control characters, and the
    /// line and paragraph separators that some programs take for line ends.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0x2028, 0x2029: true
        default: false
        }
    }

    /// One line of text: white space collapsed and trimmed. Nil when a control character
    /// stands in it; a tab is white space.
    static func line(_ text: String) -> String? {
        var result = String.UnicodeScalarView()
        var hasSpace = false
        for scalar in text.unicodeScalars {
            if scalar == " " || scalar == "\t" {
                hasSpace = !result.isEmpty
                continue
            }
            if isControl(scalar) { return nil }
            if hasSpace { result.append(" ") }
            hasSpace = false
            result.append(scalar)
        }
        return String(result)
    }

    /// An identifier of RFC 5322 (3.6.4) that may stand between angle brackets: visible ASCII
    /// without brackets, and no longer than fits on a line.
    static func isIdentifier(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 900
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3C && $0 != 0x3E }
    }
}
