import GRDB
public import Matcher

/// What erasing a contact does, before or after it is done.
public struct ErasurePlan: Sendable, Encodable {
    public var contact: ContactID
    /// Mail that concerns nobody else among the contacts: it is emptied and overwritten.
    public var erased: [ArchivedMessageID]
    /// Mail that stands in another contact's history too: it stays there, and loses the link.
    public var kept: [ArchivedMessageID]
    /// Of the erased ones, the reports on the delivery of mail to the contact, which stand in nobody's history.
    public var reports: [ArchivedMessageID]
    /// Reports that name the contact and stay: they tell of others too, or it is not known what
    /// they are about, so that it is a person's to say whom they concern.
    public var naming: [ArchivedMessageID]
}

extension ErasurePlan {
    init(_ contact: ContactID, _ db: Database, _ sight: Sight) throws {
        try Archive.requireContact(contact, db, sight)
        self.init(contact: contact, erased: [], kept: [], reports: [], naming: [])
        try addMail(db)
        try addReports(db)
        try addReportsThatName(db)
        erased.sort { $0.rawValue < $1.rawValue }
    }

    /// A message concerns the contact when it stands in their history, or when one of their
    /// addresses takes part in it; and it concerns another when it stands in another's history.
    private mutating func addMail(_ db: Database) throws {
        let query = try PreparedStatement(
            db,
            """
            SELECT m.id, EXISTS (
                SELECT 1 FROM history WHERE message = m.id AND contact <> ?1 AND removed_at IS NULL)
            FROM messages m WHERE m.erased_at IS NULL AND m.id IN (
                SELECT message FROM history WHERE contact = ?1 AND removed_at IS NULL
                UNION
                -- What told the owner of their mail.
                SELECT o.message FROM events e JOIN digests d ON d.id = e.digest JOIN outbox o ON o.id = d.item
                WHERE e.contact = ?1
                UNION
                SELECT p.message FROM contact_addresses c JOIN participants p ON p.address = c.address
                WHERE c.contact = ?1 AND NOT EXISTS (SELECT 1 FROM users WHERE address = c.address)
                    AND NOT EXISTS (SELECT 1 FROM accounts WHERE address = c.address))
            ORDER BY m.id
            """)
        query.bind(1, contact.rawValue)
        try query.forEachRow { row in
            let message = ArchivedMessageID(rawValue: row.int64(0))
            if row.int64(1) != 0 { kept.append(message) } else { erased.append(message) }
        }
    }

    /// A report on mail that was sent from here, or that a Sent folder has, knows its recipients. It concerns the contact
    /// alone when each of them is the contact, or the mail itself is erased, which the report quotes.
    private mutating func addReports(_ db: Database) throws {
        let (gone, staying) = (Set(erased), Set(kept))
        let query = try PreparedStatement(
            db,
            """
            WITH told(report, mail, canonical) AS (
                SELECT d.report, o.message, r.canonical FROM delivery_reports d JOIN outbox o ON o.id = d.item
                    JOIN outbox_recipients r ON r.item = d.item AND r.position = d.position
                UNION ALL SELECT report, message, canonical FROM other_reports)
            SELECT t.report, t.mail, EXISTS (
                    SELECT 1 FROM contact_addresses c JOIN addresses a ON a.id = c.address
                    WHERE c.contact = ?1 AND a.canonical = t.canonical),
                EXISTS (
                    SELECT 1 FROM history WHERE message = t.report AND contact <> ?1 AND removed_at IS NULL)
            FROM told t JOIN messages m ON m.id = t.report WHERE m.erased_at IS NULL
            """)
        var concerned: [ArchivedMessageID: (contact: Bool, others: Bool)] = [:]
        query.bind(1, contact.rawValue)
        try query.forEachRow { row in
            let mail = row.optionalInt64(1).map { ArchivedMessageID(rawValue: $0) }
            let isContacts = row.int64(2) != 0 || mail.map(gone.contains) == true
            let report = ArchivedMessageID(rawValue: row.int64(0))
            let known = concerned[report] ?? (false, false)
            concerned[report] = (
                known.contact || isContacts, known.others || !isContacts || row.int64(3) != 0
            )
        }
        for (report, whom) in concerned.sorted(by: { $0.key.rawValue < $1.key.rawValue })
        where whom.contact && !gone.contains(report) && !staying.contains(report) {
            if whom.others {
                naming.append(report)
            } else {
                reports.append(report)
                erased.append(report)
            }
        }
    }

    /// Any other report is known by the words in it, as far as it is in the search index.
    private mutating func addReportsThatName(_ db: Database) throws {
        let known = Set(erased + kept + naming)
        let addresses = try String.fetchAll(
            db, sql: "SELECT email FROM contact_addresses WHERE contact = ? ORDER BY position",
            arguments: [contact.rawValue])
        let query = try PreparedStatement(
            db,
            """
            SELECT m.id FROM search JOIN messages m ON m.id = search.rowid
            WHERE search MATCH ? AND m.category = 'report' AND m.erased_at IS NULL ORDER BY m.id
            """)
        for address in addresses {
            guard let expression = try? SearchQuery("\"\(address)\"") else { continue }
            try query.bind(1, expression.within(["subject", "body", "files"]))
            try query.forEachRow { row in
                let message = ArchivedMessageID(rawValue: row.int64(0))
                if !known.contains(message), !naming.contains(message) { naming.append(message) }
            }
        }
    }
}

/// Where an erasure is: its parts follow each other.
public enum ErasureProgress: Sendable, Hashable {
    /// Emptied, all in one transaction.
    case messages(done: Int, total: Int)
    /// Looked through for bytes to overwrite.
    case packs(done: Int, total: Int)
    /// Its older parts are written anew, without the words.
    case searchIndex
}
