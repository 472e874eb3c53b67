import Foundation
import GRDB
public import MailModel
import Matcher

/// What follows a sending: the histories, the copy in the Sent folder. Both are done again after a crash,
/// and neither ever causes a second sending.
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
                    WHERE filing = 'due' AND coalesce(filing_next, 0) <= ? ORDER BY id LIMIT ?
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
        try writeUnaudited(.outboxFiled) { db in
            for (item, message) in filed {
                try db.execute(
                    sql: """
                        UPDATE outbox SET filing = 'done', filing_next = NULL, filing_error = NULL,
                            message = ? WHERE id = ?
                        """, arguments: [message.rawValue, item.rawValue])
                try Self.dropContent(of: item, db)
            }
        }
    }

    /// A mail whose copy is missing in the Sent folder, or an uncertain one that may be there.
    public struct OutboxToCopy: Sendable, Hashable {
        public var item: OutboxID
        public var messageID: MessageID
        public var size: Int
        public var tries: Int
        public var isUncertain: Bool
        /// The Sent folder may have the mail because of recipients that accepted it earlier: finding it there says
        /// nothing about those of whom nobody knows.
        public var wasSentInPart: Bool
        /// The Bcc field of the copy, with its line end; empty without blind recipients.
        public var blindField: [UInt8]
    }

    /// Accounts with copies due; uncertain mail makes its account due, too.
    public func accountsWithDueCopies(at time: UnixTime) throws(MailFailure) -> [AccountID] {
        try read { db in
            try Int64.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT account FROM outbox WHERE copy = 'due' AND copy_next <= ?1
                    UNION
                    SELECT DISTINCT account FROM outbox
                    WHERE state = 'uncertain' AND coalesce(copy_next, 0) <= ?1
                    """, arguments: [time.rawValue]
            ).map { AccountID(rawValue: $0) }
        }
    }

    public func outboxToCopy(of account: AccountID, at time: UnixTime, limit: Int = 100) throws(MailFailure)
        -> [OutboxToCopy]
    {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT id, message_id, size, copy_tries, state = 'uncertain' AS uncertain, blind_field,
                        copy = 'done' OR EXISTS (SELECT 1 FROM outbox_recipients
                            WHERE item = outbox.id AND state = 'sent') AS in_part
                    FROM outbox WHERE account = ?1 AND ((copy = 'due' AND copy_next <= ?2)
                        OR (state = 'uncertain' AND coalesce(copy_next, 0) <= ?2))
                    ORDER BY id LIMIT ?3
                    """, arguments: [account.rawValue, time.rawValue, limit]
            ).map { row in
                OutboxToCopy(
                    item: OutboxID(rawValue: row[0]), messageID: MessageID(rawValue: row[1]), size: row[2],
                    tries: row[3], isUncertain: row[4], wasSentInPart: row[6],
                    blindField: Array((row[5] as Data?) ?? Data()))
            }
        }
    }

    /// How looking after a copy ended.
    public enum CopyOutcome: Sendable, Hashable {
        /// Put there, or found there.
        case done
        /// The provider files what is sent by itself, or the account has no such folder.
        case unneeded
        /// Tried again at that time; the mail itself is not touched by it.
        case later(UnixTime, String)
        case failed(String)
    }

    public func noteCopy(of item: OutboxID, _ outcome: CopyOutcome) throws(MailFailure) {
        try writeUnaudited(.outboxCopied) { db in
            switch outcome {
            case .done, .unneeded:
                try db.execute(
                    sql: """
                        UPDATE outbox SET copy = ?, copy_next = NULL, copy_error = NULL,
                            copy_tries = copy_tries + 1 WHERE id = ?
                        """, arguments: [outcome == .done ? "done" : "unneeded", item.rawValue])
                try Self.dropContent(of: item, db)
            case .later(let time, let words):
                try db.execute(
                    sql: """
                        UPDATE outbox SET copy_next = ?, copy_error = ?, copy_tries = copy_tries + 1
                        WHERE id = ?
                        """, arguments: [time.rawValue, words, item.rawValue])
            case .failed(let words):
                try db.execute(
                    sql: """
                        UPDATE outbox SET copy = 'failed', copy_next = NULL, copy_error = ?,
                            copy_tries = copy_tries + 1 WHERE id = ?
                        """, arguments: [words, item.rawValue])
                try Self.dropContent(of: item, db)
            }
        }
    }

    private static func blindRecipients(_ item: Int64, _ db: Database) throws -> [EmailAddress] {
        try String.fetchAll(
            db, sql: "SELECT email FROM outbox_recipients WHERE item = ? AND role = 'bcc' ORDER BY position",
            arguments: [item]
        ).compactMap { EmailAddress($0) }
    }

    /// The archive has the bytes as an original, and nobody will send or copy them.
    private static func dropContent(of item: OutboxID, _ db: Database) throws {
        try db.execute(
            sql: """
                DELETE FROM outbox_content WHERE item = ?1 AND EXISTS (
                    SELECT 1 FROM outbox WHERE id = ?1 AND state = 'sent' AND filing = 'done'
                        AND message IS NOT NULL AND copy IN ('done', 'unneeded', 'failed'))
                """, arguments: [item.rawValue])
    }
}
