import GRDB
public import MailModel
import Matcher

extension Archive {
    /// The messages in which the words occur, the most relevant first. What the viewer does not see
    /// is not searched either: neither a text that an account keeps from colleagues, nor blind
    /// recipients of somebody else's mail can be guessed word by word.
    ///
    /// - Throws: `unknown.contact`, `unknown.account` for a filter that fits nothing.
    public func search(
        _ query: SearchQuery, _ filter: SearchFilter = SearchFilter(), limit: Int = 50
    ) throws(MailFailure) -> [SearchHit] {
        try read { db, sight in
            if let contact = filter.contact { try Self.requireContact(contact, db, sight) }
            if let account = filter.account { try Self.requirePlace(account, db, sight) }
            var found: [(hit: SearchHit, rank: Double, sortDate: Int64)] = []
            var seen: Set<ArchivedMessageID> = []
            for way in SearchWay.all(sight) {
                let request = try way.request(query, filter, sight, limit: limit)
                for row in try Row.fetchAll(db, sql: request.sql, arguments: request.arguments) {
                    let hit = try Self.hit(row, way, db)
                    if seen.insert(hit.message).inserted {
                        found.append((hit, row["rank"], row["sort_date"]))
                    }
                }
            }
            found.sort { left, right in
                switch filter.order {
                case .relevance: (left.rank, -left.sortDate) < (right.rank, -right.sortDate)
                case .date: (-left.sortDate, left.rank) < (-right.sortDate, right.rank)
                }
            }
            return found.prefix(limit).map(\.hit)
        }
    }

    /// How many messages are not in the index yet; the newest come first.
    public func searchBacklog() throws(MailFailure) -> Int {
        try read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM messages WHERE \(Self.isUnindexed)") ?? 0
        }
    }

    /// The next messages to index, whoever the archive is seen by; empty when there are none.
    public func unindexed(limit: Int) throws(MailFailure) -> [ArchivedMessageID] {
        try read { db in
            try Int64.fetchAll(
                db, sql: "SELECT id FROM messages WHERE \(Self.isUnindexed) ORDER BY id DESC LIMIT ?",
                arguments: [limit]
            ).map { ArchivedMessageID(rawValue: $0) }
        }
    }

    /// Puts messages into the index, in one transaction with the note that they are there.
    ///
    /// - Returns: how many were due.
    @discardableResult
    public func index(_ texts: [SearchText]) throws(MailFailure) -> Int {
        try writeUnaudited { db in
            let index = try SearchIndex(db)
            return try texts.reduce(0) { try index.add($1) ? $0 + 1 : $0 }
        }
    }

    /// Empties the index; everything is due again. What was damaged of it is no damage any more.
    public func emptySearchIndex() throws(MailFailure) {
        let damaged = damagedPagesOfSearch()
        try administer { db in
            try db.execute(sql: "DROP TABLE search")
            try db.execute(sql: Schema.searchTable)
            try db.execute(sql: "UPDATE messages SET is_indexed = 0 WHERE is_indexed = 1")
        }
        // Dropping the table has read them, and so noted them. Where that stays, verify goes on naming them.
        try? DamageNote(database: Self.database(in: directory)).settle(damaged)
    }

    /// Pages that are damaged in the file as yet, and so cannot have passed their damage on to other tables.
    private func damagedPagesOfSearch() -> [UInt32] {
        guard let damaged = try? checkPages().damaged, !damaged.isEmpty,
            let left = try? Salvage.connection(to: Self.database(in: directory))
        else { return [] }
        return left.unsafeRead { PageOwner.ofSearch(damaged, $0) }
    }

    /// Has the index forget the words of what was taken out of it: until then they lie about in
    /// its older segments. In steps, so that others can write between them.
    func purgeSearchIndex() throws(MailFailure) {
        var pages = -2000
        while true {
            let hasWorked = try writeUnaudited { db in
                let before = db.totalChangesCount
                try db.execute(
                    sql: "INSERT INTO search(search, rank) VALUES ('merge', ?)", arguments: [pages])
                // The command counts as one change itself.
                return db.totalChangesCount - before > 1
            }
            guard hasWorked else { return }
            pages = 2000
        }
    }

    static let isUnindexed = "is_indexed = 0 AND content_digest IS NOT NULL AND erased_at IS NULL"

    // MARK: - Parts

    private static func hit(_ row: Row, _ way: SearchWay, _ db: Database) throws -> SearchHit {
        let message = ArchivedMessageID(rawValue: row["id"])
        let parties = try Row.fetchAll(
            db,
            sql:
                "SELECT role, lower(email) FROM participants WHERE message = ? AND role IN ('from', 'to') ORDER BY position",
            arguments: [message.rawValue])
        return SearchHit(
            message: message, messageID: (row["message_id"] as String?).map { MessageID(rawValue: $0) },
            subject: row["subject"], date: time(row["date"]),
            direction: Direction(rawValue: row["direction"]) ?? .incoming,
            from: parties.first { $0[0] == "from" }?[1], to: parties.filter { $0[0] == "to" }.map { $0[1] },
            snippet: row["snippet"], disclosure: way.disclosure)
    }

    /// An account of which the viewer sees a mailbox's place at all.
    static func requirePlace(_ account: String, _ db: Database, _ sight: Sight) throws {
        let known = try Int64.fetchOne(
            db,
            sql: """
                SELECT 1 FROM accounts a_ WHERE a_.name = ?
                    AND (\(sight.reaches(.read, owner: "a_.user")) OR \(sight.reaches(.review, owner: "a_.user")))
                """, arguments: [account])
        guard known != nil else { throw unknownAccount(account) }
    }
}

