import Crypto
import Foundation
import GRDB
public import MailModel
import Matcher

/// Mail that is to be sent: queued with all its bytes in one transaction, and accounted for from then on.
extension Archive {
    /// The answer to a queueing.
    public struct OutboxReceipt: Sendable, Hashable {
        public var item: OutboxID
        public var messageID: MessageID
        public var state: OutboxState
        /// The idempotency key was known: nothing new was queued.
        public var wasThere: Bool
    }

    /// Pieces in which frozen bytes are kept, so that a large mail is never in memory as a whole.
    private static let pieceBytes = 512 << 10

    /// Queues a mail. When it returns, the mail is on the disk and will be sent or accounted for.
    ///
    /// - Parameter userHourlyLimit: recipients that one user may write to in an hour; nil for any number.
    /// - Throws: `send.cap`; `rights.missing`; `unknown.account` where the viewer may not send;
    ///   `value.invalid` without a recipient, for control characters in addresses or the key, and for an envelope
    ///   identifier that is none; `name.taken` for a key of somebody else's mail, `send.key-reused` for one of
    ///   another mail of one's own;
    ///   `archive.constraint` for a Message-ID that is taken.
    public func queueMail(_ draft: OutboxDraft, userHourlyLimit: Int? = nil) throws(MailFailure)
        -> OutboxReceipt
    {
        try Self.check(draft)
        let time = now()
        let digest = draft.content.withUnsafeBytes { Data(SHA256.hash(data: $0)) }
        return try write(.outboxQueued) { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.send)
            try Self.requireSender(draft.account, named: draft.account.description, db, sight)
            if let key = draft.idempotencyKey,
                let row = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT o.id, o.message_id, o.state, o.request_digest, \(sight.maySend(through: "a"))
                        FROM outbox o JOIN accounts a ON a.id = o.account WHERE o.idempotency_key IN (?, ?)
                        """, arguments: [key, OutboxKey(text: key).digest])
            {
                guard row[4] else { throw MailFailure.taken("idempotency key", key) }
                let item = OutboxID(rawValue: row[0])
                try Self.demand(draft.request, isThatOf: item, digest: row[3])
                return OutboxReceipt(
                    item: item, messageID: MessageID(rawValue: row[1]),
                    state: OutboxState(rawValue: row[2]) ?? .queued, wasThere: true)
            }
            try countAsked(draft, limit: userHourlyLimit, db, at: time)
            let isHeld = draft.heldBecause != nil
            try db.execute(
                sql: """
                    INSERT INTO outbox(account, user, requested_by, idempotency_key, message_id, envelope_id,
                        sender, subject, kind, priority, needs_utf8, size, sha256, blind_field, state, reason, remedy,
                        created_at, not_before, next_try, request_digest)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    draft.account.rawValue, draft.user?.rawValue, draft.requestedBy, draft.idempotencyKey,
                    draft.messageID.rawValue, draft.envelopeID ?? Self.randomEnvelopeID(),
                    draft.sender?.addrSpec ?? "", draft.subject, draft.kind.rawValue, draft.kind.priority,
                    draft.needsUTF8, draft.content.count, digest,
                    draft.blindField.isEmpty ? nil : Data(draft.blindField), isHeld ? "held" : "queued",
                    draft.heldBecause, isHeld ? "Let it go with: mailworker outbox release ID." : nil,
                    time.rawValue, draft.notBefore.rawValue, isHeld ? nil : draft.notBefore.rawValue,
                    draft.idempotencyKey == nil ? nil : draft.request?.digest,
                ])
            let id = OutboxID(rawValue: db.lastInsertedRowID)
            Act.concerns("outbox \(id)")
            for (position, recipient) in draft.recipients.enumerated() {
                try db.execute(
                    sql: """
                        INSERT INTO outbox_recipients(item, position, role, email, canonical)
                        VALUES (?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        id.rawValue, position, recipient.role.rawValue, recipient.address.addrSpec,
                        CanonicalAddress(recipient.address).rawValue,
                    ])
            }
            let insert = try PreparedStatement(
                db, "INSERT INTO outbox_content(item, piece, bytes) VALUES (?, ?, ?)")
            try draft.content.withUnsafeBytes { bytes in
                for (piece, start) in stride(from: 0, to: bytes.count, by: Self.pieceBytes).enumerated() {
                    insert.bind(1, id.rawValue)
                    insert.bind(2, piece)
                    try insert.bind(3, Array(bytes[start..<min(bytes.count, start + Self.pieceBytes)]))
                    try insert.run()
                }
            }
            return OutboxReceipt(
                item: id, messageID: draft.messageID, state: isHeld ? .held : .queued, wasThere: false)
        }
    }

    private static func check(_ draft: OutboxDraft) throws(MailFailure) {
        guard !draft.recipients.isEmpty else {
            throw MailFailure.invalid("A mail needs a recipient", remedy: "Name one with --to.")
        }
        // What is bound as text ends at a NUL: another address, or another mail's key.
        let addresses = draft.recipients.map(\.address) + [draft.sender].compactMap(\.self)
        guard addresses.allSatisfy({ $0.addrSpec.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }) else {
            throw MailFailure.invalid("An address holds a control character", remedy: "Correct the address.")
        }
        guard draft.idempotencyKey?.utf8.contains(0) != true else {
            throw MailFailure.invalid("The idempotency key holds a NUL", remedy: "Take another key.")
        }
        guard draft.idempotencyKey?.isEmpty != true else {
            throw MailFailure.invalid(
                "The idempotency key is empty", remedy: "Take a key of its own for each mail, or none.")
        }
        guard draft.envelopeID.map(Self.isEnvelopeID) ?? true else {
            throw MailFailure.invalid(
                "The envelope identifier is none that a command can hold", remedy: "Leave it to the archive.")
        }
    }

    private static func isEnvelopeID(_ text: String) -> Bool {
        (1...100).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "-_.".utf8.contains(byte)
            }
    }

    private static func randomEnvelopeID() -> String {
        "mw" + (0..<20).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement()! }
    }

    /// - Throws: `send.key-reused` when the key of an earlier mail comes with another one.
    static func demand(
        _ request: AskedMail?, isThatOf item: OutboxID, digest: Data?
    ) throws(MailFailure) {
        // A mail that was queued by an earlier version, or is erased, has none.
        guard let request, let digest, !request.isThat(of: digest) else { return }
        throw MailFailure(
            .idempotencyKeyReused, kind: .permanent, "The idempotency key is that of another mail",
            detail: "outbox \(item)",
            remedy: "Take a new key for each mail. See the other one with: mailworker outbox show \(item).")
    }

    // MARK: - Reading

    /// Which mails a listing shows.
    public struct OutboxFilter: Sendable {
        public var states: Set<OutboxState>?
        public var account: AccountID?
        public var recipient: EmailAddress?

        public init(
            states: Set<OutboxState>? = nil, account: AccountID? = nil, recipient: EmailAddress? = nil
        ) {
            self.states = states
            self.account = account
            self.recipient = recipient
        }
    }

    /// The newest first.
    public func outboxItems(_ filter: OutboxFilter = OutboxFilter(), limit: Int = .max) throws(MailFailure)
        -> [OutboxItem]
    {
        try read { db, sight in
            var conditions = [sight.maySend(through: "a")]
            var arguments = StatementArguments()
            if let states = filter.states {
                conditions.append(
                    "o.state IN (" + Array(repeating: "?", count: states.count).joined(separator: ", ") + ")")
                arguments += StatementArguments(states.map(\.rawValue))
            }
            if let account = filter.account {
                conditions.append("o.account = ?")
                arguments += [account.rawValue]
            }
            if let recipient = filter.recipient {
                conditions.append("o.id IN (SELECT item FROM outbox_recipients WHERE canonical = ?)")
                arguments += [CanonicalAddress(recipient).rawValue]
            }
            arguments += [limit]
            let rows = try Row.fetchAll(
                db,
                sql: Self.selectOutbox + " WHERE \(conditions.joined(separator: " AND "))"
                    + " ORDER BY o.id DESC LIMIT ?", arguments: arguments)
            return try rows.map { try Self.outboxItem($0, db) }
        }
    }

    /// One mail with every reply.
    /// - Throws: `unknown.outbox-item`.
    public func outboxItem(_ id: OutboxID) throws(MailFailure) -> OutboxItem {
        try read { db, sight in
            guard
                let row = try Row.fetchOne(
                    db, sql: Self.selectOutbox + " WHERE o.id = ? AND \(sight.maySend(through: "a"))",
                    arguments: [id.rawValue])
            else { throw Self.unknownOutboxItem(id) }
            var item = try Self.outboxItem(row, db)
            item.replies = try Row.fetchAll(
                db,
                sql: """
                    SELECT p.*, r.email FROM outbox_replies p
                    LEFT JOIN outbox_recipients r ON r.item = p.item AND r.position = p.position
                    WHERE p.item = ? ORDER BY p.id
                    """, arguments: [id.rawValue]
            ).map { row in
                OutboxItem.Reply(
                    attempt: row["attempt"], at: UnixTime(row["at"]), recipient: row["email"],
                    stage: row["stage"], code: row["code"], status: row["status"], text: row["text"])
            }
            return item
        }
    }

    /// The mails of the outbox that became, or report on, this message.
    public func outboxItems(of message: ArchivedMessageID) throws(MailFailure) -> [OutboxItem] {
        try read { db, sight in
            try Row.fetchAll(
                db,
                sql: Self.selectOutbox + """
                     WHERE \(sight.maySend(through: "a")) AND (o.message = ?1
                        OR o.id IN (SELECT item FROM delivery_reports WHERE report = ?1)) ORDER BY o.id
                    """, arguments: [message.rawValue]
            ).map { try Self.outboxItem($0, db) }
        }
    }

    /// How many mails are in each state; states without any are left out.
    public func outboxCounts() throws(MailFailure) -> [OutboxState: Int] {
        try read { db, sight in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT o.state, count(*) FROM outbox o JOIN accounts a ON a.id = o.account
                    WHERE \(sight.maySend(through: "a")) GROUP BY o.state
                    """)
            return Dictionary(
                uniqueKeysWithValues: rows.compactMap { row in
                    OutboxState(rawValue: row[0]).map { ($0, row[1]) }
                })
        }
    }

    static func unknownOutboxItem(_ id: OutboxID) -> MailFailure {
        .unknown(
            .unknownOutboxItem, "mail in the outbox", id.description,
            remedy: "See them with: mailworker outbox list")
    }

    private static let selectOutbox = """
        SELECT o.*, a.name AS account_name FROM outbox o JOIN accounts a ON a.id = o.account
        """

    private static func outboxItem(_ row: Row, _ db: Database) throws -> OutboxItem {
        let id: Int64 = row["id"]
        var reports: [Int: [OutboxItem.Report]] = [:]
        let found = try Row.fetchAll(
            db, sql: "SELECT * FROM delivery_reports WHERE item = ? ORDER BY id", arguments: [id])
        for report in found {
            reports[report["position"], default: []].append(
                OutboxItem.Report(
                    message: ArchivedMessageID(rawValue: report["report"]), at: UnixTime(report["at"]),
                    action: report["action"], failure: report["failure"], status: report["status"],
                    diagnostic: report["diagnostic"], isVouched: report["vouched_by"] != nil))
        }
        let recipients = try Row.fetchAll(
            db, sql: "SELECT * FROM outbox_recipients WHERE item = ? ORDER BY position", arguments: [id]
        ).map { entry in
            OutboxItem.Recipient(
                address: entry["email"], role: ParticipantRole(rawValue: entry["role"]) ?? .to,
                state: OutboxRecipientState(rawValue: entry["state"]) ?? .waiting, code: entry["code"],
                status: entry["status"], reply: entry["reply"], repliedAt: time(entry["replied_at"]),
                reports: reports[entry["position"]] ?? [])
        }
        return OutboxItem(
            id: OutboxID(rawValue: id), messageID: MessageID(rawValue: row["message_id"]),
            envelopeID: row["envelope_id"], account: AccountID(rawValue: row["account"]),
            accountName: row["account_name"], user: (row["user"] as Int64?).map { UserID(rawValue: $0) },
            requestedBy: row["requested_by"], subject: row["subject"],
            kind: OutboxKind(rawValue: row["kind"]) ?? .single, sender: row["sender"], size: row["size"],
            state: OutboxState(rawValue: row["state"]) ?? .queued, reason: row["reason"],
            remedy: row["remedy"], recipients: recipients, attempts: row["attempts"],
            createdAt: UnixTime(row["created_at"]), notBefore: UnixTime(row["not_before"]),
            nextTry: time(row["next_try"]), finishedAt: time(row["finished_at"]),
            message: (row["message"] as Int64?).map { ArchivedMessageID(rawValue: $0) },
            filingError: row["filing_error"], copy: row["copy"],
            copyError: row["copy_error"], replies: [])
    }
}
