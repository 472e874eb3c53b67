import GRDB
public import MailModel
public import Matcher

/// What the matcher is told of one address.
public struct AddressFacts: Sendable, Hashable, Encodable {
    /// A contact that has it.
    public struct Holder: Sendable, Hashable, Encodable {
        public var id: ContactID
        public var name: String
    }

    /// In lower case.
    public var address: String
    /// The form in which it is compared.
    public var canonical: CanonicalAddress
    public var contacts: [Holder]
    /// A user's or an account's.
    public var isOwn: Bool
    /// The pattern of the rule that ignores its mail.
    public var ignoredBy: String?
    /// What it took to find that out, without names for people.
    public var microseconds: Double

    private enum CodingKeys: String, CodingKey {
        case address, canonical, contacts
        case isOwn = "own"
        case ignoredBy = "ignored_by"
        case microseconds
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(address, forKey: .address)
        try container.encode(canonical, forKey: .canonical)
        try container.encode(contacts, forKey: .contacts)
        try container.encode(isOwn, forKey: .isOwn)
        try container.encode(ignoredBy, forKey: .ignoredBy)
        try container.encode(microseconds, forKey: .microseconds)
    }
}

extension Archive {
    /// Looks addresses up as ingest does, each anew. Contacts that the viewer does not see are left out.
    ///
    /// - Parameter each: called after each address, in their order; must not use the archive.
    public func lookUp(
        _ addresses: some Sequence<EmailAddress>, _ each: @escaping (AddressFacts) throws -> Void
    ) throws(MailFailure) {
        let addresses = Array(addresses)
        try read { db, sight in
            let book = try AddressBook(db)
            let name = try PreparedStatement(
                db, "SELECT c.name FROM contacts c WHERE c.id = ? AND \(sight.sees(contact: "c"))")
            let pattern = try PreparedStatement(db, "SELECT pattern FROM ignore_rules WHERE id = ?")
            for address in addresses {
                let start = ContinuousClock.now
                let canonical = CanonicalAddress(address)
                let standing = try book.find(canonical).standing
                let elapsed = start.duration(to: .now).components
                var facts = AddressFacts(
                    address: address.lowercased, canonical: canonical, contacts: [], isOwn: standing.isOwn,
                    ignoredBy: nil,
                    microseconds: Double(elapsed.seconds) * 1e6 + Double(elapsed.attoseconds / 1_000_000_000)
                        / 1e3)
                for contact in standing.contacts {
                    name.bind(1, contact.rawValue)
                    if let name = try name.first({ $0.text(0) }) {
                        facts.contacts.append(AddressFacts.Holder(id: contact, name: name))
                    }
                }
                if let rule = standing.ignoredBy, sight.has(.review) {
                    pattern.bind(1, rule.rawValue)
                    facts.ignoredBy = try pattern.first { $0.text(0) }
                }
                try each(facts)
            }
        }
    }
}
