import GRDB
import MailModel

/// How many recipients a user has asked mail for, and the hourly number of them. Counted when a mail is queued, and
/// not from the outbox: a mail to each of thousands of contacts would count all those before it.
extension Archive {
    private static let hour: Int64 = 3600

    /// Counts a mail that is being queued. The cap is that of the account's user, and of the user who asks: several
    /// mailboxes do not raise it. Users are told by their numbers; whoever has the archive's files is none.
    ///
    /// - Parameter limit: nil for any number.
    /// - Throws: `send.cap`.
    func countAsked(_ draft: OutboxDraft, limit: Int?, _ db: Database, at time: UnixTime) throws {
        var names: [String] = []
        if let user = draft.user { names.append("owner \(user)") }
        if case .user(let asker, _) = viewer { names.append("user \(asker)") }
        if let limit {
            for name in names {
                let used = try Self.asked(name, inTheHourTo: time, db)
                guard used + draft.recipients.count <= limit else {
                    throw MailFailure.sendingCap(used, limit)
                }
            }
        }
        let note = try PreparedStatement(
            db,
            """
            INSERT INTO asked_counts(name, at, recipients) VALUES (?, ?, ?)
            ON CONFLICT(name, at) DO UPDATE SET recipients = recipients + excluded.recipients
            """)
        // By their number and not by the clock alone: one that is wrong for a moment forgets nothing of the hour that
        // it really is.
        let forget = try PreparedStatement(
            db,
            """
            DELETE FROM asked_counts WHERE name = ?1 AND at < ?2 AND at < (
                SELECT at FROM asked_counts WHERE name = ?1 AND at <= ?3 ORDER BY at DESC LIMIT 1 OFFSET ?4)
            """)
        for name in names {
            try note.bind(1, name)
            note.bind(2, time.rawValue)
            note.bind(3, draft.recipients.count)
            try note.run()
            try forget.bind(1, name)
            forget.bind(2, time.rawValue - 24 * Self.hour)
            forget.bind(3, time.rawValue)
            // As many as an hour can have, and as a wrong clock adds.
            forget.bind(4, 2 * Self.hour)
            try forget.run()
        }
    }

    /// Reads at most one row for each second of the time, however many mails were queued in it.
    static let askedQuery = """
        SELECT coalesce(sum(recipients), 0) FROM asked_counts WHERE name = ? AND at > ? AND at <= ?
        """

    private static func asked(_ name: String, inTheHourTo time: UnixTime, _ db: Database) throws -> Int {
        let sum = try PreparedStatement(db, askedQuery)
        try sum.bind(1, name)
        sum.bind(2, time.rawValue - hour)
        // What was asked before the clock was put back a little, too.
        sum.bind(3, time.rawValue + hour)
        return Int(try sum.first { $0.int64(0) } ?? 0)
    }
}

extension MailFailure {
    fileprivate static func sendingCap(_ used: Int, _ limit: Int) -> MailFailure {
        MailFailure(
            .sendingCap, kind: .transient, "The user has reached the hourly number of recipients",
            detail: "\(used) of \(limit) in the last hour",
            remedy: "Wait, or have the administrator raise [send] user_hourly_recipients.",
            retryAfterSeconds: 3600)
    }
}
