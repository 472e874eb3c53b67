import GRDB
public import MailModel
import Matcher

extension Archive {
    /// How long events are listed, and kept when no mail has told them.
    private static let keptSeconds: Int64 = 90 * 86_400
    /// What happened earlier, such as before digests were wanted, is told by nobody any more.
    private static let tellableSeconds: Int64 = 7 * 86_400

    /// What has happened, the newest first. A user sees their own events, as long as they see the contact and the mail
    /// still stands in its history.
    ///
    /// - Parameter digest: only what this one tells, the oldest first.
    public func events(of digest: DigestID? = nil, limit: Int = .max) throws(MailFailure) -> [Event] {
        let start = now().advanced(bySeconds: -Self.keptSeconds).rawValue
        return try read { db, sight in
            let mine = sight.rights.map { "e.user = \($0.user.rawValue)" } ?? "1"
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT e.*, u.name AS user_name, c.name AS contact_name, m.subject, m.date, m.sender_check,
                        m.sender_check_facts, \(sight.disclosure(message: "m.id", inHistory: true)) AS disclosure,
                        (SELECT p.email FROM participants p WHERE p.message = m.id AND p.role = 'from'
                            ORDER BY p.position LIMIT 1) AS sender
                    FROM events e JOIN users u ON u.id = e.user JOIN contacts c ON c.id = e.contact
                        JOIN messages m ON m.id = e.message
                    WHERE \(mine) AND e.at >= ?3 AND EXISTS (SELECT 1 FROM history WHERE message = e.message
                            AND contact = e.contact AND removed_at IS NULL) AND \(sight.reaches(.read, contact: "c"))
                        AND \(digest == nil ? "?1 IS NULL" : "e.digest = ?1") AND disclosure > 0
                    ORDER BY e.id \(digest == nil ? "DESC" : "ASC") LIMIT ?2
                    """, arguments: [digest?.rawValue, limit, start]
            ).map(Self.event)
        }
    }

    private static func event(_ row: Row) -> Event {
        let sees = (Disclosure(rawValue: row["disclosure"]) ?? .presence) >= .people
        return Event(
            id: EventID(rawValue: row["id"]), at: UnixTime(row["at"]),
            kind: Event.Kind(rawValue: row["kind"]) ?? .contactMail, user: row["user_name"],
            contact: ContactID(rawValue: row["contact"]), contactName: row["contact_name"],
            message: ArchivedMessageID(rawValue: row["message"]), subject: sees ? row["subject"] : nil,
            from: sees ? (row["sender"] as String?)?.lowercased() : nil, date: time(row["date"]),
            senderCheck: sees ? senderCheck(row) : nil,
            digest: (row["digest"] as Int64?).map { DigestID(rawValue: $0) })
    }

    // MARK: - Digests

    /// Gives each user with events that nobody has told them a digest, unless the last one is younger than that. From
    /// then on these events are in that digest and in no other.
    public func openDigests(every seconds: Int64) throws(MailFailure) {
        let time = now()
        // Who has no address, or may not sign in, is told nothing.
        let due = """
            SELECT DISTINCT e.user FROM events e JOIN users u ON u.id = e.user
            WHERE e.digest IS NULL AND e.at >= ?1 AND u.email IS NOT NULL AND u.is_enabled = 1
                AND NOT EXISTS (SELECT 1 FROM digests WHERE user = e.user AND created_at > ?2)
            """
        let arguments: StatementArguments = [
            time.advanced(bySeconds: -Self.tellableSeconds).rawValue,
            time.advanced(bySeconds: -seconds).rawValue,
        ]
        guard try !read({ db in try Int64.fetchAll(db, sql: due, arguments: arguments) }).isEmpty else {
            return
        }
        try writeUnaudited(.digestOpened) { db in
            for user in try Int64.fetchAll(db, sql: due, arguments: arguments) {
                try db.execute(
                    sql: "INSERT INTO digests(user, created_at) VALUES (?, ?)",
                    arguments: [user, time.rawValue])
                try db.execute(
                    sql: "UPDATE events SET digest = ? WHERE user = ? AND digest IS NULL AND at >= ?",
                    arguments: [
                        db.lastInsertedRowID, user, time.advanced(bySeconds: -Self.tellableSeconds).rawValue,
                    ])
            }
        }
    }

    /// The digests whose mail is not queued yet, the oldest first: also those of a process that died.
    public func digestsToQueue() throws(MailFailure) -> [OpenDigest] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT d.id, d.user, u.email, coalesce(u.display_name, u.name) AS name
                    FROM digests d JOIN users u ON u.id = d.user WHERE d.state = 'open' ORDER BY d.id
                    """
            ).compactMap { row in
                Self.address(row["email"]).map {
                    OpenDigest(
                        id: DigestID(rawValue: row["id"]), user: UserID(rawValue: row["user"]), address: $0,
                        name: row["name"])
                }
            }
        }
    }

    /// Tells nothing of what the backup had: its mail may be out since. Who wants to know reads the list of events.
    func dropRestoredDigests(_ db: Database) throws {
        let time = now().rawValue
        try db.execute(sql: "UPDATE digests SET state = 'dropped' WHERE state = 'open'")
        let users = try Int64.fetchAll(db, sql: "SELECT DISTINCT user FROM events WHERE digest IS NULL")
        for user in users {
            try db.execute(
                sql: "INSERT INTO digests(user, created_at, state) VALUES (?, ?, 'dropped')",
                arguments: [user, time])
            try db.execute(
                sql: "UPDATE events SET digest = ? WHERE user = ? AND digest IS NULL",
                arguments: [db.lastInsertedRowID, user])
        }
    }

    /// Notes which mail tells a digest; nil when none does, since nothing is left to be told.
    public func noteDigest(_ digest: DigestID, queuedAs item: OutboxID?) throws(MailFailure) {
        try writeUnaudited(.digestQueued) { db in
            try db.execute(
                sql: "UPDATE digests SET state = ?, item = ? WHERE id = ? AND state = 'open'",
                arguments: [item == nil ? "dropped" : "queued", item?.rawValue, digest.rawValue])
        }
    }

    /// Deletes events that are too old to interest anybody. What a mail has told is kept unlisted: erasing a contact or a
    /// message finds that mail by it.
    public func forgetOldEvents() throws(MailFailure) {
        let start = now().advanced(bySeconds: -Self.keptSeconds).rawValue
        let isOld = """
            at < ? AND NOT EXISTS (SELECT 1 FROM digests WHERE id = events.digest AND state <> 'dropped')
            """
        let isAny = try read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM events WHERE \(isOld))", arguments: [start])
        }
        guard isAny == true else { return }
        try writeUnaudited { db in
            try db.execute(sql: "DELETE FROM events WHERE \(isOld)", arguments: [start])
            try db.execute(
                sql: """
                    DELETE FROM digests WHERE created_at < ? AND state <> 'open'
                        AND NOT EXISTS (SELECT 1 FROM events WHERE digest = digests.id)
                    """, arguments: [start])
        }
    }
}
