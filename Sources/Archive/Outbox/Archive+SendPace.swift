import GRDB
public import MailModel

/// What an account may send, and when.
///
/// A provider counts for each mailbox. Where several accounts sign in to one, such as an office's that two users
/// have, what they send is counted together, and its block is everybody's.
extension Archive {
    /// The accounts that send through the mailbox of account `?1`, itself included: the same server, and the same
    /// login or address.
    static let sameMailbox = """
        SELECT ?1 UNION
        SELECT m.id FROM accounts o JOIN accounts m ON lower(m.smtp_host) = lower(o.smtp_host)
            AND lower(coalesce(m.smtp_login, m.login)) = lower(coalesce(o.smtp_login, o.login))
            WHERE o.id = ?1 AND m.smtp_host IS NOT NULL
        UNION
        SELECT m.id FROM accounts o JOIN accounts m ON m.address = o.address
            WHERE o.id = ?1 AND lower(m.smtp_host) = lower(o.smtp_host)
        """

    public func sendLimits(of account: AccountID) throws(MailFailure) -> SendLimits {
        try read { try Self.limits(of: account, $0) }
    }

    /// Replaces the account's own limits; nil values leave the provider's in force.
    public func setSendLimits(_ limits: SendLimits, of account: AccountID) throws(MailFailure) {
        try write { db in
            Act.concerns("account \(account)")
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO send_limits(account, recipients_per_day, recipients_per_message,
                        messages_per_minute, connections) VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    account.rawValue, limits.recipientsPerDay, limits.recipientsPerMessage,
                    limits.messagesPerMinute, limits.connections,
                ])
        }
    }

    /// Why the account does not send at present; nil when it does.
    public func sendPause(of account: AccountID) throws(MailFailure) -> SendPause? {
        let time = now()
        return try read { try Self.pause(of: account, at: time, $0) }
    }

    /// The last pause whatever its time; nil when the account has sent since, or was changed.
    public func sendPauseRecord(of account: AccountID) throws(MailFailure) -> SendPause? {
        try read { try Self.ownPause(of: account, $0) }
    }

    /// Keeps an account from sending until a time, or until its settings change. A provider's block
    /// (`send.blocked`) stays for its time whatever else fails or changes meanwhile.
    public func pauseSending(_ account: AccountID, _ pause: SendPause) throws(MailFailure) {
        let time = now()
        try writeUnaudited(.outboxPaused) { db in
            let isBlocked = try Self.isBlocked(account, at: time, db)
            guard pause.failure.code == .sendingBlocked || !isBlocked else { return }
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO send_pauses(account, until, revision, failures, code, kind, reason,
                        remedy, refused_sign_ins)
                    SELECT id, ?, revision, ?, ?, ?, ?, ?, ? FROM accounts WHERE id = ?
                    """,
                arguments: [
                    pause.until?.rawValue, max(1, pause.failures), pause.failure.code.rawValue,
                    pause.failure.kind.rawValue,
                    [pause.failure.summary, pause.failure.detail].compactMap { $0 }.joined(separator: ": "),
                    pause.failure.remedy, pause.refusedSignIns, account.rawValue,
                ])
        }
    }

    /// Lets an account send again that could be signed in to. A provider's block is not over by that, and sending
    /// into it prolongs it at some; nor is it known whether the account is slow enough by then (`send.slowed`), or the
    /// server answers to a mail's end again (`send.unanswered`): that ends with the first mail that is accepted.
    public func endSendPause(_ account: AccountID) throws(MailFailure) {
        let time = now()
        let mayEnd = try read { db in
            let isBlocked = try Self.isBlocked(account, at: time, db)
            let own = try Self.ownPause(of: account, db)
            guard let own, !isBlocked else { return false }
            return own.failure.code != .sendingSlowed && own.failure.code != .sendUnanswered
        }
        guard mayEnd else { return }
        try writeUnaudited(.outboxPaused) { db in
            try db.execute(sql: "DELETE FROM send_pauses WHERE account = ?", arguments: [account.rawValue])
        }
    }

    /// Lets an account send again at a person's word, whatever has stopped it: what was taken for the provider's block
    /// may be over, or was none.
    ///
    /// - Returns: what had stopped it; nil when nothing had.
    @discardableResult
    public func resumeSending(_ account: AccountID) throws(MailFailure) -> SendPause? {
        let time = now()
        return try write { db in
            Act.concerns("account \(account)")
            let pause = try Self.pause(of: account, at: time, db)
            try db.execute(
                sql: """
                    DELETE FROM send_pauses
                    WHERE account = ?1 OR (code IN (\(Self.mailboxPauses)) AND account IN (\(Self.sameMailbox)))
                    """, arguments: [account.rawValue])
            // Mail that waits for other reasons goes on waiting.
            let waiting = try Int64.fetchAll(
                db,
                sql: """
                    UPDATE outbox SET next_try = ?2 WHERE account IN (\(Self.sameMailbox))
                        AND state = 'retry' AND next_try > ?2 AND (reason_code = ?3 OR next_try = ?4)
                    RETURNING id
                    """,
                arguments: [
                    account.rawValue, time.rawValue, MailFailure.Code.sendingBlocked.rawValue,
                    pause?.until?.rawValue,
                ])
            for item in waiting {
                try db.execute(
                    sql: "UPDATE outbox_recipients SET next_try = NULL WHERE item = ? AND state = 'retry'",
                    arguments: [item])
            }
            return pause
        }
    }

    private static func isBlocked(_ account: AccountID, at time: UnixTime, _ db: Database) throws -> Bool {
        guard let pause = try ownPause(of: account, db), pause.failure.code == .sendingBlocked else {
            return false
        }
        return pause.until.map { $0 > time } ?? true
    }

    /// What is over when the server has taken a mail, as SQL.
    static let pausesUntilTaken =
        "'\(MailFailure.Code.sendingSlowed.rawValue)', '\(MailFailure.Code.sendUnanswered.rawValue)'"

    /// What a provider says of the whole mailbox, as SQL.
    private static let mailboxPauses =
        "'\(MailFailure.Code.sendingBlocked.rawValue)', '\(MailFailure.Code.sendingSlowed.rawValue)'"

    /// What keeps an account from sending now; the provider's block first, whichever account of the mailbox it met.
    static func pause(of account: AccountID, at time: UnixTime, _ db: Database) throws -> SendPause? {
        // A block is not tried into because the clock is behind for a moment.
        try pause(
            db, account,
            """
            (p.account = ?1 OR (p.code IN (\(mailboxPauses)) AND p.account IN (\(sameMailbox))))
                AND (p.until IS NULL OR (p.code = ?2 AND p.until > ?3)
                    OR NOT \(SendingClock.hasCome("p.until", at: "?3")))
            """, at: time)
    }

    /// The last pause of the account itself, over or not.
    private static func ownPause(of account: AccountID, _ db: Database) throws -> SendPause? {
        try pause(db, account, "p.account = ?1", at: UnixTime(0))
    }

    /// A pause that was set for other settings than the present ones is none, unless it is the provider's block.
    private static func pause(
        _ db: Database, _ account: AccountID, _ condition: String, at time: UnixTime
    ) throws -> SendPause? {
        let query = try PreparedStatement(
            db,
            """
            SELECT p.until, p.failures, p.code, p.kind, p.reason, p.remedy, p.refused_sign_ins, p.account = ?1
            FROM send_pauses p
            JOIN accounts a ON a.id = p.account AND (a.revision = p.revision OR p.code = ?2)
            WHERE \(condition)
            ORDER BY p.code = ?2 DESC, p.until IS NULL DESC, p.until DESC, p.account = ?1 DESC, ?3 LIMIT 1
            """)
        query.bind(1, account.rawValue)
        try query.bind(2, MailFailure.Code.sendingBlocked.rawValue)
        query.bind(3, time.rawValue)
        return try query.first { row in
            // The server's words may name a recipient, whom only the account's own users may see.
            let isOwn = row.int64(7) != 0
            let said = row.text(4)
            let summary = said[..<(said.firstRange(of: ": ")?.lowerBound ?? said.endIndex)]
            let reason = isOwn ? said : String(summary)
            var pause = SendPause(
                until: row.optionalInt64(0).map { UnixTime($0) }, failures: Int(row.int64(1)),
                failure: MailFailure(
                    MailFailure.Code(row.text(2)), kind: FailureKind(rawValue: row.text(3)) ?? .transient,
                    reason, remedy: row.optionalText(5)))
            pause.refusedSignIns = Int(row.int64(6))
            return pause
        }
    }

    static func limits(of account: AccountID, _ db: Database) throws -> SendLimits {
        let query = try PreparedStatement(
            db,
            """
            SELECT recipients_per_day, recipients_per_message, messages_per_minute, connections
            FROM send_limits WHERE account = ?
            """)
        query.bind(1, account.rawValue)
        return try query.first { row in
            SendLimits(
                recipientsPerDay: row.optionalInt64(0).map(Int.init),
                recipientsPerMessage: row.optionalInt64(1).map(Int.init),
                messagesPerMinute: row.optionalInt64(2).map(Int.init),
                connections: row.optionalInt64(3).map(Int.init))
        } ?? SendLimits()
    }
}

extension MailFailure.Code {
    /// The provider has said that the account may not send for a while.
    public static let sendingBlocked = Self("send.blocked")
    /// The provider has said that the account sends too fast at the moment.
    public static let sendingSlowed = Self("send.slowed")
    /// The server did not answer to the end of a mail; a few such mails are enough for one person to look into.
    public static let sendUnanswered = Self("send.unanswered")
}
