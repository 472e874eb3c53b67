import GRDB
public import MailModel

/// What the worker asks and notes while it delivers. A claim belongs to a living process until it
/// notes how it ended; one whose process died is taken back by the next one that looks.
extension Archive {
    /// Bytes up to which a claim brings its content along.
    private static let carriedBytes = 256 << 10
    private static let dayMinutes = 1440
    /// A clock that was ahead by more than this was wrong: what was counted then is of no day yet.
    private static let setBackMinutes: Int64 = 120
    /// Candidates that a decision may see.
    public static let candidateLimit = 256

    /// Accounts that have mail whose time has come.
    public func accountsWithDueMail(at time: UnixTime) throws(MailFailure) -> [AccountID] {
        try read { db in
            try Int64.fetchAll(
                db,
                sql: """
                    SELECT id FROM accounts a WHERE EXISTS (
                        SELECT 1 FROM outbox o WHERE o.account = a.id AND o.state IN ('queued', 'retry')
                            AND \(SendingClock.isDue("o", at: "?1")))
                    ORDER BY id
                    """, arguments: [time.rawValue]
            ).map { AccountID(rawValue: $0) }
        }
    }

    /// Claims what `choose` picks of the account's due mail, in the transaction in which it looked.
    ///
    /// Automatic and mass mail to an address that is suppressed or must not be mailed fails here, at the
    /// last moment that can be.
    ///
    /// - Parameters:
    ///   - only: the one mail that is offered for choice, however many are due before it; nil for all.
    ///   - candidates: how many are offered for choice at most.
    public func claimOutbox(
        _ account: AccountID, only: OutboxID? = nil, candidates: Int = candidateLimit,
        _ choose: (OutboxFacts, UnixTime) -> [OutboxID]
    ) throws(MailFailure) -> [OutboxClaim] {
        let holder = try locks.ownName()
        let time = now()
        let claims = try writeUnaudited(.outboxClaimed) { db in
            try Self.forgetOldCounts(account, db, at: time)
            let facts = try Self.outboxFacts(
                account, db, at: time, only: only, candidates: min(candidates, Self.candidateLimit))
            let claiming = try OutboxClaiming(db, holder: holder, time: time)
            return try choose(facts, time).compactMap { try claiming.claim($0) }
        }
        return withContent(claims)
    }

    /// The claims with the bytes of those that are small. They are read after the claim, and each by itself: a damaged
    /// page costs the mails whose bytes it has, and not the account. What cannot be read here is left to whoever reads
    /// it piece by piece, and hears why.
    private func withContent(_ claims: [OutboxClaim]) -> [OutboxClaim] {
        let small = claims.filter { $0.size <= Self.carriedBytes }.map(\.id)
        var contents = (try? outboxContents(of: small)) ?? [:]
        for id in small where contents[id] == nil {
            // Its own read: after a damaged page nothing more of the same one may be had.
            contents[id] = try? outboxContents(of: [id])[id]
        }
        return claims.map { claim in
            var claim = claim
            claim.content = contents[claim.id]
            return claim
        }
    }

    /// The frozen bytes of small mails, as a whole.
    public func outboxContents(of ids: [OutboxID]) throws(MailFailure) -> [OutboxID: [UInt8]] {
        guard !ids.isEmpty else { return [:] }
        return try read { db in
            var contents: [OutboxID: [UInt8]] = [:]
            for id in ids { contents[id] = try Self.content(of: id, db) }
            return contents
        }
    }

    private static func content(of item: OutboxID, _ db: Database) throws -> [UInt8] {
        let pieces = try PreparedStatement(
            db, "SELECT bytes FROM outbox_content WHERE item = ? ORDER BY piece")
        pieces.bind(1, item.rawValue)
        var bytes: [UInt8] = []
        try pieces.forEachRow { bytes += $0.bytes(0) }
        return bytes
    }

    /// What a decision about an account's mail is made of, at this moment and without claiming anything.
    public func outboxFacts(of account: AccountID) throws(MailFailure) -> OutboxFacts {
        let time = now()
        return try read { try Self.outboxFacts(account, $0, at: time) }
    }

