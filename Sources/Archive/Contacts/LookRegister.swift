import GRDB
import MailModel
import Matcher

/// The addresses and domains of contacts by how they look, to warn of an unknown address that
/// could be taken for one of them. A handful of lookups, however many contacts there are.
struct LookRegister {
    private let insert, forget, byHead, byTail, byLabel, hasDomain, hasAddress: PreparedStatement
    private let own: OwnNames
    private let readings = ReadNames()
    /// One crowded name must not slow down every other one; where so many share half a name,
    /// one letter means little.
    private static let bucketLimit = 64
    private static let endingLimit = 64
    private static let domainFamily = "domain"

    init(_ db: Database) throws {
        insert = try PreparedStatement(
            db, "INSERT OR IGNORE INTO looks(known, look, head, tail) VALUES (?, ?, ?, ?)")
        forget = try PreparedStatement(db, "DELETE FROM looks WHERE known = ?")
        byHead = try PreparedStatement(db, "SELECT known FROM looks WHERE head = ? LIMIT ?")
        byTail = try PreparedStatement(db, "SELECT known FROM looks WHERE tail = ? LIMIT ?")
        byLabel = try PreparedStatement(
            db,
            """
            SELECT domain FROM contact_addresses WHERE domain > ? AND domain < ? ORDER BY domain LIMIT 1
            """)
        hasDomain = try PreparedStatement(db, "SELECT 1 FROM contact_addresses WHERE domain = ? LIMIT 1")
        hasAddress = try PreparedStatement(
            db,
            """
            SELECT 1 FROM addresses a JOIN contact_addresses ca ON ca.address = a.id
            WHERE a.canonical = ? LIMIT 1
            """)
        own = try OwnNames(db)
    }

    /// A contact has the address.
    func add(_ address: CanonicalAddress) throws {
        let (known, look, family) = Self.entry(address)
        let halves = LookHalves(of: look, family: family)
        try insert.bind(1, known)
        try insert.bind(2, look.text)
        insert.bind(3, halves.head)
        insert.bind(4, halves.tail)
        try insert.run()
    }

    /// Takes out what is not a contact's any more; without a contact it is somebody's data.
    func remove(_ address: CanonicalAddress) throws {
        let known = Self.entry(address).known
        guard try !isKnown(known) else { return }
        try forget.bind(1, known)
        try forget.run()
    }

    /// Whom somebody whose address nobody has could be taken for, by the address or by another one
    /// that stands in the place of the name.
    func lookAlike(of address: CanonicalAddress, _ mailbox: Mailbox) throws -> LookAlike? {
        if let found = try lookAlike(of: address) { return found }
        for other in mailbox.addressesInName.map({ CanonicalAddress($0) }) where other != address {
            guard try isKnown(other.rawValue) || own.addresses.contains(other) else { continue }
            return LookAlike(
                address: address.rawValue, known: other.rawValue, resemblance: .addressAsName)
        }
        return nil
    }

    /// Whom an address that nobody has could be taken for.
    func lookAlike(of address: CanonicalAddress) throws -> LookAlike? {
        let (domain, local) = (String(address.domain), Self.localPart(address))
        let mixed = Look.mixesAlphabets(domain) || Look.mixesAlphabets(local)
        if let (known, resemblance) = try resembled(by: local, at: domain) {
            return LookAlike(address: address.rawValue, known: known, resemblance: resemblance)
        }
        return mixed
            ? LookAlike(address: address.rawValue, known: nil, resemblance: .mixedAlphabets) : nil
    }

    /// Whether our own people have addresses at the domain, and strangers do not.
    func isOurs(_ domain: String) throws -> Bool {
        guard !PublicMailDomain.contains(domain) else { return false }
        return try own.domains[domain] != nil
    }

