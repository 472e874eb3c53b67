import Foundation
import GRDB
public import MailModel

/// The copy of each sent mail in the Sent folder. Who looks whether it is there, and appends it, has claimed the
/// mail before: two processes that both find nothing would both append it. A claim belongs to a living process;
/// one whose process died is taken over, by looking again first.
extension Archive {
    /// A server may still be taking in what a process sent that died in the middle: only then is looked again.
    private static let takeoverSeconds: Int64 = 10

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

    /// Accounts with copies due that no other process looks after; uncertain mail makes its account due, too. One whose
    /// mailbox lets nobody in at present is not among them: each copy would be one more try of a password that is refused,
    /// beside those of its polls.
    public func accountsWithDueCopies(at time: UnixTime) throws(MailFailure) -> [AccountID] {
        let own = try locks.ownName()
        return try read { db in
            try Int64.fetchAll(
                db,
                sql: """
                    SELECT a.id FROM accounts a
                    WHERE NOT (\(Self.signInIsRefused("a"))) AND a.id IN (
                        SELECT account FROM outbox
                        WHERE copy = 'due' AND \(SendingClock.hasCome("copy_next", at: "?1"))
                            AND (copy_holder IS NULL OR copy_holder = ?2)
                        UNION
                        SELECT account FROM outbox
                        WHERE state = 'uncertain' AND \(SendingClock.hasCome("coalesce(copy_next, 0)", at: "?1"))
                            AND (copy_holder IS NULL OR copy_holder = ?2))
                    ORDER BY a.id
                    """, arguments: [time.rawValue, own]
            ).map { AccountID(rawValue: $0) }
        }
    }

    /// That the account's IMAP server refuses its password, or that a person has to act, as a condition on its row.
    private static func signInIsRefused(_ alias: String) -> String {
        "\(alias).state = 'stopped' OR (\(alias).error_kind IS 'credential' AND \(alias).refused_sign_ins > 0)"
    }

    /// Whether copies wait because the account's mailbox lets nobody in.
    public func areCopiesHeldUp(of account: AccountID) throws(MailFailure) -> Bool {
        try read { db in
            try Bool.fetchOne(
                db, sql: "SELECT \(Self.signInIsRefused("a")) FROM accounts a WHERE a.id = ?",
                arguments: [account.rawValue]) ?? false
        }
    }

    /// Claims what is due of an account, until `noteCopy` or the end of this process. What this process has claimed
    /// before and not noted is among it, so that its tasks must not look after one account side by side.
    ///
    /// - Returns: nothing where other living processes have all of it.
    public func claimCopies(of account: AccountID, limit: Int = 100) throws(MailFailure) -> [OutboxToCopy] {
        try recoverCopies()
        let own = try locks.ownName()
        let time = now()
        let isDue = try read { db in
            try !Self.dueCopies(of: account, own, limit: 1, db, at: time).isEmpty
        }
        guard isDue else { return [] }
        return try writeUnaudited(.outboxCopyClaimed) { db in
            let due = try Self.dueCopies(of: account, own, limit: limit, db, at: time)
            let claim = try PreparedStatement(db, "UPDATE outbox SET copy_holder = ? WHERE id = ?")
            for copy in due {
                try claim.bind(1, own)
                claim.bind(2, copy.item.rawValue)
                try claim.run()
            }
            return due
        }
    }

