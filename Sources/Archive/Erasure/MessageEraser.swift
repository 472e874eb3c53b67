import GRDB
import MailModel

/// Empties messages within one transaction. What stays of one is a tombstone: its rows in the
/// ledger, the digests of its bytes and of its content, and the key of its Message-ID. They tell
/// a copy that arrives later, and nothing about what was written or by whom.
///
/// Whatever table holds something of a message's content has its line here.
struct MessageEraser {
    enum Reason: String {
        case contactErased = "erased"
        case madePrivate = "private"
    }

    let db: Database
    let time: UnixTime
    private let delete: [PreparedStatement]
    private let index: SearchIndex
    private let outbox: OutboxEraser
    private let digests: DigestEraser
    private let addresses, emptyMessage, emptyLedger, markOriginals, emptyLabels: PreparedStatement

    init(_ db: Database, time: UnixTime) throws {
        self.db = db
        self.time = time
        index = try SearchIndex(db)
        outbox = try OutboxEraser(db)
        digests = try DigestEraser(db)
        addresses = try PreparedStatement(
            db, "SELECT DISTINCT address FROM participants WHERE message = ?")
        delete = try [
            "events", "history", "review_items", "participants", "attachments", "message_edits",
        ].map {
            try PreparedStatement(db, "DELETE FROM \($0) WHERE message = ?")
        }
        emptyMessage = try PreparedStatement(
            db,
            """
            UPDATE messages SET message_id = CASE WHEN message_id IS NOT NULL THEN '(erased)' END,
                subject = NULL, date = NULL, sort_date = 0, state = 'private', reason = ?,
                ignored_by = NULL, thread = NULL, snippet = NULL, defects = NULL, sender_check = NULL,
                sender_check_facts = NULL, signature = NULL, erased_at = ?
            WHERE id = ?
            """)
        emptyLedger = try PreparedStatement(
            db,
            """
            UPDATE ledger SET state = CASE state WHEN 'duplicate' THEN state ELSE 'private' END,
                reason = (SELECT reason FROM messages WHERE id = ?1), internal_date = NULL
            WHERE message = ?1
            """)
        emptyLabels = try PreparedStatement(
            db,
            """
            UPDATE gmail_marks SET labels = '[]' WHERE (folder, uidvalidity, uid) IN (
                SELECT folder, uidvalidity, uid FROM ledger WHERE message = ?)
            """)
        markOriginals = try PreparedStatement(
            db, "UPDATE originals SET erasure = 'due' WHERE message = ? AND erasure IS NULL")
    }

    /// - Throws: `outbox.state` while a digest that tells of one of them is on its way.
    func erase(
        _ messages: [ArchivedMessageID], for reason: Reason, progress: (_ done: Int) -> Void = { _ in }
    ) throws {
        let mails = try messages.flatMap { try digests.mails(tellingOf: $0) }
        let messages = try messages + erase(mails).filter { !messages.contains($0) }
        var left: Set<Int64> = []
        for (done, message) in messages.enumerated() {
            progress(done)
            addresses.bind(1, message.rawValue)
            try addresses.forEachRow { left.insert($0.int64(0)) }
            for statement in delete {
                statement.bind(1, message.rawValue)
                try statement.run()
            }
            try index.remove(message)
            try outbox.erase(mailOf: message)
            try emptyMessage.bind(1, reason.rawValue)
            emptyMessage.bind(2, time.rawValue)
            emptyMessage.bind(3, message.rawValue)
            try emptyMessage.run()
            try eraseCopies(of: message)
        }
        try UndoLog(db).forget(messages: Set(messages.map(\.rawValue)))
        try forgetAddresses(left)
        try Archive.noteUnfinishedErasure(db)
    }

    /// Empties mails of digests in the outbox.
    ///
    /// - Returns: what they became in the archive, each once, which is erased as well.
    func erase(_ mails: [DigestEraser.Mail]) throws -> [ArchivedMessageID] {
        var messages: [ArchivedMessageID] = []
        for mail in mails {
            try outbox.empty(mail.item)
            if let message = mail.message, !messages.contains(message) { messages.append(message) }
        }
        return messages
    }

    /// Erases every copy of a message that is emptied: also one that was not known to be a copy
    /// when the message was.
    func eraseCopies(of message: ArchivedMessageID) throws {
        emptyLedger.bind(1, message.rawValue)
        try emptyLedger.run()
        emptyLabels.bind(1, message.rawValue)
        try emptyLabels.run()
        markOriginals.bind(1, message.rawValue)
        try markOriginals.run()
    }

    /// Takes out the addresses that nothing speaks of any more.
    func forgetAddresses(_ candidates: Set<Int64>) throws {
        let forget = try PreparedStatement(
            db,
            """
            DELETE FROM addresses WHERE id = ?1 AND \(Self.isUnspoken)
            """)
        for address in candidates.sorted() {
            forget.bind(1, address)
            try forget.run()
        }
    }

    /// Takes out these addresses, and every other that nothing speaks of: those that somebody had once are nobody's. What
    /// an action that can be taken back would need stays, and who is to become no lead.
    func forgetUnspokenAddresses(and candidates: Set<Int64>) throws {
        let unspoken = try Int64.fetchSet(
            db,
            sql: """
                SELECT id FROM addresses WHERE \(Self.isUnspoken)
                    AND NOT EXISTS (SELECT 1 FROM declined_leads WHERE address = addresses.id)
                """)
        let kept = unspoken.isEmpty ? [] : try UndoLog(db).addresses(among: unspoken)
        try forgetAddresses(candidates.union(unspoken.subtracting(kept)))
    }

    private static let isUnspoken = [
        "participants", "contact_addresses", "review_items", "users", "accounts",
    ]
    .map { "NOT EXISTS (SELECT 1 FROM \($0) WHERE address = addresses.id)" }.joined(separator: " AND ")
}
