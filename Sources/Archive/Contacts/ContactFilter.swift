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
    /// Part of the name, in any case of letters.
    public var name: String?
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
        if let name { add("instr(c.name_key, ?) > 0", ContactWriter.nameKey(name)) }
        if let doNotEmail { add("c.do_not_email = ?", doNotEmail) }
        if let isPrivate { add("c.is_private = ?", isPrivate) }
        if lacksAddress { add("NOT EXISTS (SELECT 1 FROM contact_addresses WHERE contact = c.id)") }
        if lacksOwner { add("c.owner IS NULL") }
        return (parts.isEmpty ? "1" : parts.joined(separator: " AND "), arguments)
    }
}
