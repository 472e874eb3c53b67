import GRDB
public import MailModel
public import Matcher

extension Archive {
    /// What an action on the queue did.
    public struct ReviewOutcome: Sendable, Hashable {
        /// Items that the action named and closed.
        public var closed: [ReviewItemID] = []
        /// What a new address of a contact moved besides.
        public var gain = AddressGain()
    }

    /// Puts the messages of open items into the histories of contacts.
    ///
    /// - Parameters:
    ///   - addingAddress: gives each contact the address of each item, so that other
    ///     mail of the address, waiting or yet to come, follows.
    ///   - person: who decided; shown with the link.
    /// - Throws: `unknown.review-item`, `unknown.contact`, `rights.missing`; then nothing has changed.
    @discardableResult
    public func link(
        _ selection: ReviewSelection, to contacts: [ContactID], addingAddress: Bool = false,
        by person: String
    ) throws(MailFailure) -> ReviewOutcome {
        let time = now()
        return try write { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.review)
            for contact in contacts {
                try Self.requireContact(contact, db, sight, toChange: addingAddress)
                Act.concerns("contact \(contact)")
            }
            guard !contacts.isEmpty else { throw Self.unknownContact("") }
            let decisions = try Decisions(db, time: time)
            let writer = try ContactWriter(db, time: time)
            var outcome = ReviewOutcome()
            for item in try Self.open(selection, db, sight) {
                guard let facts = try decisions.facts(of: item.message) else { continue }
                for contact in contacts {
                    try decisions.link(
                        item.message, contact: contact, role: item.role, email: item.email,
                        by: .person(person), sortDate: facts.sortDate)
                }
                try decisions.settle(item.message, as: .archived, resolution: .linked, by: person)
                outcome.closed.append(item.id)
                Act.concerns("message \(item.message)")
                if addingAddress, let address = Self.address(item.email) {
                    for contact in contacts {
                        outcome.gain = try outcome.gain + writer.give(address, to: contact)
                    }
                }
            }
            return outcome
        }
    }

    /// Closes open items without linking them; the messages and originals stay.
    ///
    /// - Returns: the closed items; a rule closes more than those that were named.
    /// - Throws: `unknown.review-item`, `rights.missing` (a rule takes the right to review
    ///   everything, since it decides for everybody); then nothing has changed.
    @discardableResult
    public func ignore(
        _ selection: ReviewSelection, _ scope: IgnoreScope = .once, by person: String
    ) throws(MailFailure) -> ReviewOutcome {
        let time = now()
        return try write { db in
            let decisions = try Decisions(db, time: time)
            var outcome = ReviewOutcome()
            let sight = try Sight(viewer, db)
            try sight.demand(.review, scope == .once ? .own : .all)
            let items = try Self.open(selection, db, sight)
            for item in items {
                try decisions.settle(
                    item.message, as: .ignored, reason: "by a person", resolution: .ignored, by: person)
                outcome.closed.append(item.id)
                Act.concerns("message \(item.message)")
            }
            guard scope != .once else { return outcome }
            for pattern in Set(items.compactMap { Self.pattern(of: $0, scope) }).sorted() {
                outcome.closed += try Self.addRule(pattern, by: person, decisions, db, at: time)
            }
            return outcome
        }
    }

    /// The standing decisions to ignore: a canonical address or a domain each.
    public func ignoreRules() throws(MailFailure) -> [(id: IgnoreRuleID, pattern: String, createdBy: String)]
    {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT id, pattern, created_by FROM ignore_rules ORDER BY pattern")
                .map { (IgnoreRuleID(rawValue: $0[0]), $0[1], $0[2]) }
        }
    }

    /// Takes a message out of a contact's history. When it was in no other, it waits in
    /// the queue again.
    ///
    /// - Throws: `unknown.message` when it is not in that history, `rights.missing`.
    public func unlink(
        _ message: ArchivedMessageID, from contact: ContactID, by person: String
    ) throws(MailFailure) {
        let time = now()
        try write { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.review)
            let isSeen = try Bool.fetchOne(
                db,
                sql: """
                    SELECT 1 FROM history h JOIN contacts c ON c.id = h.contact
                    WHERE h.message = ? AND h.contact = ? AND \(sight.reaches(.read, contact: "c"))
                        AND \(sight.mayReview(message: "h.message"))
                    """, arguments: [message.rawValue, contact.rawValue])
            guard isSeen != nil else { throw Self.unknownMessage(message.description) }
            try db.execute(
                sql: """
                    UPDATE history SET removed_at = ?, removed_by = ?
                    WHERE message = ? AND contact = ? AND removed_at IS NULL
                    """, arguments: [time.rawValue, person, message.rawValue, contact.rawValue])
            guard db.changesCount == 1 else { throw Self.unknownMessage(message.description) }
            let rest = try Int64.fetchOne(
                db, sql: "SELECT 1 FROM history WHERE message = ? AND removed_at IS NULL LIMIT 1",
                arguments: [message.rawValue])
            guard rest == nil else { return }
            try Self.reopen(message, reason: "Taken out of a history by \(person)", db, at: time)
        }
    }

    static func unknownMessage(_ name: String) -> MailFailure {
        .unknown(
            .unknownMessage, "message", name, remedy: "Take the number from history or queue list.")
    }

    // MARK: - Parts

    private struct OpenItem {
        var id: ReviewItemID
        var message: ArchivedMessageID
        var address: Int64?
        var canonical: CanonicalAddress?
        /// As the message has it.
        var email: String?
        var role: ParticipantRole?
    }

    /// The items meant, all of them open, and the viewer's to decide.
    private static func open(
        _ selection: ReviewSelection, _ db: Database, _ sight: Sight
    ) throws -> [OpenItem] {
        let select = """
            SELECT r.id, r.message, r.address, a.canonical, coalesce(p.email, r.email), p.role
            FROM review_items r LEFT JOIN addresses a ON a.id = r.address
                LEFT JOIN participants p ON p.message = r.message AND p.position = (
                    SELECT min(position) FROM participants WHERE message = r.message AND address = r.address)
            WHERE r.state = 'open' AND \(sight.mayReview(message: "r.message")) AND
            """
        func item(_ row: Row) -> OpenItem {
            OpenItem(
                id: ReviewItemID(rawValue: row[0]), message: ArchivedMessageID(rawValue: row[1]),
                address: row[2], canonical: (row[3] as String?).map { CanonicalAddress(rawValue: $0) },
                email: row[4], role: (row[5] as String?).flatMap { ParticipantRole(rawValue: $0) })
        }
        switch selection {
        case .items(let ids):
            var seen: Set<ReviewItemID> = []
            return try ids.filter { seen.insert($0).inserted }.map { id in
                guard let row = try Row.fetchOne(db, sql: select + " r.id = ?", arguments: [id.rawValue])
                else { throw unknownItem(id.description) }
                return item(row)
            }
        case .address(let address):
            let canonical = CanonicalAddress(address).rawValue
            let rows = try Row.fetchAll(
                db, sql: select + " a.canonical = ? ORDER BY r.id", arguments: [canonical])
            guard !rows.isEmpty else { throw unknownItem(address.lowercased) }
            return rows.map(item)
        }
    }

    private static func pattern(of item: OpenItem, _ scope: IgnoreScope) -> String? {
        guard let canonical = item.canonical else { return nil }
        return scope == .domain ? String(canonical.domain) : canonical.rawValue
    }

    /// Makes a rule and lets it close what waits under its pattern.
    private static func addRule(
        _ pattern: String, by person: String, _ decisions: Decisions, _ db: Database, at time: UnixTime
    ) throws -> [ReviewItemID] {
        if !pattern.contains("@"), PublicMailDomain.contains(pattern) {
            throw MailFailure.invalid(
                "A whole public mail provider cannot be ignored", pattern,
                remedy: "Ignore the address instead.")
        }
        try db.execute(
            sql: """
                INSERT INTO ignore_rules(pattern, created_by, created_at) VALUES (?, ?, ?)
                ON CONFLICT(pattern) DO NOTHING
                """, arguments: [pattern, person, time.rawValue])
        let rule = try Int64.fetchOne(
            db, sql: "SELECT id FROM ignore_rules WHERE pattern = ?", arguments: [pattern])
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT r.id, r.message FROM review_items r JOIN addresses a ON a.id = r.address
                WHERE r.state = 'open' AND
                    (a.canonical = ?1 OR substr(a.canonical, -length(?1) - 1) = '@' || ?1)
                ORDER BY r.id
                """, arguments: [pattern])
        for row in rows {
            let message = ArchivedMessageID(rawValue: row[1])
            try decisions.settle(
                message, as: .ignored, reason: Decisions.ruleReason, resolution: .ignored, by: person)
            try db.execute(
                sql: "UPDATE messages SET ignored_by = ? WHERE id = ?", arguments: [rule, message.rawValue])
        }
        return rows.map { ReviewItemID(rawValue: $0[0]) }
    }

    /// Opens an item again for a message that nobody has any more, under the address
    /// that its last item had, else under its first stranger.
    private static func reopen(
        _ message: ArchivedMessageID, reason: String, _ db: Database, at time: UnixTime
    ) throws {
        let decisions = try Decisions(db, time: time)
        guard let facts = try decisions.facts(of: message) else { return }
        let isReadable =
            try Bool.fetchOne(
                db, sql: "SELECT content_digest IS NOT NULL FROM messages WHERE id = ?",
                arguments: [message.rawValue]) ?? false
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT address, email FROM (
                    SELECT address, email, 0 AS weight, -id AS place FROM review_items
                        WHERE message = ?1 AND address IS NOT NULL
                    UNION ALL
                    SELECT p.address, lower(p.email), 1, p.position FROM participants p
                        JOIN messages m ON m.id = p.message
                        WHERE p.message = ?1
                            AND (p.role IN ('to', 'cc', 'bcc')) = (m.direction <> 'incoming')
                            AND NOT EXISTS (SELECT 1 FROM users WHERE address = p.address)
                            AND NOT EXISTS (SELECT 1 FROM accounts WHERE address = p.address))
                ORDER BY weight, place LIMIT 1
                """, arguments: [message.rawValue])
        try decisions.settle(
            message, as: isReadable ? .review : .quarantined, reason: nil, resolution: nil, by: "")
        try decisions.open(
            message, address: row?[0], email: row?[1], reason: reason, kind: .unlinked,
            sortDate: facts.sortDate)
    }
}