    /// Notes what must be on the disk before a delivery goes on: one transaction for all.
    ///
    /// - Returns: for each note whether the claim still was this process's.
    public func noteOutbox(_ notes: [OutboxNote]) throws(MailFailure) -> [Bool] {
        let holder = try locks.ownName()
        let time = now()
        let step: DurableStep =
            notes.allSatisfy { if case .begins = $0 { true } else { false } }
            ? .outboxDataBegun : .outboxEnded
        return try Self.notingEvenBesideDamage { letsGo throws(MailFailure) in
            try writeUnaudited(step) { db in
                let writer = try OutboxWriter(db, time: time, bounces: bounces)
                writer.letsGo = letsGo
                let areOurs = try notes.map { try writer.note($0, holder: holder) }
                try writer.finish()
                return areOurs
            }
        }
    }

    /// Takes back what processes that died had claimed: what a server may have is uncertain, all else
    /// is tried again.
    ///
    /// - Returns: what became uncertain.
    @discardableResult
    public func recoverOutbox() throws(MailFailure) -> [OutboxID] {
        let dead = try read { db in
            try String.fetchAll(db, sql: "SELECT DISTINCT holder FROM outbox WHERE state = 'sending'")
        }.filter { !locks.isAlive($0) }
        guard !dead.isEmpty else { return [] }
        let time = now()
        return try writeUnaudited(.outboxRecovered) { db in
            let writer = try OutboxWriter(db, time: time)
            var uncertain: [OutboxID] = []
            for holder in dead where !locks.isAlive(holder) {
                let rows = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT id, data_begun_at IS NOT NULL AS begun, attempts FROM outbox
                        WHERE state = 'sending' AND holder = ? ORDER BY id
                        """, arguments: [holder])
                for row in rows {
                    let id = OutboxID(rawValue: row[0])
                    let begun: Bool = row[1]
                    guard begun else {
                        try writer.settle(
                            id, nextTry: time, isHeld: false, failure: nil, weight: .nothing)
                        continue
                    }
                    let attempts: Int = row[2]
                    let sending = try Int.fetchAll(
                        db,
                        sql: "SELECT position FROM outbox_recipients WHERE item = ? AND state = 'sending'",
                        arguments: [id.rawValue])
                    for position in sending { try writer.set(id, position, .uncertain, nil) }
                    try writer.add(
                        OutboxReplyRecord(
                            position: nil, stage: .endOfData, code: nil, status: nil,
                            text: "The worker ended before the server's answer was stored"),
                        id, attempt: attempts + 1)
                    try writer.settle(
                        id, nextTry: time, isHeld: false, failure: .outboxWorkerEnded, weight: .attempt)
                    uncertain.append(id)
                }
            }
            return uncertain
        }
    }

    /// Reads the frozen bytes piece by piece; the empty array is the end.
    public func outboxPiece(_ id: OutboxID, _ piece: Int) throws(MailFailure) -> [UInt8] {
        try read { db in
            let query = try PreparedStatement(
                db, "SELECT bytes FROM outbox_content WHERE item = ? AND piece = ?")
            query.bind(1, id.rawValue)
            query.bind(2, piece)
            return try query.first { $0.bytes(0) } ?? []
        }
    }

    // MARK: - Parts

    /// What no quota and no pace looks at any more goes: by its number too, and not by the clock alone. One that is wrong
    /// for a moment forgets nothing of the day that it really is.
    private static func forgetOldCounts(_ account: AccountID, _ db: Database, at time: UnixTime) throws {
        for (table, column, now, kept) in [
            ("send_counts", "minute", time.rawValue / 60, 2 * dayMinutes),
            ("send_seconds", "at", time.rawValue, 120),
        ] {
            let delete = try PreparedStatement(
                db,
                """
                DELETE FROM \(table) WHERE account = ?1 AND \(column) < ?2 - ?3 AND \(column) < (
                    SELECT \(column) FROM \(table) WHERE account = ?1 AND \(column) <= ?2
                    ORDER BY \(column) DESC LIMIT 1 OFFSET ?3)
                """)
            delete.bind(1, account.rawValue)
            delete.bind(2, now)
            delete.bind(3, kept)
            try delete.run()
        }
    }

    private static func outboxFacts(
        _ account: AccountID, _ db: Database, at time: UnixTime, only: OutboxID? = nil,
        candidates: Int = candidateLimit
    ) throws -> OutboxFacts {
        var facts = OutboxFacts()
        let due = try PreparedStatement(
            db,
            """
            SELECT o.id, o.size, o.priority, (SELECT count(*) FROM outbox_recipients r
                WHERE r.item = o.id
                    AND (r.state = 'waiting' OR (r.state = 'retry' AND \(SendingClock.hasCome("coalesce(r.next_try, 0)", at: "?2")))))
            FROM outbox o WHERE o.account = ?1 AND o.state IN ('queued', 'retry')
                AND \(SendingClock.isDue("o", at: "?2"))
                AND (?4 IS NULL OR o.id = ?4)
            ORDER BY o.priority, o.next_try, o.id LIMIT ?3
            """)
        due.bind(1, account.rawValue)
        due.bind(2, time.rawValue)
        due.bind(3, candidates)
        due.bind(4, only?.rawValue)
        try due.forEachRow { row in
            facts.due.append(
                OutboxFacts.Candidate(
                    id: OutboxID(rawValue: row.int64(0)), recipients: Int(row.int64(3)),
                    size: Int(row.int64(1)), priority: Int(row.int64(2))))
        }
        let counts = try PreparedStatement(
            db,
            """
            SELECT
                (SELECT coalesce(sum(recipients), 0) FROM send_counts
                    WHERE account IN (\(sameMailbox)) AND minute >= ?2 AND minute <= ?3),
                (SELECT coalesce(sum(messages), 0) FROM send_seconds
                    WHERE account IN (\(sameMailbox)) AND at > ?4 AND at <= ?5)
            """)
        counts.bind(1, account.rawValue)
        // The minute of a day ago too: a part of it is within the day.
        counts.bind(2, time.rawValue / 60 - Int64(dayMinutes))
        // And what was counted before the clock was put back a little.
        counts.bind(3, time.rawValue / 60 + setBackMinutes)
        counts.bind(4, time.rawValue - 60)
        counts.bind(5, time.rawValue + 60)
        try counts.forEachRow { row in
            facts.recipientsLastDay = Int(row.int64(0))
            facts.messagesLastMinute = Int(row.int64(1))
        }
        let flying = try PreparedStatement(
            db,
            """
            SELECT count(DISTINCT o.id), count(*) FROM outbox o JOIN outbox_recipients r ON r.item = o.id
            WHERE o.account IN (\(sameMailbox)) AND o.state = 'sending' AND o.data_begun_at IS NULL
                AND r.state IN ('waiting', 'retry')
            """)
        flying.bind(1, account.rawValue)
        try flying.forEachRow { row in
            facts.messagesInFlight = Int(row.int64(0))
            facts.recipientsInFlight = Int(row.int64(1))
        }
        facts.pause = try pause(of: account, at: time, db)
        facts.limits = try limits(of: account, db)
        let revision = try PreparedStatement(db, "SELECT revision FROM accounts WHERE id = ?")
        revision.bind(1, account.rawValue)
        facts.revision = try revision.first { $0.int64(0) } ?? 0
        return facts
    }

    /// Whether automatic and mass mail leaves the address out.
    static func isKeptFromMail(_ canonical: String, _ db: Database, at time: UnixTime) throws -> Bool {
        let query = try PreparedStatement(
            db,
            """
            SELECT 1 FROM suppressions WHERE canonical = ?1 AND (expires_at IS NULL OR expires_at > ?2)
            UNION ALL
            SELECT 1 FROM addresses a JOIN contact_addresses ca ON ca.address = a.id
                JOIN contacts c ON c.id = ca.contact
            WHERE a.canonical = ?1 AND c.do_not_email = 1
            LIMIT 1
            """)
        try query.bind(1, canonical)
        query.bind(2, time.rawValue)
        return try query.first { _ in true } ?? false
    }
}

extension MailFailure {
    public static let outboxUncertain = uncertain(
        "The connection ended after the mail was handed over and before the server answered")
    static let outboxWorkerEnded = uncertain(
        "The worker ended after the mail was handed over and before the server's answer was stored")

    private static func uncertain(_ summary: String) -> MailFailure {
        MailFailure(
            .sendUncertain, kind: .needsPerson, summary,
            remedy:
                "Look into the Sent folder or ask the recipient, then: mailworker outbox resolve ID --sent, or "
                + "--again to send it once more.")
    }

    static let recipientSuppressed = MailFailure(
        .recipientSuppressed, kind: .permanent,
        "No recipient is left: their addresses are suppressed or must not be mailed",
        remedy: "See mailworker suppression list and the contact.")
}
