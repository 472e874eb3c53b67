import Foundation
import GRDB
public import MailModel
public import Matcher

extension Archive {
    /// A contact's history, newest first. An organisation's reads through its people.
    ///
    /// - Throws: `unknown.contact`.
    public func history(
        of contact: ContactID, limit: Int = .max, offset: Int = 0
    ) throws(MailFailure) -> [HistoryEntry] {
        try read { db, sight in
            try Self.requireContact(contact, db, sight)
            // A message that several of an organisation's people took part in stands once.
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT m.id, m.message_id, m.subject, m.date, m.sort_date, m.direction, m.category,
                        m.snippet, m.sender_check, m.sender_check_facts, c.id AS contact, c.name, h.role, h.email, h.linked_by, h.person,
                        h.thread, \(Self.hasAddress) AS has_address,
                        min(c.id <> ?1), (SELECT person FROM message_edits WHERE message = m.id) AS edited_by,
                        \(sight.disclosure(message: "m.id", inHistory: true)) AS disclosure,
                        \(sight.seesBlindRecipients(message: "m.id")) AS sees_blind
                    FROM history h JOIN contacts c ON c.id = h.contact JOIN messages m ON m.id = h.message
                    WHERE h.removed_at IS NULL AND \(sight.reaches(.read, contact: "c"))
                        AND \(sight.sees(inHistory: "h.message"))
                        AND h.contact IN (SELECT ?1 UNION ALL SELECT id FROM contacts WHERE organisation = ?1)
                    GROUP BY h.sort_date, h.message
                    ORDER BY h.sort_date DESC, h.message DESC LIMIT ?2 OFFSET ?3
                    """, arguments: [contact.rawValue, limit, offset])
            return try rows.map { row in
                let message = ArchivedMessageID(rawValue: row["id"])
                let disclosure = Disclosure(rawValue: row["disclosure"]) ?? .presence
                guard disclosure >= .people else { return Self.undisclosed(row, message) }
                let parties = try Self.parties(of: message, db)
                let to = parties.filter { $0.role == .to }
                var entry = HistoryEntry(
                    message: message, messageID: Self.messageID(row), subject: row["subject"],
                    date: Self.time(row["date"]), direction: Self.direction(row),
                    category: Self.category(row),
                    from: parties.first { $0.role == .from }?.address.lowercased(),
                    to: to.map { $0.address.lowercased() },
                    attachments: disclosure == .everything ? try Self.attachments(of: message, db) : [],
                    contact: ContactID(rawValue: row["contact"]), contactName: row["name"],
                    linkedBy: row["person"] ?? "rule",
                    reason: try Self.linkReason(row, of: message, withBlindRecipients: row["sees_blind"], db),
                    snippet: disclosure == .everything ? row["snippet"] : nil, disclosure: disclosure)
                entry.editedBy = row["edited_by"]
                entry.senderCheck = Self.senderCheck(row)
                if entry.direction != .incoming {
                    entry.returned = try ReturnedMail.about(
                        message, withBlindRecipients: row["sees_blind"], db)
                }
                return entry
            }
        }
    }

    /// An entry of which only the presence is seen.
    private static func undisclosed(_ row: Row, _ message: ArchivedMessageID) -> HistoryEntry {
        HistoryEntry(
            message: message, messageID: nil, subject: nil, date: time(row["date"]),
            direction: direction(row), category: category(row), from: nil, to: [], attachments: [],
            contact: ContactID(rawValue: row["contact"]), contactName: row["name"], linkedBy: "rule",
            reason: "a colleague's mail", snippet: nil, disclosure: .presence)
    }

    public func historyCount(of contact: ContactID) throws(MailFailure) -> Int {
        try read { db, sight in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT count(DISTINCT h.message) FROM history h JOIN contacts c ON c.id = h.contact
                    WHERE h.removed_at IS NULL AND \(sight.reaches(.read, contact: "c"))
                        AND \(sight.sees(inHistory: "h.message"))
                        AND h.contact IN (SELECT ?1 UNION ALL SELECT id FROM contacts WHERE organisation = ?1)
                    """, arguments: [contact.rawValue]) ?? 0
        }
    }

    /// - Throws: `unknown.message`.
    public func message(_ id: ArchivedMessageID) throws(MailFailure) -> ArchivedMessage {
        try read { db, sight in
            let found = try Row.fetchOne(
                db,
                sql: """
                    SELECT m.*, r.pattern, \(sight.disclosure(message: "m.id")) AS disclosure,
                        \(sight.seesBlindRecipients(message: "m.id")) AS sees_blind
                    FROM messages m LEFT JOIN ignore_rules r ON r.id = m.ignored_by
                    WHERE m.id = ?
                    """, arguments: [id.rawValue])
            guard let row = found, let disclosure = Disclosure(rawValue: row["disclosure"]) else {
                throw Self.unknownMessage(id.description)
            }
            guard disclosure >= .people else { return Self.undisclosed(row, id) }
            let seesAll = disclosure == .everything
            let seesBlind: Bool = row["sees_blind"]
            let parties = try Self.parties(of: id, db)
            let shown = parties.filter { seesBlind || $0.role != .bcc }
            let defects: String? = row["defects"]
            var message = ArchivedMessage(
                id: id, messageID: Self.messageID(row), subject: row["subject"], date: Self.time(row["date"]),
                direction: Self.direction(row), category: Self.category(row),
                state: LedgerState(rawValue: row["state"]) ?? .review, stateReason: row["reason"],
                // It may name a blind recipient.
                ignoredBy: shown.count == parties.count ? row["pattern"] : nil,
                snippet: seesAll ? row["snippet"] : nil,
                defects: (defects ?? "").split(separator: " ").map(String.init),
                participants: shown,
                attachments: seesAll ? try Self.attachments(of: id, db) : [],
                copies: try Self.copies(of: id, db, sight),
                links: try Self.links(of: id, withBlindRecipients: seesBlind, db, sight),
                questions: try Self.questions(of: id, db, sight), disclosure: disclosure)
            message.edited = try Self.editNote(of: id, db, sight)
            message.senderCheck = Self.senderCheck(row)
            message.returned = try ReturnedMail.about(id, withBlindRecipients: seesBlind, db)
            message.reportsOn = try ReturnedMail.told(by: id, db, sight)
            return message
        }
    }

    /// A message of which only the presence is seen.
    private static func undisclosed(_ row: Row, _ id: ArchivedMessageID) -> ArchivedMessage {
        ArchivedMessage(
            id: id, messageID: nil, subject: nil, date: time(row["date"]), direction: direction(row),
            category: category(row), state: LedgerState(rawValue: row["state"]) ?? .review,
            stateReason: nil, ignoredBy: nil, snippet: nil, defects: [], participants: [], attachments: [],
            copies: [], links: [], questions: [], disclosure: .presence)
    }

    /// The messages that carry this Message-ID; a forged one may be among them.
    public func messages(withID messageID: MessageID) throws(MailFailure) -> [ArchivedMessageID] {
        try read { db, sight in
            try Int64.fetchAll(
                db,
                sql: """
                    SELECT id FROM messages WHERE message_id_key = ? AND message_id = ?
                        AND \(sight.disclosure(message: "messages.id")) >= \(Disclosure.people.rawValue)
                    ORDER BY id
                    """,
                arguments: [IngestTransaction.key(messageID), messageID.rawValue]
            ).map { ArchivedMessageID(rawValue: $0) }
        }
    }

    /// The exact bytes of the first copy that the viewer sees, checked against their digest.
    ///
    /// - Throws: `unknown.message`, `archive.original-damaged`; `rights.undisclosed` when the
    ///   message is seen, and its text is not.
    public func original(of message: ArchivedMessageID) throws(MailFailure) -> MessageBytes {
        try original("o.message = ?", message.rawValue)
    }

    /// The exact bytes of one copy.
    ///
    /// - Throws: as for a message's.
    public func original(_ id: OriginalID) throws(MailFailure) -> MessageBytes {
        try original("o.id = ?", id.rawValue)
    }

    /// The bytes that a message is shown from; not to be handed out (`readable`).
    func shownOriginal(of id: ArchivedMessageID) throws(MailFailure) -> MessageBytes {
        try original("o.message = ?", id.rawValue, isHandedOut: false)
    }

    private func original(
        _ condition: String, _ id: Int64, isHandedOut: Bool = true
    ) throws(MailFailure) -> MessageBytes {
        let found = try read { db, sight in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT o.sha256, o.pack, o.offset, o.size, o.erasure,
                        \(sight.disclosure(original: "o")) AS disclosure,
                        \(isHandedOut ? sight.seesUnedited(original: "o") : "1") AS is_unedited
                    FROM originals o WHERE \(condition) AND disclosure > 0
                    ORDER BY disclosure DESC, is_unedited DESC, o.id LIMIT 1
                    """, arguments: [id])
            return try row.map { row in
                guard row["disclosure"] == Disclosure.everything.rawValue else { throw Self.undisclosed }
                guard row["is_unedited"] else { throw Self.replaced }
                guard row[4] == nil else { throw Self.erased(String(id)) }
                return (
                    Self.digest(row[0]),
                    OriginalsStore.Placement(pack: row[1], offset: row[2], size: row[3])
                )
            }
        }
        guard let (digest, placement) = found, let digest else { throw Self.unknownMessage(String(id)) }
        return try originals.read(placement, digest: digest)
    }

    private static let replaced = MailFailure(
        .undisclosed, kind: .needsPerson, "The message was edited, and what came is not for everybody",
        remedy:
            "Its text is shown by mailworker message show; the user of the mailbox and those who review it may "
            + "read the original.")

    static let undisclosed = MailFailure(
        .undisclosed, kind: .needsPerson, "Its user keeps the text of this mail from colleagues",
        remedy: "Ask the user of the mailbox; what colleagues see is a setting of the account.")

    // MARK: - Parts

    static func digest(_ data: Data) -> Digest256? { Digest256(bytes: data) }

    private static func messageID(_ row: Row) -> MessageID? {
        (row["message_id"] as String?).map { MessageID(rawValue: $0) }
    }

    private static func direction(_ row: Row) -> Direction {
        Direction(rawValue: row["direction"]) ?? .incoming
    }

    private static func category(_ row: Row) -> MessageCategory {
        MessageCategory(rawValue: row["category"]) ?? .personal
    }

    /// Whether the contact of a link `h` has an address in its message.
    private static let hasAddress = """
        EXISTS (SELECT 1 FROM participants p JOIN contact_addresses ca ON ca.address = p.address
            WHERE p.message = h.message AND ca.contact = h.contact)
        """

    static func senderCheck(_ row: Row) -> SenderCheck? {
        (row["sender_check"] as String?).flatMap(SenderCheck.Outcome.init).map {
            SenderCheck(outcome: $0, facts: row["sender_check_facts"])
        }
    }

    /// One sentence from a row of `history`.
    private static func linkReason(
        _ row: Row, of message: ArchivedMessageID, withBlindRecipients seesBlind: Bool, _ db: Database
    ) throws -> String {
        if !seesBlind, row["role"] == ParticipantRole.bcc.rawValue { return "a recipient who is not shown" }
        let email: String? = row["email"]
        let address = (email ?? "").lowercased()
        let field = (row["role"] as String?).map {
            $0.split(separator: "-").map(\.capitalized).joined(separator: "-")
        }
        let linkedBy: String = row["linked_by"]
        if linkedBy != "person" {
            if let answered = row["thread"] as Int64? {
                return "\(address) answers message \(answered), which we sent"
            }
            if !row["has_address"] {
                // What it answers may have been in the outbox still, or be erased by now.
                let answers = try ThreadReference.all(of: message, db, .administrator).contains(
                    where: \.isOurs)
                return answers
                    ? "\(address) answers mail that we sent"
                    : "\(address) in \(field ?? ""), an address that the contact has no more"
            }
        }
        switch linkedBy {
        case "arrival": return "\(address) in \(field ?? "")"
        case "new-address": return "\(address) in \(field ?? ""), since the contact was given that address"
        default: return "decided by a person"
        }
    }

    private static func parties(
        of message: ArchivedMessageID, _ db: Database
    ) throws -> [ArchivedMessage.Party] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT p.role, p.email, p.name, a.canonical,
                        EXISTS (SELECT 1 FROM users WHERE address = p.address)
                            OR EXISTS (SELECT 1 FROM accounts WHERE address = p.address)
                    FROM participants p JOIN addresses a ON a.id = p.address
                    WHERE p.message = ? ORDER BY p.position
                    """), arguments: [message.rawValue]
        ).map { row in
            ArchivedMessage.Party(
                role: ParticipantRole(rawValue: row[0]) ?? .to, address: row[1], name: row[2],
                canonical: CanonicalAddress(rawValue: row[3]), isOwn: row[4])
        }
    }

    private static func attachments(
        of message: ArchivedMessageID, _ db: Database
    ) throws -> [Attachment] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT filename, content_type, size, sha256, is_inline, content_id
                    FROM attachments WHERE message = ? ORDER BY position
                    """), arguments: [message.rawValue]
        ).compactMap { row in
            digest(row[3]).map {
                Attachment(
                    filename: row[0], contentType: row[1], size: row[2], sha256: $0, isInline: row[4],
                    contentID: row[5])
            }
        }
    }

    private static func copies(
        of message: ArchivedMessageID, _ db: Database, _ sight: Sight
    ) throws -> [ArchivedMessage.Copy] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT a_.name AS account, f_.name AS folder, l.*, o.sha256 AS sha256,
                    (SELECT labels FROM gmail_marks g WHERE g.folder = l.folder
                        AND g.uidvalidity = l.uidvalidity AND g.uid = l.uid) AS labels
                FROM ledger l JOIN folders f_ ON f_.id = l.folder JOIN accounts a_ ON a_.id = f_.account
                    JOIN originals o ON o.id = l.original
                WHERE l.message = ? AND \(sight.seesPlace(message: "l.message"))
                ORDER BY l.state = 'duplicate', l.recorded_at, a_.name, f_.name, l.uid
                """, arguments: [message.rawValue]
        ).compactMap { row in
            digest(row["sha256"]).map {
                ArchivedMessage.Copy(
                    account: row["account"], folder: row["folder"],
                    uidValidity: UInt32(clamping: row["uidvalidity"] as Int64),
                    uid: UInt32(clamping: row["uid"] as Int64),
                    state: LedgerState(rawValue: row["state"]) ?? .review, reason: row["reason"],
                    original: OriginalID(rawValue: row["original"]), size: row["size"] ?? 0, sha256: $0,
                    internalDate: time(row["internal_date"]), recordedAt: UnixTime(row["recorded_at"]),
                    vanishedAt: time(row["vanished_at"]), labels: GmailCopy.labels(row["labels"]))
            }
        }
    }

    private static func links(
        of message: ArchivedMessageID, withBlindRecipients seesBlind: Bool, _ db: Database, _ sight: Sight
    ) throws -> [ArchivedMessage.Link] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT h.*, c.name, \(Self.hasAddress) AS has_address FROM history h JOIN contacts c ON c.id = h.contact
                WHERE h.message = ? AND \(sight.sees(contact: "c")) ORDER BY h.contact
                """, arguments: [message.rawValue]
        ).map { row in
            ArchivedMessage.Link(
                contact: ContactID(rawValue: row["contact"]), contactName: row["name"],
                linkedBy: row["person"] ?? "rule",
                reason: try linkReason(row, of: message, withBlindRecipients: seesBlind, db),
                linkedAt: UnixTime(row["linked_at"]), removedAt: time(row["removed_at"]),
                removedBy: row["removed_by"])
        }
    }

    private static func questions(
        of message: ArchivedMessageID, _ db: Database, _ sight: Sight
    ) throws -> [ArchivedMessage.Question] {
        let warnings = try WarningSight(db, sight)
        return try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM review_items r WHERE message = ? AND \(sight.seesAddress(item: "r")) ORDER BY id
                """, arguments: [message.rawValue]
        ).map { row in
            ArchivedMessage.Question(
                item: ReviewItemID(rawValue: row["id"]), reason: try warnings.shown(row["reason"] as String),
                state: row["state"],
                openedAt: UnixTime(row["opened_at"]), resolvedAt: time(row["resolved_at"]),
                resolvedBy: row["resolved_by"])
        }
    }
}
