import GRDB
public import MailModel

/// What a person decides about a mail. Each is one transaction, and refused where the mail's state has
/// gone on meanwhile.
extension Archive {
    /// How a person settles what the server left open.
    public enum UncertainResolution: String, Sendable, CaseIterable {
        /// It arrived.
        case sent
        /// It did not: it is sent once more.
        case again
        /// It did not, and is not to be sent.
        case failed
    }

    /// Keeps a mail from being sent. What a server has accepted already stays sent.
    public func cancelOutbox(_ id: OutboxID, by person: String) throws(MailFailure) {
        try Self.notingEvenBesideDamage { letsGo throws(MailFailure) in
            try cancelOutbox(id, by: person, letsGo: letsGo)
        }
    }

    private func cancelOutbox(_ id: OutboxID, by person: String, letsGo: Bool) throws(MailFailure) {
        try change(id, from: [.queued, .retry, .held, .sending], "be cancelled") { db in
            try takeBack(id, db)
            try db.execute(
                sql: """
                    UPDATE outbox_recipients SET state = 'cancelled'
                    WHERE item = ? AND state IN ('waiting', 'retry')
                    """, arguments: [id.rawValue])
            try db.execute(
                sql: """
                    UPDATE outbox SET state = 'cancelled', next_try = NULL, finished_at = ?,
                        reason = ?, reason_code = NULL, remedy = NULL WHERE id = ?
                    """, arguments: [now().rawValue, "cancelled by \(person)", id.rawValue])
            if letsGo { try Self.dropContent(of: id, db) }
        }
    }

    /// Sends as soon as the account may: what failed once more, what waits at once.
    public func retryOutbox(_ id: OutboxID) throws(MailFailure) {
        try change(id, from: [.failed, .retry, .queued, .held], "be tried again") { db in
            try db.execute(
                sql: """
                    UPDATE outbox_recipients SET state = CASE state WHEN 'failed' THEN 'waiting' ELSE state END,
                        tries = 0, next_try = NULL WHERE item = ? AND state IN ('failed', 'waiting', 'retry')
                    """,
                arguments: [id.rawValue])
            // The five days begin anew.
            try db.execute(
                sql: """
                    UPDATE outbox SET state = CASE state WHEN 'retry' THEN 'retry' ELSE 'queued' END,
                        next_try = ?, finished_at = NULL, first_try = NULL WHERE id = ?
                    """, arguments: [now().rawValue, id.rawValue])
        }
    }

    public func holdOutbox(_ id: OutboxID, by person: String) throws(MailFailure) {
        try change(id, from: [.queued, .retry, .sending], "be held") { db in
            try takeBack(id, db)
            try db.execute(
                sql: """
                    UPDATE outbox SET state = 'held', next_try = NULL, reason_code = NULL, reason = ?,
                        remedy = 'Let it go with: mailworker outbox release ID.' WHERE id = ?
                    """, arguments: ["held by \(person)", id.rawValue])
        }
    }

    /// Lets a held mail go.
    public func releaseOutbox(_ id: OutboxID) throws(MailFailure) {
        try change(id, from: [.held], "be released") { db in
            try Self.beginAnew(id, db)
            try db.execute(
                sql: """
                    UPDATE outbox SET state = 'queued', next_try = max(not_before, ?), reason_code = NULL,
                        reason = NULL, remedy = NULL WHERE id = ?
                    """, arguments: [now().rawValue, id.rawValue])
        }
    }

