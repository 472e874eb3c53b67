/// How a message is signed or encrypted. Nothing is verified and nothing decrypted: that a
/// message is signed says that a signature stands there, not whose.
public struct Protection: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Sendable {
        case smime, pgp, pgpInline
    }

    public var kind: Kind
    public var isSigned: Bool
    public var isEncrypted: Bool
    /// Indexes of the attachments that are only signatures or key material, which a listing
    /// for people may leave out.
    public var signatureAttachments: [Int] = []

    enum CodingKeys: String, CodingKey {
        case kind
        case isSigned = "signed"
        case isEncrypted = "encrypted"
        case signatureAttachments = "signature_attachments"
    }

    public init(_ kind: Kind, isSigned: Bool, isEncrypted: Bool) {
        self.kind = kind
        self.isSigned = isSigned
        self.isEncrypted = isEncrypted
    }
}

/// OpenPGP that was put into the text itself (RFC 9580, 6 and 7).
enum InlinePGP {
    /// The text without its armour, and what the armour says; nil without armour. Text in
    /// front of and behind a signed passage stays. Encrypted armour stays as it is.
    static func read(_ text: String) -> (text: String, protection: Protection)? {
        guard text.contains(octetsOf: "-----BEGIN PGP ") else { return nil }
        var lines: [Substring] = []
        enum Place { case outside, armourHeader, signedText, signature }
        var place = Place.outside
        var isSigned = false
        var isEncrypted = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            switch place {
            case .outside:
                if line.hasPrefix("-----BEGIN PGP SIGNED MESSAGE-----") {
                    place = .armourHeader
                    continue
                }
                if line.hasPrefix("-----BEGIN PGP MESSAGE-----") { isEncrypted = true }
                lines.append(line)
            case .armourHeader:
                // `Hash: SHA512` lines up to a blank one; a relay may have lost that.
                if line.allSatisfy(\.isWhitespace) {
                    place = .signedText
                } else if !line.hasPrefix("Hash:") && !line.hasPrefix("Charset:")
                    && !line.hasPrefix("Comment:")
                    && !line.hasPrefix("NotDashEscaped:")
                {
                    place = .signedText
                    lines.append(line)
                }
            case .signedText:
                if line.hasPrefix("-----BEGIN PGP SIGNATURE-----") {
                    place = .signature
                    isSigned = true
                } else {
                    lines.append(line.hasPrefix("- ") ? line.dropFirst(2) : line)
                }
            case .signature:
                if line.hasPrefix("-----END PGP SIGNATURE-----") { place = .outside }
            }
        }
        guard isSigned || isEncrypted else { return nil }
        let protection = Protection(.pgpInline, isSigned: isSigned, isEncrypted: isEncrypted)
        return (lines.joined(separator: "\n"), protection)
    }
}
