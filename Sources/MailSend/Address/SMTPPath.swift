public import MailModel

/// An address as it goes into an envelope or a header (RFC 5321, 4.1.2; RFC 6531): checked,
/// its local part quoted where the grammar asks for it, its domain in A-labels.
///
/// No value holds a control character, an angle bracket outside quotes or a blank outside
/// quotes, so none can add a command, a parameter or a field.
public struct SMTPPath: Hashable, Sendable {
    /// The address behind it: unquoted local part, domain in A-labels.
    public let address: EmailAddress
    /// `local@domain` for the wire, without the angle brackets of the path.
    public let text: String

    /// The local part is not ASCII: only a server that offers SMTPUTF8 takes it.
    public var needsSMTPUTF8: Bool { !text.utf8.allSatisfy { $0 < 0x80 } }

    /// The same for two that reach one mailbox whatever their provider: the domain in A-labels, the local part in any case
    /// (RFC 5321, 2.4, lets a server tell cases apart; none that is in use does). A tag, or a dot that a provider overlooks,
    /// is part of what somebody wrote, who may want a copy under each.
    public var folded: String { address.localPart.lowercased() + "@" + address.domain }

    /// RFC 5321 (4.5.3.1.1) promises 64 only, and real reply addresses are longer.
    private static let longestLocalPart = 255

    /// - Throws: `compose.address`, which names what is wrong.
    public init(_ address: EmailAddress) throws(MailFailure) {
        let local = address.localPart
        guard !local.isEmpty else { throw .badAddress(address, reason: "nothing stands before the @") }
        guard local.utf8.count <= Self.longestLocalPart else {
            throw .badAddress(address, reason: "the part before the @ is too long")
        }
        for scalar in local.unicodeScalars {
            let isHidden =
                !scalar.isASCII
                && (scalar.properties.generalCategory == .format || scalar.properties.isWhitespace)
            guard !Grammar.isControl(scalar), !isHidden else {
                throw .badAddress(address, reason: "a character that cannot be seen stands before the @")
            }
        }
        guard let domain = Self.domain(address.domain) else {
            throw .badAddress(address, reason: "what follows the @ is no host name")
        }
        self.address = EmailAddress(localPart: local, domain: domain)
        text = Self.written(local) + "@" + domain
    }

    /// A dot-atom, else a quoted string.
    private static func written(_ local: String) -> String {
        let parts = local.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isDotAtom = parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0 >= 0x80 || Grammar.isAtomText($0) }
        }
        // A leading apostrophe is taken by readers for the quotation of a whole address, and
        // what looks like an encoded word for one.
        let hasEncodedWord = zip(local.utf8, local.utf8.dropFirst()).contains {
            $0 == UInt8(ascii: "=") && $1 == UInt8(ascii: "?")
        }
        if isDotAtom, !local.hasPrefix("'"), !hasEncodedWord { return local }
        var quoted = "\""
        for scalar in local.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted.unicodeScalars.append("\\") }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }

    /// A host name in A-labels or an address literal; nil when it is neither.
    private static func domain(_ domain: String) -> String? {
        if domain.hasPrefix("["), domain.hasSuffix("]") {
            let inner = domain.utf8.dropFirst().dropLast()
            let isLiteral = inner.allSatisfy {
                Grammar.isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":")
            }
            return isLiteral && !inner.isEmpty && inner.count <= 64 ? domain : nil
        }
        for scalar in domain.unicodeScalars where !scalar.isASCII {
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
                .nonspacingMark, .spacingMark, .decimalNumber:
                continue
            default:
                // Dots of other scripts (RFC 3490, 3.1), and what joins letters in some (RFC 5892, A.1).
                guard ["\u{3002}", "\u{FF0E}", "\u{FF61}", "\u{200C}", "\u{200D}", "\u{B7}"].contains(scalar)
                else { return nil }
            }
        }
        let name = DomainName.canonical(domain)
        guard name.utf8.count <= 253 else { return nil }
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                && label.last != UInt8(ascii: "-")
                && label.allSatisfy {
                    Grammar.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                }
        }
        return areLabels ? name : nil
    }
}
