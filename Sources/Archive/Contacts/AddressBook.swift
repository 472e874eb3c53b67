import GRDB
import MailModel
import Matcher

/// What one transaction knows about addresses, each looked up once.
final class AddressBook {
    struct Entry {
        var id: Int64
        var canonical: CanonicalAddress
        var standing: AddressStanding
    }

    private let db: Database
    private let findNumber, insert, isOwn, contacts, rule: PreparedStatement
    private let hasRules: Bool
    private var bySpelling: [EmailAddress: Entry] = [:]
    private var byCanonical: [CanonicalAddress: Entry] = [:]

    init(_ db: Database) throws {
        self.db = db
        findNumber = try PreparedStatement(db, "SELECT id FROM addresses WHERE canonical = ?")
        insert = try PreparedStatement(db, "INSERT INTO addresses(canonical) VALUES (?)")
        isOwn = try PreparedStatement(
            db,
            """
            SELECT EXISTS (SELECT 1 FROM accounts WHERE address = ?1)
                OR EXISTS (SELECT 1 FROM users WHERE address = ?1)
            """)
        contacts = try PreparedStatement(
            db, "SELECT contact FROM contact_addresses WHERE address = ? ORDER BY contact")
        rule = try PreparedStatement(
            db, "SELECT id FROM ignore_rules WHERE pattern IN (?, ?) ORDER BY instr(pattern, '@') = 0 LIMIT 1"
        )
        hasRules = try PreparedStatement(db, "SELECT 1 FROM ignore_rules LIMIT 1").first { _ in true } != nil
    }

    /// The entry of an address, made when it is new.
    func entry(_ address: EmailAddress) throws -> Entry {
        if let known = bySpelling[address] { return known }
        let entry = try entry(CanonicalAddress(address))
        bySpelling[address] = entry
        return entry
    }

    func entry(_ canonical: CanonicalAddress) throws -> Entry {
        if let known = byCanonical[canonical] { return known }
        let entry = try look(up: canonical)
        byCanonical[canonical] = entry
        return entry
    }

    /// A contact has the address from now on.
    func note(_ contact: ContactID, has canonical: CanonicalAddress) {
        guard var entry = byCanonical[canonical], !entry.standing.contacts.contains(contact) else { return }
        entry.standing.contacts.append(contact)
        byCanonical[canonical] = entry
        bySpelling = bySpelling.filter { $0.value.canonical != canonical }
    }

    private func look(up canonical: CanonicalAddress) throws -> Entry {
        let (id, standing) = try find(canonical)
        if let id { return Entry(id: id, canonical: canonical, standing: standing) }
        try insert.bind(1, canonical.rawValue)
        try insert.run()
        return Entry(id: db.lastInsertedRowID, canonical: canonical, standing: standing)
    }

    /// What is known of an address; its number is nil for one that was never met.
    func find(_ canonical: CanonicalAddress) throws -> (id: Int64?, standing: AddressStanding) {
        var standing = AddressStanding()
        if hasRules {
            try rule.bind(1, canonical.rawValue)
            try rule.bind(2, String(canonical.domain))
            standing.ignoredBy = try rule.first { IgnoreRuleID(rawValue: $0.int64(0)) }
        }
        try findNumber.bind(1, canonical.rawValue)
        guard let id = try findNumber.first({ $0.int64(0) }) else { return (nil, standing) }
        isOwn.bind(1, id)
        standing.isOwn = try isOwn.first { $0.int64(0) != 0 } ?? false
        contacts.bind(1, id)
        try contacts.forEachRow { standing.contacts.append(ContactID(rawValue: $0.int64(0))) }
        return (id, standing)
    }
}
