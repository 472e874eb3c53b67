/// An addr-spec (RFC 5322, 3.4.1): the part before the last `@` and the domain,
/// as they stood in the message apart from surrounding white space.
///
/// Two addresses that reach the same mailbox need not be equal here; comparing
/// people is the Matcher's work, which has the canonical form.
public struct EmailAddress: Hashable, Sendable {
    /// The local part, unquoted: `"john smith"@example.com` has `john smith`.
    public let localPart: String
    /// The domain or domain literal, in the spelling of the message.
    public let domain: String

    public init(localPart: String, domain: String) {
        self.localPart = localPart
        self.domain = domain
    }

    /// Reads a bare `local@domain`; nil when either side is empty, or when white
    /// space, a control character or an angle bracket makes it something else.
    public init?(_ text: some StringProtocol) {
        guard let at = text.lastIndex(of: "@") else { return nil }
        var local = text[..<at]
        let domain = text[text.index(after: at)...]
        if local.count >= 2, local.first == "\"", local.last == "\"" {
            local = local.dropFirst().dropLast()
        } else if local.contains(where: \.isWhitespace) {
            return nil
        }
        guard !local.isEmpty, !domain.isEmpty else { return nil }
        let forbidden = { (scalar: Unicode.Scalar) in
            scalar.value < 0x20 || scalar.value == 0x7F || scalar == "<" || scalar == ">"
        }
        guard !local.unicodeScalars.contains(where: forbidden),
            !domain.unicodeScalars.contains(where: { forbidden($0) || $0.properties.isWhitespace })
        else { return nil }
        self.localPart = String(local)
        self.domain = String(domain)
    }

    /// `local@domain` in the spelling of the message, for showing to people.
    public var addrSpec: String { "\(localPart)@\(domain)" }

    /// `local@domain` in lower case: the form of listings and of JSON.
    public var lowercased: String { addrSpec.lowercased() }
}

extension EmailAddress: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let at = text.lastIndex(of: "@") else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no @ in an address")
        }
        self.init(localPart: String(text[..<at]), domain: String(text[text.index(after: at)...]))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(addrSpec)
    }
}

/// A mailbox (RFC 5322, 3.4): an address with the display name that came with it.
/// The name is what the sender wrote; it never decides whom a message belongs to.
public struct Mailbox: Hashable, Sendable, Codable {
    public var displayName: String?
    public var address: EmailAddress

    public init(displayName: String? = nil, address: EmailAddress) {
        self.displayName = displayName
        self.address = address
    }
}
