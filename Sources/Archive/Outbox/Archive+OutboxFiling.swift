import Foundation
import GRDB
public import MailModel
import Matcher

/// What follows a sending: the histories here, the copy in the Sent folder beside. Both are done again after a
/// crash, and neither ever causes a second sending.
extension Archive {
    /// A mail that was accepted and is in no history yet.
    public struct OutboxToFile: Sendable {
        public var item: OutboxID
        public var account: AccountID
        public var size: Int
        /// How often it did not work.
        public var tries: Int
        /// Recipients that the message's own fields do not name.
        public var blind: [EmailAddress]
    }

    /// Oldest first.
    public func outboxToFile(limit: Int = 100) throws(MailFailure) -> [OutboxToFile] {
        let time = now()
        return try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT id, account, size, filing_tries FROM outbox
                    WHERE filing = 'due' AND \(SendingClock.hasCome("coalesce(filing_next, 0)", at: "?1"))
                    ORDER BY id LIMIT ?2
                    """, arguments: [time.rawValue, limit]
            ).map { row in
                OutboxToFile(
                    item: OutboxID(rawValue: row[0]), account: AccountID(rawValue: row[1]), size: row[2],
                    tries: row[3], blind: try Self.blindRecipients(row[0], db))
            }
        }
    }

    /// Notes that a mail is in no history yet, and when that is tried again.
    public func noteNotFiled(_ item: OutboxID, until next: UnixTime, because words: String)
        throws(MailFailure)
    {
        try writeUnaudited(.outboxFiled) { db in
            try db.execute(
                sql: """
                    UPDATE outbox SET filing_tries = filing_tries + 1, filing_next = ?, filing_error = ?
                    WHERE id = ? AND filing = 'due'
                    """, arguments: [next.rawValue, words, item.rawValue])
        }
    }

    /// Notes which message each mail has become. Its own copy of the bytes goes when nobody needs it.
    public func noteFiled(_ filed: [(item: OutboxID, message: ArchivedMessageID)]) throws(MailFailure) {
        guard !filed.isEmpty else { return }
        try Self.notingEvenBesideDamage { letsGo throws(MailFailure) in
            try noteFiled(filed, letsGo: letsGo)
        }
    }

    private func noteFiled(
        _ filed: [(item: OutboxID, message: ArchivedMessageID)], letsGo: Bool
    ) throws(MailFailure) {
        try writeUnaudited(.outboxFiled) { db in
            let update = try PreparedStatement(
                db,
                """
                UPDATE outbox SET filing = 'done', filing_next = NULL, filing_error = NULL, message = ?
                WHERE id = ?
                """)
            for (item, message) in filed {
                update.bind(1, message.rawValue)
                update.bind(2, item.rawValue)
                try update.run()
                if letsGo { try Self.dropContent(of: item, db) }
            }
        }
    }

    private static func blindRecipients(_ item: Int64, _ db: Database) throws -> [EmailAddress] {
        let query = try PreparedStatement(
            db, "SELECT email FROM outbox_recipients WHERE item = ? AND role = 'bcc' ORDER BY position")
        query.bind(1, item)
        var found: [EmailAddress] = []
        try query.forEachRow { row in
            if let address = Self.address(row.text(0)) { found.append(address) }
        }
        return found
    }

    /// Does nothing where somebody may still send, copy or file them.
    static func dropContent(of item: OutboxID, _ db: Database) throws {
        let delete = try PreparedStatement(
            db,
            """
            DELETE FROM outbox_content WHERE item = ?1 AND EXISTS (
                SELECT 1 FROM outbox WHERE id = ?1 AND \(Schema.isDoneWith))
            """)
        delete.bind(1, item.rawValue)
        try delete.run()
    }

    /// Notes what became of a mail, and lets bytes go that nobody needs then. Where a page that has them, or one beside it,
    /// is damaged, no transaction that has met it can be committed: it is noted once more without that.
    ///
    /// - Parameter note: one transaction; told whether bytes go with it.
    static func notingEvenBesideDamage<Value>(
        _ note: (Bool) throws(MailFailure) -> Value
    ) throws(MailFailure) -> Value {
        do throws(MailFailure) {
            return try note(true)
        } catch  where error.code == .archiveCorrupt {
            return try note(false)
        } catch {
            throw error
        }
    }
}
