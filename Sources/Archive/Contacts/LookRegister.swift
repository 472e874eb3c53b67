import GRDB
import MailModel
import Matcher

/// The addresses and domains of contacts by how they look, to warn of an unknown address that
/// could be taken for one of them. A handful of lookups, however many contacts there are.
struct LookRegister {
    private let insert, forget, byHead, byTail, hasDomain, hasAddress, isOwn: PreparedStatement
    /// One crowded name must not slow down every other one; where so many share half a name,
    /// one letter means little.
    private static let bucketLimit = 64
    private static let domainFamily = "domain"

    init(_ db: Database) throws {
        insert = try PreparedStatement(
            db, "INSERT OR IGNORE INTO looks(known, look, head, tail) VALUES (?, ?, ?, ?)")
        forget = try PreparedStatement(db, "DELETE FROM looks WHERE known = ?")
        byHead = try PreparedStatement(db, "SELECT known FROM looks WHERE head = ? LIMIT ?")
        byTail = try PreparedStatement(db, "SELECT known FROM looks WHERE tail = ? LIMIT ?")
        hasDomain = try PreparedStatement(db, "SELECT 1 FROM contact_addresses WHERE domain = ? LIMIT 1")
        hasAddress = try PreparedStatement(
            db,
            """
            SELECT 1 FROM addresses a JOIN contact_addresses ca ON ca.address = a.id
            WHERE a.canonical = ? LIMIT 1
            """)
        isOwn = try PreparedStatement(
            db,
            """
            SELECT DISTINCT substr(a.canonical, instr(a.canonical, '@') + 1) FROM addresses a
            WHERE a.id IN (SELECT address FROM users UNION SELECT address FROM accounts)
            """)
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
        return try ownDomains().contains(domain)
    }

    private func ownDomains() throws -> [String] {
        var own: [String] = []
        try isOwn.forEachRow { own.append($0.text(0)) }
        return own
    }

    private func resembled(
        by local: String, at domain: String
    ) throws -> (known: String, Look.Resemblance)? {
        if PublicMailDomain.contains(domain) {
            return try best(Look(local), family: "@" + domain) { known in
                Look.resemblance(
                    ofLocalPart: local, to: Self.localPart(CanonicalAddress(rawValue: known)))
            }
        }
        guard try !isKnown(domain) else { return nil }
        let own = try ownDomains()
        guard !own.contains(domain) else { return nil }
        var found = try best(Look(domain), family: Self.domainFamily) { Look.resemblance(of: domain, to: $0) }
        if found == nil {
            found =
                own.lazy.compactMap { name in
                    Look.resemblance(of: domain, to: name).map { (name, $0) }
                }.first
        }
        if found == nil { found = PublicMailDomain.resembled(by: domain) }
        guard let (name, resemblance) = found else { return nil }
        // The whole address says more, when that is a contact's.
        let address = CanonicalAddress(EmailAddress(localPart: local, domain: name)).rawValue
        return (try isKnown(address) ? address : name, resemblance)
    }

    private func best(
        _ look: Look, family: String, _ resemblance: (String) -> Look.Resemblance?
    ) throws -> (String, Look.Resemblance)? {
        let (heads, tails) = LookHalves.candidates(for: look, family: family)
        var candidates: [String] = []
        for (query, numbers) in [(byHead, heads), (byTail, tails)] {
            for number in numbers {
                query.bind(1, number)
                query.bind(2, Self.bucketLimit)
                try query.forEachRow { candidates.append($0.text(0)) }
            }
        }
        var found: (String, Look.Resemblance)?
        for known in Set(candidates).sorted() {
            guard let one = resemblance(known), try isKnown(known) else { continue }
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
