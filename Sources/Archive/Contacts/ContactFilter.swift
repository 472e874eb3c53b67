import GRDB
public import Matcher

/// Which contacts a listing shows; everything that is set must hold.
public struct ContactFilter: Sendable, Hashable {
    public var kind: Contact.Kind?
    public var organisation: ContactID?
    public var owner: UserID?
    public var tag: String?
    public var type: String?
    /// Some address lies in the domain.
    public var domain: String?
    /// Part of the name or of an address in any case of letters, a whole external id, or part of a telephone
    /// number.
    public var text: String?
    public var doNotEmail: Bool?
    public var isPrivate: Bool?
    /// True: without any address.
    public var lacksAddress = false
    /// True: without a responsible user.
    public var lacksOwner = false

    public init() {}

    /// A condition on `contacts c`.
    var condition: (sql: String, arguments: StatementArguments) {
        var parts: [String] = []
        var arguments: StatementArguments = []
        func add(_ part: String, _ argument: (any DatabaseValueConvertible)? = nil) {
            parts.append(part)
            if let argument { arguments += [argument] }
        }
        if let kind { add("c.kind = ?", kind.rawValue) }
        if let organisation { add("c.organisation = ?", organisation.rawValue) }
        if let owner { add("c.owner = ?", owner.rawValue) }
        if let tag { add("c.id IN (SELECT contact FROM contact_tags WHERE tag = ?)", tag) }
        if let type { add("c.type = ?", type) }
        if let domain {
            add(
                "c.id IN (SELECT contact FROM contact_addresses WHERE domain = ?)",
                CanonicalAddress.canonicalDomain(domain))
        }
        if let text {
            var ways = [
                "instr(c.name_key, ?) > 0", "c.external_id = ?",
                "c.id IN (SELECT contact FROM contact_addresses WHERE instr(lower(email), ?) > 0)",
            ]
            arguments += [ContactWriter.nameKey(text), text, text.lowercased()]
            let digits = text.filter { $0.isASCII && $0.isNumber }
            if digits.count >= 4 {
                ways.append("c.id IN (SELECT contact FROM contact_phones WHERE instr(digits, ?) > 0)")
                arguments += [digits]
            }
            add("(\(ways.joined(separator: " OR ")))")
        }
        if let doNotEmail { add("c.do_not_email = ?", doNotEmail) }
        if let isPrivate { add("c.is_private = ?", isPrivate) }
        if lacksAddress { add("NOT EXISTS (SELECT 1 FROM contact_addresses WHERE contact = c.id)") }
        if lacksOwner { add("c.owner IS NULL") }
        return (parts.isEmpty ? "1" : parts.joined(separator: " AND "), arguments)
    }
}