    private func resembled(
        by local: String, at domain: String
    ) throws -> (known: String, Look.Resemblance)? {
        if PublicMailDomain.contains(domain) {
            let name = Look.Reading(local)
            let found = try best(local, family: "@" + domain) { known in
                let other = Self.localPart(CanonicalAddress(rawValue: known))
                return Look.resemblance(ofLocalPart: name, to: readings.reading(of: other))
            }
            if let found { return found }
            return try own.localParts(at: domain).lazy.compactMap { local in
                Look.resemblance(ofLocalPart: name, to: local).map { (local.name + "@" + domain, $0) }
            }.first
        }
        guard try !isKnown(domain), try own.domains[domain] == nil else { return nil }
        let name = Look.Reading(domain)
        var found = try best(domain, family: Self.domainFamily) {
            Look.resemblance(of: name, to: readings.reading(of: $0))
        }
        if found == nil {
            found = try own.sortedDomains.lazy.compactMap { own in
                Look.resemblance(of: name, to: own).map { (own.name, $0) }
            }.first
        }
        if found == nil { found = PublicMailDomain.resembled(by: domain) }
        if found == nil { found = try lender(to: domain) }
        guard let (name, resemblance) = found else { return nil }
        // The whole address says more, when that is a contact's.
        let address = CanonicalAddress(EmailAddress(localPart: local, domain: name)).rawValue
        return (try isKnown(address) ? address : name, resemblance)
    }

    /// The domain from which another one borrows its name. At most a few lookups for each label.
    private func lender(to domain: String) throws -> (String, Look.Resemblance)? {
        let borrowed = BorrowedName(domain)
        for name in borrowed.enclosed
        where try own.domains[name] != nil || PublicMailDomain.contains(name) || isKnown(name) {
            return (name, .enclosedName)
        }
        for label in [borrowed.label] + borrowed.stems {
            for known in try domains(beginning: label + ".") {
                if let found = borrowed.resemblance(to: known) { return (known, found) }
            }
        }
        return try own.sortedDomains.lazy.compactMap { own in
            borrowed.resemblance(to: own.name).map { (own.name, $0) }
        }.first
    }

    /// Domains of contacts that begin so, at most a few.
    private func domains(beginning text: String) throws -> [String] {
        // No domain has anything but a dot, letters, digits and hyphens, which stand before or behind `/`.
        let end = text.dropLast() + "/"
        var found: [String] = []
        var last = text
        while found.count < Self.endingLimit {
            try byLabel.bind(1, last)
            try byLabel.bind(2, String(end))
            guard let next = try byLabel.first({ $0.text(0) }) else { break }
            found.append(next)
            last = next
        }
        return found
    }

    private func best(
        _ name: String, family: String, _ resemblance: (String) -> Look.Resemblance?
    ) throws -> (String, Look.Resemblance)? {
        let (heads, tails) = LookHalves.candidates(for: name, family: family)
        var alike: [String: Look.Resemblance] = [:]
        for (query, numbers) in [(byHead, heads), (byTail, tails)] {
            for number in numbers {
                query.bind(1, number)
                query.bind(2, Self.bucketLimit)
                try query.forEachRow {
                    let known = $0.text(0)
                    if let one = resemblance(known) { alike[known] = one }
                }
            }
        }
        var found: (String, Look.Resemblance)?
        for (known, one) in alike.sorted(by: { $0.key < $1.key }) where try isKnown(known) {
            if one == .sameLetters { return (known, one) }
            found = found ?? (known, one)
        }
        return found
    }

    /// Whether a contact has the address, or one at the domain.
    func isKnown(_ known: String) throws -> Bool {
        let query = known.contains("@") ? hasAddress : hasDomain
        try query.bind(1, known)
        return try query.first { _ in true } != nil
    }

    /// At a public provider the whole address is what people know each other by; elsewhere the
    /// domain is.
    private static func entry(_ address: CanonicalAddress) -> (known: String, look: Look, family: String) {
        let domain = String(address.domain)
        return PublicMailDomain.contains(domain)
            ? (address.rawValue, Look(localPart(address)), "@" + domain)
            : (domain, Look(domain), domainFamily)
    }

    private static func localPart(_ address: CanonicalAddress) -> String {
        String(address.rawValue.dropLast(address.domain.utf8.count + 1))
    }
}
