import Foundation

/// The SHA-256 of a server's public key, as DER writes it (SubjectPublicKeyInfo, as in RFC 7469).
public struct KeyPin: Sendable, Hashable {
    /// Base64 of 32 octets.
    public let base64: String

    /// Reads `sha256/BASE64`; also `sha256//BASE64`, as curl writes it. Nil for anything else.
    public init?(_ text: String) {
        guard
            let digest = ["sha256//", "sha256/"].first(where: text.hasPrefix).map({ text.dropFirst($0.count) }
            ),
            let octets = Data(base64Encoded: String(digest)), octets.count == 32
        else { return nil }
        // One spelling, so that equal pins are equal.
        base64 = octets.base64EncodedString()
    }

    /// As people write it.
    public var text: String { "sha256/\(base64)" }
}