/// One of the ways in which a viewer may find messages: with the columns that they see in it.
private struct SearchWay {
    var disclosure: Disclosure
    var seesBlind: Bool

    static func all(_ sight: Sight) -> [SearchWay] {
        let everything = SearchWay(disclosure: .everything, seesBlind: true)
        guard sight.rights != nil else { return [everything] }
        return [
            everything, SearchWay(disclosure: .everything, seesBlind: false),
            SearchWay(disclosure: .people, seesBlind: true), SearchWay(disclosure: .people, seesBlind: false),
        ]
    }

    private var columns: [String] {
        ["subject", "people"] + (seesBlind ? ["blind"] : [])
            + (disclosure == .everything ? ["body", "files"] : [])
    }

    func request(
        _ query: SearchQuery, _ filter: SearchFilter, _ sight: Sight, limit: Int
    ) throws -> (sql: String, arguments: StatementArguments) {
        var conditions: [String] = []
        var arguments: StatementArguments = [query.within(columns)]
        func require(_ condition: String, _ values: (any DatabaseValueConvertible)?...) {
            conditions.append(condition)
            arguments += StatementArguments(values)
        }
        if sight.rights != nil {
            require("\(sight.disclosure(message: "m.id")) = \(disclosure.rawValue)")
            require("\(sight.seesBlindRecipients(message: "m.id")) = \(seesBlind ? 1 : 0)")
        }
        if let contact = filter.contact {
            require(
                """
                EXISTS (SELECT 1 FROM history h JOIN contacts c ON c.id = h.contact
                    WHERE h.message = m.id AND h.removed_at IS NULL AND \(sight.reaches(.read, contact: "c"))
                        AND (c.id = ? OR c.organisation = ?))
                """, contact.rawValue, contact.rawValue)
        }
        if let account = filter.account {
            require(
                """
                EXISTS (SELECT 1 FROM ledger l JOIN folders f_ ON f_.id = l.folder
                    JOIN accounts a_ ON a_.id = f_.account
                    WHERE l.message = m.id AND a_.name = ? AND \(sight.seesPlace(message: "m.id")))
                """, account)
        }
        if let from = filter.from { require(Self.party("'from', 'sender', 'reply-to'"), Self.pattern(from)) }
        if let to = filter.to {
            require(Self.party(seesBlind ? "'to', 'cc', 'bcc'" : "'to', 'cc'"), Self.pattern(to))
        }
        if let direction = filter.direction { require("m.direction = ?", direction.rawValue) }
        if let time = filter.notBefore { require("m.sort_date >= ?", time.rawValue) }
        if let time = filter.before { require("m.sort_date < ?", time.rawValue) }
        if filter.hasAttachment {
            require(
                disclosure == .everything
                    ? "EXISTS (SELECT 1 FROM attachments WHERE message = m.id AND is_inline = 0)" : "0")
        }
        let snippet =
            disclosure == .everything ? "snippet(search, -1, '[', ']', '…', 16)" : "NULL"
        // The index hands its rows out by rank, so that the limit ends the questions about rights.
        let sql = """
            SELECT m.id, m.message_id, m.subject, m.date, m.sort_date, m.direction, search.rank AS rank,
                \(snippet) AS snippet
            FROM search JOIN messages m ON m.id = search.rowid
            WHERE search MATCH ? \(conditions.map { " AND \($0)" }.joined())
            ORDER BY \(filter.order == .relevance ? "search.rank" : "m.sort_date DESC") LIMIT ?
            """
        return (sql, arguments + [limit])
    }

    /// SQLite itself knows small letters and capitals of ASCII only.
    private static func party(_ roles: String) -> String {
        """
        EXISTS (SELECT 1 FROM participants WHERE message = m.id AND role IN (\(roles))
            AND swiftLowercaseString(email || ' ' || coalesce(name, '')) LIKE ? ESCAPE '\\')
        """
    }

    private static func pattern(_ text: String) -> String {
        "%" + text.precomposed.lowercased().map { "%_\\".contains($0) ? "\\\($0)" : String($0) }.joined()
            + "%"
    }
}