    /// Of those who are still to have it, the five days begin anew.
    private static func beginAnew(_ id: OutboxID, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE outbox_recipients SET tries = 0, next_try = NULL
                WHERE item = ? AND state IN ('waiting', 'retry')
                """, arguments: [id.rawValue])
        try db.execute(sql: "UPDATE outbox SET first_try = NULL WHERE id = ?", arguments: [id.rawValue])
    }

    /// Settles an uncertain mail.
    ///
    /// - Parameter evidence: what was seen, in words; kept with the replies.
    public func resolveOutbox(
        _ id: OutboxID, as resolution: UncertainResolution, evidence: String
    ) throws(MailFailure) {
        try change(id, from: [.uncertain], "be resolved", step: .outboxEnded) { db in
            let time = now()
            let writer = try OutboxWriter(db, time: time)
            let positions = try Int.fetchAll(
                db, sql: "SELECT position FROM outbox_recipients WHERE item = ? AND state = 'uncertain'",
                arguments: [id.rawValue])
            let state: OutboxRecipientState =
                switch resolution {
                case .sent: .sent
                case .again: .waiting
                case .failed: .failed
                }
            for position in positions { try writer.set(id, position, state, nil) }
            if resolution == .again { try Self.beginAnew(id, db) }
            let attempts =
                try Int.fetchOne(
                    db, sql: "SELECT attempts FROM outbox WHERE id = ?", arguments: [id.rawValue])
                ?? 1
            try writer.add(
                OutboxReplyRecord(
                    position: nil, stage: .endOfData, code: nil, status: nil,
                    text: "Resolved as \(resolution.rawValue): \(evidence)"), id, attempt: max(1, attempts))
            try writer.settle(
                id, nextTry: time, isHeld: false,
                failure: resolution == .failed
                    ? MailFailure(.sendUncertain, kind: .permanent, "A person found that it did not arrive")
                    : nil, weight: .nothing, asQueued: true)
        }
    }

    /// Holds what waits to be sent through an account that is switched off. It is not sent by surprise when the account
    /// is switched on again, perhaps long after.
    ///
    /// - Returns: how many mails that are.
    @discardableResult
    static func holdMail(of account: AccountID, named name: String, _ db: Database) throws -> Int {
        try db.execute(
            sql: """
                UPDATE outbox SET state = 'held', next_try = NULL, reason_code = ?, reason = ?, remedy = ?
                WHERE account = ? AND state IN ('queued', 'retry')
                """,
            arguments: {
                let failure = MailFailure.accountIsOff(name)
                return [failure.code.rawValue, failure.summary, failure.remedy, account.rawValue]
            }())
        return db.changesCount
    }

    /// Holds what somebody asked for who is kept out since, or is to go through an account of theirs; somebody else decides
    /// whether it goes. It is taken away from whoever is about to send it; what a server may have already is held when it
    /// comes back (`OutboxWriter`).
    ///
    /// - Returns: how many mails that are.
    static func holdMail(ofUser name: String, _ db: Database) throws -> Int {
        let failure = MailFailure.senderIsOut(name)
        try db.execute(
            sql: """
                UPDATE outbox SET state = 'held', next_try = NULL, holder = NULL, claimed_at = NULL,
                    reason_code = ?1, reason = ?2, remedy = ?3
                WHERE (user = (SELECT id FROM users WHERE name = ?4) OR requested_by = ?4)
                    AND (state IN ('queued', 'retry') OR (state = 'sending' AND data_begun_at IS NULL))
                """,
            arguments: [failure.code.rawValue, failure.summary, failure.remedy, name])
        return db.changesCount
    }

    /// Holds everything that waits to be sent: after a restore it may have been sent already.
    func holdRestoredOutbox(_ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE outbox SET state = 'held', next_try = NULL, reason_code = 'restored',
                    reason = 'It waited when the backup was made, and may have been sent since',
                    remedy = 'See whether it arrived; let it go with: mailworker outbox release ID, or cancel it.'
                WHERE state IN ('queued', 'retry')
                """)
        // What was being sent when the backup was made: nobody knows how that ended.
        try db.execute(
            sql: """
                UPDATE outbox_recipients SET state = 'uncertain'
                WHERE state IN ('sending', 'waiting', 'retry')
                    AND item IN (SELECT id FROM outbox WHERE state = 'sending')
                """)
        try db.execute(
            sql: """
                UPDATE outbox SET state = 'uncertain', holder = NULL, claimed_at = NULL,
                    data_begun_at = coalesce(data_begun_at, created_at), reason_code = 'restored',
                    reason = 'It was being sent when the backup was made',
                    remedy = 'See whether it arrived, then: mailworker outbox resolve ID --sent, or --again.'
                WHERE state = 'sending'
                """)
        try db.execute(sql: "UPDATE outbox SET copy_holder = NULL WHERE copy_holder IS NOT NULL")
    }

    /// Takes a mail away from the process that has claimed it, as long as the server cannot have it: what that process
    /// wants to note then is refused, and it does not send.
    private func takeBack(_ id: OutboxID, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE outbox SET state = 'queued', next_try = ?, holder = NULL, claimed_at = NULL
                WHERE id = ? AND state = 'sending'
                """, arguments: [now().rawValue, id.rawValue])
    }

    private func change(
        _ id: OutboxID, from states: Set<OutboxState>, _ verb: String, step: DurableStep = .changeCommitted,
        _ body: (Database) throws -> Void
    ) throws(MailFailure) {
        try write(step) { db in
            Act.concerns("outbox \(id)")
            let sight = try Sight(viewer, db)
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT o.state, o.data_begun_at IS NOT NULL FROM outbox o JOIN accounts a ON a.id = o.account
                    WHERE o.id = ? AND \(sight.maySend(through: "a"))
                    """, arguments: [id.rawValue])
            guard let row, let state = OutboxState(rawValue: row[0]) else {
                throw Self.unknownOutboxItem(id)
            }
            let isWithServer = state == .sending && row[1] as Bool
            guard states.contains(state), !isWithServer else {
                throw MailFailure(
                    .outboxState, kind: .permanent, "A mail in this state cannot \(verb)",
                    detail: "outbox \(id) is \(state.rawValue)",
                    remedy: "See it with: mailworker outbox show \(id)")
            }
            try body(db)
        }
    }
}

extension MailFailure.Code {
    /// The account that mail is to go through is removed or switched off.
    public static let accountIsOff = Self("send.account-off")
    /// Whoever asked for the mail is kept out since.
    public static let senderIsOut = Self("send.sender-out")
}

extension MailFailure {
    /// - Parameter name: the user's.
    static func senderIsOut(_ name: String) -> MailFailure {
        MailFailure(
            .senderIsOut, kind: .needsPerson, "Who asked for it is kept out since", detail: name,
            remedy: "Let it go with: mailworker outbox release ID, or cancel it: mailworker outbox cancel ID."
        )
    }

    /// - Parameter name: the account's.
    public static func accountIsOff(_ name: String) -> MailFailure {
        MailFailure(
            .accountIsOff, kind: .needsPerson, "The account it would go through is removed or switched off",
            detail: name,
            remedy:
                "Switch it on with mailworker account edit \(name) (after account remove with --password-file),"
                + " then mailworker outbox release ID; or mailworker outbox cancel ID.")
    }
}
