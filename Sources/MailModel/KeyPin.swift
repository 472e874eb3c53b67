import Foundation

/// The SHA-256 of a server's public key, as DER writes it (SubjectPublicKeyInfo, as in RFC 7469).
public struct KeyPin: Sendable, Hashable {
    /// Base64 of 32 octets.
    public let base64: String

    /// Reads `sha256/BASE64`; also `sha256//BASE64`, as curl writes it. Nil for anything else.
    public init?(_ text: String) {
        // Of a digest that begins with a slash, both spellings do.
        let octets = ["sha256/", "sha256//"].lazy.filter(text.hasPrefix)
            .compactMap { Data(base64Encoded: String(text.dropFirst($0.count))) }
            .first { $0.count == 32 }
        guard let octets else { return nil }
        // One spelling, so that equal pins are equal.
        base64 = octets.base64EncodedString()
    }

    /// As people write it.
    public var text: String { "sha256/\(base64)" }
}
