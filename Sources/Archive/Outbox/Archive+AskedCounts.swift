import GRDB
import MailModel

/// How many recipients a user has asked mail for, and the hourly number of them. Counted when a mail is queued, and
/// not from the outbox: a mail to each of thousands of contacts would count all those before it.
extension Archive {
    private static let hour: Int64 = 3600

    /// Counts a mail that is being queued. The cap is that of the account's user, and of the user who asks: several
    /// mailboxes do not raise it.
    ///
    /// - Parameter limit: nil for any number.
    /// - Throws: `send.cap`.
    func countAsked(_ draft: OutboxDraft, limit: Int?, _ db: Database, at time: UnixTime) throws {
        var capped: [String] = []
        if let user = draft.user { capped.append(Self.ownerName(user)) }
        let asker = Self.askerName(draft.requestedBy)
        if case .user = viewer { capped.append(asker) }
        if let limit {
            for name in capped {
                let used = try Self.asked(name, since: time.advanced(bySeconds: -Self.hour), db)
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
        let forget = try PreparedStatement(db, "DELETE FROM asked_counts WHERE name = ? AND at < ?")
        for name in [draft.user.map(Self.ownerName), asker].compactMap(\.self) {
            try note.bind(1, name)
            note.bind(2, time.rawValue)
            note.bind(3, draft.recipients.count)
            try note.run()
            try forget.bind(1, name)
            // A clock that was set forward for a moment forgets nothing of the present hour.
            forget.bind(2, time.rawValue - 24 * Self.hour)
            try forget.run()
        }
    }

    /// Reads at most one row for each second of the time, however many mails were queued in it.
    static let askedQuery = "SELECT coalesce(sum(recipients), 0) FROM asked_counts WHERE name = ? AND at > ?"

    private static func asked(_ name: String, since time: UnixTime, _ db: Database) throws -> Int {
        let sum = try PreparedStatement(db, askedQuery)
        try sum.bind(1, name)
        sum.bind(2, time.rawValue)
        return Int(try sum.first { $0.int64(0) } ?? 0)
    }

    private static func ownerName(_ user: UserID) -> String { "owner \(user)" }
    private static func askerName(_ name: String) -> String { "asker \(name)" }
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
