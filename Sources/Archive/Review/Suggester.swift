import GRDB
import MailModel
import Matcher

/// Finds contacts that an item may belong to: by its thread, by the name that came
/// with its address, and by the address's domain. At most three; a person decides.
struct Suggester {
    static let limit = 3

    private let db: Database
    private let details, inThread, byName, byDomain: PreparedStatement

    /// - Parameter sight: contacts that it does not show are not suggested.
    init(_ db: Database, _ sight: Sight) throws {
        self.db = db
        let isSeen = sight.sees(contact: "c")
        details = try PreparedStatement(
            db,
            """
            SELECT m.thread, a.canonical, (SELECT p.name FROM participants p
                WHERE p.message = r.message AND p.address = r.address AND p.name IS NOT NULL LIMIT 1)
            FROM review_items r JOIN messages m ON m.id = r.message
                LEFT JOIN addresses a ON a.id = r.address WHERE r.id = ?
            """)
        inThread = try PreparedStatement(
            db,
            """
            SELECT DISTINCT c.id, c.name FROM messages m JOIN history h ON h.message = m.id
                JOIN contacts c ON c.id = h.contact
            WHERE m.message_id_key = ? AND m.message_id = ? AND h.removed_at IS NULL AND \(isSeen)
            ORDER BY c.id LIMIT 3
            """)
        byName = try PreparedStatement(
            db, "SELECT c.id, c.name FROM contacts c WHERE c.name_key = ? AND \(isSeen) ORDER BY c.id LIMIT 3"
        )
        // Organisations first: a domain says more about them than about one of its people.
        byDomain = try PreparedStatement(
            db,
            """
            SELECT DISTINCT c.id, c.name FROM (
                    SELECT contact FROM contact_addresses WHERE domain = ? ORDER BY contact LIMIT 50) d
                JOIN contacts c ON c.id = d.contact
            WHERE \(isSeen) ORDER BY c.kind <> 'organisation', c.id LIMIT 3
            """)
    }

    func fill(_ items: [ReviewItem]) throws -> [ReviewItem] {
        try items.map { item in
            var item = item
            item.suggestions = try suggestions(for: item.id)
            return item
        }
    }

    private func suggestions(for item: ReviewItemID) throws -> [Suggestion] {
        details.bind(1, item.rawValue)
        let facts = try details.first { row in
            (thread: row.optionalText(0), canonical: row.optionalText(1), name: row.optionalText(2))
        }
        guard let facts else { return [] }
        var found: [Suggestion] = []
        for id in (facts.thread ?? "").split(separator: " ") where found.count < Self.limit {
            let messageID = MessageID(rawValue: String(id))
            inThread.bind(1, IngestTransaction.key(messageID))
            try inThread.bind(2, messageID.rawValue)
            try collect(inThread, "answers a message in this history", into: &found)
        }
        if let name = facts.name, found.count < Self.limit {
            let key = ContactWriter.nameKey(name)
            if !key.isEmpty {
                try byName.bind(1, key)
                try collect(byName, "has the same name", into: &found)
            }
        }
        if let canonical = facts.canonical, found.count < Self.limit {
            let domain = CanonicalAddress(rawValue: canonical).domain
            if !PublicMailDomain.contains(domain) {
                try byDomain.bind(1, String(domain))
                try collect(byDomain, "has an address at \(domain)", into: &found)
            }
        }
        return found
    }

    private func collect(
        _ query: PreparedStatement, _ reason: String, into found: inout [Suggestion]
    ) throws {
        try query.forEachRow { row in
            let id = ContactID(rawValue: row.int64(0))
            guard found.count < Self.limit, !found.contains(where: { $0.contact == id }) else { return }
            found.append(Suggestion(contact: id, name: row.text(1), reason: reason))
        }
    }
}
