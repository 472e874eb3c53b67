import Crypto
public import MailModel

/// Message-IDs by which this installation knows its own mail again: an HMAC in each says that
/// whoever refers to it has seen a message that was really sent from here.
///
/// `nonce.tag@domain`: 80 random bits, and 120 bits of HMAC-SHA256 over nonce and domain. The
/// letters are base32 in lower case, so that a program that folds case does no harm.
public struct IssuedMessageID: Sendable {
    public static let nonceBytes = 10
    private static let tagBytes = 15

    private let key: SymmetricKey

    /// - Parameter key: secret of the installation, made for this purpose alone, at least 16 bytes.
    public init(key: [UInt8]) { self.key = SymmetricKey(data: key) }

    /// A new identifier for mail from `domain`; the null domain stands in for one that is none.
    ///
    /// - Parameter nonce: `nonceBytes` that were never used before.
    public func make(nonce: [UInt8], domain: String) -> MessageID {
        let host = (try? SMTPPath(EmailAddress(localPart: "x", domain: domain)))?.address.domain
        let domain = host.flatMap { $0.hasPrefix("[") ? nil : $0 } ?? "mailworker.invalid"
        let name = Base32.text(Array(nonce.prefix(Self.nonceBytes)))
        return MessageID(rawValue: "\(name).\(Base32.text(tag(name, domain)))@\(domain)")
    }

    /// A new identifier with a nonce of the system's random numbers.
    public func make(domain: String) -> MessageID {
        var random = SystemRandomNumberGenerator()
        return make(
            nonce: (0..<Self.nonceBytes).map { _ in .random(in: 0...255, using: &random) }, domain: domain)
    }

    /// Whether this installation made it. Takes the same time for every wrong tag.
    public func verify(_ identifier: MessageID) -> Bool {
        let text = identifier.rawValue.lowercased()
        guard text.utf8.count <= 400, let at = text.lastIndex(of: "@"),
            let dot = text[..<at].firstIndex(of: ".")
        else { return false }
        let name = String(text[..<dot])
        let given = Array(text[text.index(after: dot)..<at].utf8)
        let expected = Array(Base32.text(tag(name, String(text[text.index(after: at)...]))).utf8)
        guard name.utf8.count == Self.nonceBytes * 8 / 5, given.count == expected.count else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(given, expected) { difference |= one ^ other }
        return difference == 0
    }

    private func tag(_ name: String, _ domain: String) -> [UInt8] {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("message-id \(name)@\(domain)".utf8), using: key)
        return Array(code.prefix(Self.tagBytes))
    }
}

/// Base32 (RFC 4648, 6) in lower case, for octets in multiples of five.
private enum Base32 {
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        var buffer: UInt32 = 0
        var bits = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                result.append(alphabet[Int(buffer >> UInt32(bits) & 31)])
            }
            buffer &= 1 << UInt32(bits) - 1
        }
        return String(decoding: result, as: UTF8.self)
    }
}
