public import MailModel
public import Matcher

/// A standing decision to ignore mail that would wait under an address, or under any address of a domain.
public struct IgnoreRule: Sendable, Hashable, Encodable {
    public var id: IgnoreRuleID
    /// A canonical address, or a domain.
    public var pattern: String
    public var createdBy: String
    public var createdAt: UnixTime
    /// How many messages it has taken.
    public var ignored: Int

    private enum CodingKeys: String, CodingKey {
        case id, pattern
        case createdBy = "created_by"
        case createdAt = "created_at"
        case ignored
    }
}

/// What a rule is about, as a person writes it.
public struct RulePattern: Sendable, Hashable {
    /// A canonical address, or a domain in lower case and A-labels.
    public let text: String

    /// - Throws: `value.invalid` for what is neither, and for the domain of a public mail provider: its users
    ///   have nothing to do with each other.
    public init(_ typed: String) throws(MailFailure) {
        let remedy = "Write an address, or a domain such as shop.example."
        if typed.contains("@"), !typed.hasPrefix("@") {
            guard let address = EmailAddress(typed) else {
                throw .invalid("This is not an e-mail address", typed, remedy: remedy)
            }
            self.init(address: CanonicalAddress(address))
            return
        }
        let domain = typed.hasPrefix("@") ? String(typed.dropFirst()) : typed
        guard let address = EmailAddress("x@\(domain)"), domain.contains("."), !domain.contains("*") else {
            throw .invalid("This is not a domain", typed, remedy: remedy)
        }
        try self.init(domain: String(CanonicalAddress(address).domain))
    }

    init(address: CanonicalAddress) { text = address.rawValue }

    init(domain canonical: String) throws(MailFailure) {
        guard !PublicMailDomain.contains(canonical) else {
            throw .invalid(
                "A whole public mail provider cannot be ignored", canonical,
                remedy: "Ignore the address instead.")
        }
        text = canonical
    }

    init(stored text: String) { self.text = text }

    var isAddress: Bool { text.contains("@") }

    func covers(_ address: CanonicalAddress) -> Bool {
        address.rawValue == text || (!isAddress && address.domain == text)
    }
}

/// What a change of rules does to one message.
public struct RuleChange: Sendable, Hashable, Encodable {
    public var message: ArchivedMessageID
    public var subject: String?
    /// Of the Date field.
    public var date: UnixTime?
    /// As the ledger names it.
    public var from: LedgerState
    public var to: LedgerState
    /// The rule that takes it, the address under which it waits, or the contact in whose history it comes.
    public var because: String
}