    private static func dueCopies(
        of account: AccountID, _ own: String, limit: Int, _ db: Database, at time: UnixTime
    ) throws -> [OutboxToCopy] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT id, message_id, size, copy_tries, state = 'uncertain' AS uncertain, blind_field,
                    copy = 'done' OR EXISTS (SELECT 1 FROM outbox_recipients
                        WHERE item = outbox.id AND state = 'sent') AS in_part
                FROM outbox WHERE account = ?1
                    AND ((copy = 'due' AND \(SendingClock.hasCome("copy_next", at: "?2")))
                        OR (state = 'uncertain' AND \(SendingClock.hasCome("coalesce(copy_next, 0)", at: "?2"))))
                    AND (copy_holder IS NULL OR copy_holder = ?3)
                ORDER BY id LIMIT ?4
                """, arguments: [account.rawValue, time.rawValue, own, limit]
        ).map { row in
            OutboxToCopy(
                item: OutboxID(rawValue: row[0]), messageID: MessageID(rawValue: row[1]), size: row[2],
                tries: row[3], isUncertain: row[4], wasSentInPart: row[6],
                blindField: Array((row[5] as Data?) ?? Data()))
        }
    }

    /// Frees what processes that died had claimed, for somebody who looks again a moment later.
    public func recoverCopies() throws(MailFailure) {
        let dead = try read { db in
            try String.fetchAll(
                db, sql: "SELECT DISTINCT copy_holder FROM outbox WHERE copy_holder IS NOT NULL")
        }.filter { !locks.isAlive($0) }
        guard !dead.isEmpty else { return }
        let next = now().advanced(bySeconds: Self.takeoverSeconds)
        try writeUnaudited(.outboxRecovered) { db in
            for holder in dead where !locks.isAlive(holder) {
                try db.execute(
                    sql: """
                        UPDATE outbox SET copy_holder = NULL, copy_next = max(coalesce(copy_next, 0), ?)
                        WHERE copy_holder = ?
                        """, arguments: [next.rawValue, holder])
            }
        }
    }

    /// Notes that no copy of an account's mail is due: its provider files what it sends by itself, or there is no
    /// folder for it. What is uncertain stays to be looked for, and what another process has claimed is left to it.
    public func forgoCopies(of account: AccountID) throws(MailFailure) {
        let own = try locks.ownName()
        // In parts, so that nothing else waits long.
        let limit = 1_000
        var count = limit
        while count == limit {
            count = try Self.notingEvenBesideDamage { letsGo throws(MailFailure) in
                try forgoCopies(of: account, own, limit: limit, letsGo: letsGo)
            }
        }
    }

    private func forgoCopies(
        of account: AccountID, _ own: String, limit: Int, letsGo: Bool
    ) throws(MailFailure) -> Int {
        try writeUnaudited(.outboxCopied) { db in
            let update = try PreparedStatement(
                db,
                """
                UPDATE outbox SET copy = 'unneeded', copy_next = NULL, copy_error = NULL, copy_holder = NULL
                WHERE id IN (
                    SELECT id FROM outbox WHERE account = ? AND copy = 'due' AND state <> 'uncertain'
                        AND (copy_holder IS NULL OR copy_holder = ?) LIMIT ?)
                RETURNING id
                """)
            update.bind(1, account.rawValue)
            try update.bind(2, own)
            update.bind(3, limit)
            var items: [OutboxID] = []
            try update.forEachRow { items.append(OutboxID(rawValue: $0.int64(0))) }
            if letsGo { for item in items { try Self.dropContent(of: item, db) } }
            return items.count
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
        /// It was not its turn; no try of its own.
        case notReached(until: UnixTime)
        case failed(String)
        /// Nothing was done, or there is nothing to do any more.
        case givenBack
    }

    /// Notes how it ended, and ends the claim.
    public func noteCopy(of item: OutboxID, _ outcome: CopyOutcome) throws(MailFailure) {
        try Self.notingEvenBesideDamage { letsGo throws(MailFailure) in
            try noteCopy(of: item, outcome, letsGo: letsGo)
        }
    }

    private func noteCopy(
        of item: OutboxID, _ outcome: CopyOutcome, letsGo: Bool
    ) throws(MailFailure) {
        try writeUnaudited(.outboxCopied) { db in
            switch outcome {
            case .done, .unneeded:
                try db.execute(
                    sql: """
                        UPDATE outbox SET copy = ?, copy_next = NULL, copy_error = NULL, copy_holder = NULL,
                            copy_tries = copy_tries + 1 WHERE id = ?
                        """, arguments: [outcome == .done ? "done" : "unneeded", item.rawValue])
                if letsGo { try Self.dropContent(of: item, db) }
            case .later(let time, let words):
                try db.execute(
                    sql: """
                        UPDATE outbox SET copy_next = ?, copy_error = ?, copy_holder = NULL,
                            copy_tries = copy_tries + 1 WHERE id = ?
                        """, arguments: [time.rawValue, words, item.rawValue])
            case .notReached(let time):
                try db.execute(
                    sql: "UPDATE outbox SET copy_next = ?, copy_holder = NULL WHERE id = ?",
                    arguments: [time.rawValue, item.rawValue])
            case .failed(let words):
                try db.execute(
                    sql: """
                        UPDATE outbox SET copy = 'failed', copy_next = NULL, copy_error = ?, copy_holder = NULL,
                            copy_tries = copy_tries + 1 WHERE id = ?
                        """, arguments: [words, item.rawValue])
                if letsGo { try Self.dropContent(of: item, db) }
            case .givenBack:
                try db.execute(
                    sql: "UPDATE outbox SET copy_holder = NULL WHERE id = ?", arguments: [item.rawValue])
            }
        }
    }
}
