import GRDB
import MailModel
import Matcher

/// Finds contacts that an item may belong to, the likeliest first: by its address, which somebody may have given to a
/// contact who could not decide about the item, by one that differs only in its tag, by its thread, by a telephone
/// number in the signature, by the name that came with the address, by the address's domain, and by an organisation that the
/// signature names. At most three; a person
/// decides, since all of it can be forged. For an address that could be taken for a known one nobody is suggested: what
/// a forger copies would point at the one who is imitated.
struct Suggester {
    static let limit = 3

    private let db: Database
    private let details, byAddress, inThread, byPhone, byName, byCompany, byDomain: PreparedStatement

    /// - Parameter sight: contacts that it does not show are not suggested.
    init(_ db: Database, _ sight: Sight) throws {
        self.db = db
        let isSeen = sight.sees(contact: "c")
        // Mail of our own has our own signature.
        details = try PreparedStatement(
            db,
            """
            SELECT m.thread, a.canonical, (SELECT p.name FROM participants p
                WHERE p.message = r.message AND p.address = r.address AND p.name IS NOT NULL LIMIT 1),
                CASE m.direction WHEN 'incoming' THEN m.signature END, r.kind
            FROM review_items r JOIN messages m ON m.id = r.message
                LEFT JOIN addresses a ON a.id = r.address WHERE r.id = ?
            """)
        byAddress = try PreparedStatement(
            db,
            """
            SELECT c.id, c.name FROM addresses a JOIN contact_addresses ca ON ca.address = a.id
                JOIN contacts c ON c.id = ca.contact
            WHERE a.canonical = ? AND \(isSeen) ORDER BY c.id LIMIT 3
            """)
        inThread = try PreparedStatement(
            db,
            """
            SELECT DISTINCT c.id, c.name FROM messages m JOIN history h ON h.message = m.id
                JOIN contacts c ON c.id = h.contact
            WHERE m.message_id_key = ? AND m.message_id = ? AND h.removed_at IS NULL AND \(isSeen)
            ORDER BY c.id LIMIT 3
            """)
        // People first: the number of an organisation stands below everybody's mail.
        byPhone = try PreparedStatement(
            db,
            """
            SELECT c.id, c.name FROM contact_phones p JOIN contacts c ON c.id = p.contact
            WHERE p.digits = ? AND \(isSeen) ORDER BY c.kind = 'organisation', c.id LIMIT 3
            """)
        byName = try PreparedStatement(
            db,
            """
            SELECT c.id, c.name, c.name_key, (SELECT o.name FROM contacts o
                WHERE o.id = c.organisation AND \(sight.sees(contact: "o")))
            FROM contacts c WHERE c.name_words = ? AND c.name_words <> '' AND \(isSeen) ORDER BY c.id LIMIT 20
            """)
        byCompany = try PreparedStatement(
            db,
            """
            SELECT c.id, c.name FROM contacts c
            WHERE c.name_words = ? AND c.name_words <> '' AND c.kind = 'organisation' AND \(isSeen)
            ORDER BY c.id LIMIT 3
            """)
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

    /// Whether anything but the address's domain says that it may be a known contact who writes.
    func meansSomebodyKnown(_ item: ReviewItemID) throws -> Bool {
        try !suggestions(for: item, byDomain: false).isEmpty
    }

    private func suggestions(for item: ReviewItemID, byDomain usesDomain: Bool = true) throws -> [Suggestion]
    {
        details.bind(1, item.rawValue)
        let facts = try details.first { row in
            (
                thread: row.optionalText(0), canonical: row.optionalText(1), name: row.optionalText(2),
                signature: row.optionalText(3), kind: row.text(4)
            )
        }
        guard let facts, facts.kind != ReviewKind.lookAlike.rawValue else { return [] }
        var found: [Suggestion] = []
        let address = facts.canonical.map { CanonicalAddress(rawValue: $0) }
        // What was found to be forged, or was taken out, is not the contact's because of its address.
        if let address, facts.kind == ReviewKind.unknown.rawValue {
            try byAddress.bind(1, address.rawValue)
            try collect(byAddress, "has this address", into: &found)
        }
        if let known = address?.withoutTag {
            try byAddress.bind(1, known.rawValue)
            try collect(byAddress, "has \(known.rawValue), the address without its tag", into: &found)
        }
        for id in (facts.thread ?? "").split(separator: " ") where found.count < Self.limit {
            let messageID = MessageID(rawValue: String(id))
            inThread.bind(1, IngestTransaction.key(messageID))
            try inThread.bind(2, messageID.rawValue)
            try collect(inThread, "answers a message in this history", into: &found)
        }
        for number in PhoneNumber.all(in: facts.signature ?? "") where found.count < Self.limit {
            try byPhone.bind(1, number.digits)
            try collect(byPhone, "has the telephone number in the signature", into: &found)
        }
        let namesakes = try namesakes(of: facts.name ?? "", signature: facts.signature ?? "")
        add(namesakes.filter { $0.likeness > .words }, to: &found)
        if usesDomain, let domain = address?.domain, found.count < Self.limit,
            !PublicMailDomain.contains(domain)
        {
            try byDomain.bind(1, String(domain))
            try collect(byDomain, "has an address at \(domain)", into: &found)
        }
        if usesDomain { try collectCompanies(namedBy: facts.signature ?? "", into: &found) }
        add(namesakes.filter { $0.likeness == .words }, to: &found)
        return found
    }

    /// A line of the signature, or a part of it between commas, that is an organisation's name. One word alone is too many
    /// people's.
    private func collectCompanies(namedBy signature: String, into found: inout [Suggestion]) throws {
        let parts = signature.split { $0.isNewline || $0 == "," || $0 == "|" }
        for part in parts.prefix(Self.signatureParts) where found.count < Self.limit {
            let words = NameWords(part)
            guard words.words.count > 1 else { continue }
            try byCompany.bind(1, words.key)
            try collect(byCompany, "is named in the signature", into: &found)
        }
    }

    private static let signatureParts = 20

    // MARK: - Names

    private struct Namesake {
        var contact: ContactID
        var name: String
        var likeness: Likeness
    }

    private enum Likeness: Int, Comparable {
        case words, spelling, company

        static func < (one: Likeness, other: Likeness) -> Bool { one.rawValue < other.rawValue }

        var reason: String {
            switch self {
            case .words: "has the same name in another spelling"
            case .spelling: "has the same name"
            case .company: "has the same name, and the signature names its organisation"
            }
        }
    }

    /// The likeliest first. A name of one word is too many people's to say anything.
    private func namesakes(of name: String, signature: String) throws -> [Namesake] {
        let words = NameWords(name)
        guard words.words.count > 1 else { return [] }
        let key = ContactWriter.nameKey(name)
        let lines = signature.split(separator: "\n").map { Set(NameWords($0).words) }
        var namesakes: [Namesake] = []
        try byName.bind(1, words.key)
        try byName.forEachRow { row in
            var likeness = row.text(2) == key ? Likeness.spelling : .words
            // Short words are legal forms: signatures leave them out.
            let company = NameWords(row.optionalText(3) ?? "").words.filter { $0.count > 2 }
            if !company.isEmpty, lines.contains(where: { $0.isSuperset(of: company) }) { likeness = .company }
            namesakes.append(
                Namesake(contact: ContactID(rawValue: row.int64(0)), name: row.text(1), likeness: likeness))
        }
        return namesakes.sorted { ($1.likeness, $0.contact.rawValue) < ($0.likeness, $1.contact.rawValue) }
    }

    private func add(_ namesakes: [Namesake], to found: inout [Suggestion]) {
        for one in namesakes {
            add(Suggestion(contact: one.contact, name: one.name, reason: one.likeness.reason), to: &found)
        }
    }

    // MARK: - Collecting

    private func collect(
        _ query: PreparedStatement, _ reason: String, into found: inout [Suggestion]
    ) throws {
        try query.forEachRow { row in
            add(
                Suggestion(contact: ContactID(rawValue: row.int64(0)), name: row.text(1), reason: reason),
                to: &found)
        }
    }

    private func add(_ suggestion: Suggestion, to found: inout [Suggestion]) {
        guard found.count < Self.limit, !found.contains(where: { $0.contact == suggestion.contact }) else {
            return
        }
        found.append(suggestion)
    }
}
