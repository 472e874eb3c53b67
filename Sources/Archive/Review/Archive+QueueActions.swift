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
        /// What a new rule moved besides.
        public var changes: [RuleChange] = []
    }

    /// Puts the messages of open items into the histories of contacts.
    ///
    /// - Parameters:
    ///   - addingAddress: gives each contact the address of each item, so that other
    ///     mail of the address, waiting or yet to come, follows.
    ///   - trustsLookAlike: adds also an address that could be taken for a known one.
    ///   - person: who decided; shown with the link.
    /// - Throws: `unknown.review-item`, `unknown.contact`, `rights.missing`, `rights.undisclosed`, `invalid.value` for
    ///   an address that looks like a known one; then nothing has changed.
    @discardableResult
    public func link(
        _ selection: ReviewSelection, to contacts: [ContactID], addingAddress: Bool = false,
        trustsLookAlike: Bool = false, by person: String
    ) throws(MailFailure) -> ReviewOutcome {
        let time = now()
        return try writeReversibly(.review) { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.review)
            for contact in contacts {
                try Self.requireContact(contact, db, sight, toChange: addingAddress)
                Act.concerns("contact \(contact)")
            }
            guard !contacts.isEmpty else { throw Self.unknownContact("") }
            let decisions = try Decisions(db, time: time)
            let writer = try ContactWriter(db, sight, time: time, policy: matching)
            var outcome = ReviewOutcome()
            let items = try Self.openToLink(selection, db, sight)
            // Ten thousand messages may be of one address: each is asked about once, and given once.
            var senders: [Mailbox] = []
            var known: Set<Mailbox> = []
            for item in addingAddress ? items : [] {
                if let sender = item.mailbox, known.insert(sender).inserted { senders.append(sender) }
            }
            for sender in trustsLookAlike ? [] : senders {
                try Self.refuseLookAlike(sender, writer.looks, db, sight)
            }
            for item in items {
                guard let facts = try decisions.facts(of: item.message) else { continue }
                for contact in contacts {
                    try decisions.link(
                        item.message, contact: contact, role: item.role, email: item.email,
                        by: .person(person), sortDate: facts.sortDate)
                }
                try decisions.settle(item.message, as: .archived, resolution: .linked, by: person)
                outcome.closed.append(item.id)
                Act.concerns("message \(item.message)")
            }
            // What a person has filed stays when the address goes again; the gain is what was moved besides.
            for sender in senders {
                for contact in contacts {
                    outcome.gain = try outcome.gain + writer.give(sender.address, to: contact)
                }
            }
            return outcome
        }
    }

    /// Closes open items without linking them; the messages and originals stay.
    ///
    /// - Returns: the items that were named, and what a rule has moved besides.
    /// - Throws: `unknown.review-item`, `rights.missing` (a rule takes the right to review
    ///   everything, since it decides for everybody); then nothing has changed.
    @discardableResult
    public func ignore(
        _ selection: ReviewSelection, _ scope: IgnoreScope = .once, by person: String
    ) throws(MailFailure) -> ReviewOutcome {
        let time = now()
        return try writeReversibly(.review, scope == .once ? .own : .all) { db in
            let decisions = try Decisions(db, time: time)
            var outcome = ReviewOutcome()
            let sight = try Sight(viewer, db)
            try sight.demand(.review, scope == .once ? .own : .all)
            let items = try Self.open(selection, db, sight)
            // The rules come first: an item that is named here is ignored by the rule that covers it.
            var rules: [(pattern: RulePattern, id: IgnoreRuleID)] = []
            for pattern in Set(try items.compactMap { try Self.pattern(of: $0, scope) })
                .sorted(by: { $0.text < $1.text })
            {
                let rule = try Self.rule(for: pattern, by: person, db, sight, matching, at: time).rule
                rules.append((pattern, rule.id))
                outcome.changes += rule.changes
            }
            let taken = Set(outcome.changes.filter { $0.to == .ignored }.map(\.message))
            for item in items {
                outcome.closed.append(item.id)
                Act.concerns("message \(item.message)")
                if taken.contains(item.message) { continue }
                if let canonical = item.canonical,
                    let rule = rules.first(where: { $0.pattern.covers(canonical) })
                {
                    try decisions.ignore(item.message, rule: rule.id, by: person)
                } else {
                    try decisions.settle(
                        item.message, as: .ignored, reason: "by a person", resolution: .ignored, by: person)
                }
            }
            let named = Set(items.map(\.message))
            outcome.changes.removeAll { named.contains($0.message) }
            return outcome
        }
    }

    /// What `ignore` would do besides closing the items that are named; nothing is changed.
    ///
    /// - Throws: as `ignore`.
    public func tryIgnoring(
        _ selection: ReviewSelection, _ scope: IgnoreScope
    ) throws(MailFailure) -> (rules: [String], changes: [RuleChange]) {
        let patterns = try read { db, sight in
            try sight.demand(.review, .all)
            return Set(try Self.open(selection, db, sight).compactMap { try Self.pattern(of: $0, scope) })
        }
        .sorted { $0.text < $1.text }
        return (patterns.map(\.text), try tryRules(.add(patterns)))
    }

    static func unknownMessage(_ name: String) -> MailFailure {
        .unknown(
            .unknownMessage, "message", name, remedy: "Take the number from history or queue list.")
    }

    // MARK: - Parts

    /// What gives a contact an address for ever must not happen in passing, when somebody else may have chosen the
    /// address to be taken for the contact's.
    private static func refuseLookAlike(
        _ sender: Mailbox, _ looks: LookRegister, _ db: Database, _ sight: Sight
    ) throws {
        guard let lookAlike = try looks.lookAlike(of: CanonicalAddress(sender.address), sender) else {
            return
        }
        let warning = try WarningSight(db, sight).shown(lookAlike).warning
        throw MailFailure.invalid(
            "This address could be somebody's who wants to be taken for another",
            "\(sender.address.lowercased): \(warning)",
            remedy:
                "If it is the contact's all the same, say so with --yes; without --add-address only these "
                + "messages are linked.")
    }

    struct OpenItem {
        var id: ReviewItemID
        var message: ArchivedMessageID
        var address: Int64?
        var canonical: CanonicalAddress?
        /// As the message has it.
        var email: String?
        var role: ParticipantRole?
        /// The name that came with the address.
        var name: String?

        /// Nil where nobody could be read.
        var mailbox: Mailbox? {
            guard canonical != nil, let address = Archive.address(email) else { return nil }
            let mailbox = Mailbox(displayName: name, address: address)
            // Of a name only addresses in it are looked at.
            return mailbox.addressesInName.isEmpty ? Mailbox(address: address) : mailbox
        }
    }

    /// The items meant, all of them open, and the viewer's to decide.
    static func open(
        _ selection: ReviewSelection, _ db: Database, _ sight: Sight
    ) throws -> [OpenItem] {
        let select = """
            SELECT r.id, r.message, r.address, a.canonical, coalesce(p.email, r.email), p.role, p.name
            FROM review_items r LEFT JOIN addresses a ON a.id = r.address
                LEFT JOIN participants p ON p.message = r.message AND p.position = (
                    SELECT min(position) FROM participants WHERE message = r.message AND address = r.address)
            WHERE r.state = 'open' AND \(sight.mayReview(item: "r")) AND
            """
        func item(_ row: Row) -> OpenItem {
            OpenItem(
                id: ReviewItemID(rawValue: row[0]), message: ArchivedMessageID(rawValue: row[1]),
                address: row[2], canonical: (row[3] as String?).map { CanonicalAddress(rawValue: $0) },
                email: row[4], role: (row[5] as String?).flatMap { ParticipantRole(rawValue: $0) },
                name: row[6])
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
                db, sql: select + " a.canonical = ? ORDER BY r.sort_date, r.id", arguments: [canonical])
            guard !rows.isEmpty else { throw unknownItem(address.lowercased) }
            return rows.map(item)
        }
    }

    /// Those of the open items that are meant whose messages may enter a history by the viewer's hand. Of what waits
    /// under an address the others stay for whoever sees all of them.
    ///
    /// - Throws: as `open`; `rights.undisclosed` when one that is named is not among them, or none is.
    static func openToLink(
        _ selection: ReviewSelection, _ db: Database, _ sight: Sight
    ) throws -> [OpenItem] {
        let items = try open(selection, db, sight)
        if case .items = selection {
            for item in items { try demandMayFollow(item.message, db, sight) }
            return items
        }
        let linked = try items.filter { try mayFollow($0.message, db, sight) }
        if linked.isEmpty, let item = items.first { try demandMayFollow(item.message, db, sight) }
        return linked
    }

    /// A history shows all copies of its mail; nobody shows themselves more of a message by putting it there.
    ///
    /// - Throws: `rights.undisclosed`.
    static func demandMayFollow(_ message: ArchivedMessageID, _ db: Database, _ sight: Sight) throws {
        guard try !mayFollow(message, db, sight) else { return }
        throw MailFailure(
            .undisclosed, kind: .needsPerson,
            "A colleague's copy of this message shows more than you may see",
            detail: "message \(message)",
            remedy: "Whoever reviews that colleague's mailbox can link it, or the colleague.")
    }

    private static func mayFollow(
        _ message: ArchivedMessageID, _ db: Database, _ sight: Sight
    ) throws -> Bool {
        guard sight.rights != nil else { return true }
        return try Bool.fetchOne(
            db, sql: "SELECT \(sight.mayFollow(message: "m.id")) FROM messages m WHERE m.id = ?",
            arguments: [message.rawValue]) ?? false
    }

    private static func pattern(of item: OpenItem, _ scope: IgnoreScope) throws -> RulePattern? {
        guard let canonical = item.canonical else { return nil }
        switch scope {
        case .once: return nil
        case .address: return RulePattern(address: canonical)
        case .domain: return try RulePattern(domain: String(canonical.domain))
        }
    }

    /// Opens an item again for a message that nobody has any more, under the address
    /// that its last item had, else under its first stranger.
    static func reopen(
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
