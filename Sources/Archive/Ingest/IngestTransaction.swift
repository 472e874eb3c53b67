import Crypto
import GRDB
import MailModel
import Matcher

/// One transaction of `Archive.ingest`: its compiled statements, and what it has
/// looked up already. Lives inside the transaction only, so that nothing it
/// remembers can be out of date.
final class IngestTransaction {
    let db: Database
    private let placements: [Digest256: OriginalsStore.Placement]
    let time: UnixTime
    let bounces: BounceRule
    let addresses: AddressBook
    let decisions: Decisions
    let judgement: Judgement
    let policy: MatchPolicy
    /// Nil where no leads are made without asking.
    let leads: AutomaticLeads?
    private let notices: NoticeRaising
    let statements: Statements
    private var folderRoles: [FolderID: Bool] = [:]
    /// Originals that were appended and are of erased messages.
    private(set) var unwanted: [Digest256: OriginalsStore.Placement] = [:]

    init(
        _ db: Database, placements: [Digest256: OriginalsStore.Placement], time: UnixTime,
        policy: MatchPolicy, bounces: BounceRule, undo: UndoLog.Bounds
    ) throws {
        self.db = db
        self.placements = placements
        self.time = time
        self.policy = policy
        self.bounces = bounces
        addresses = try AddressBook(db)
        decisions = try Decisions(db, time: time)
        judgement = try Judgement(db, policy: policy)
        leads =
            policy.leads == .off
            ? nil : try AutomaticLeads(db, policy, addresses: addresses, undo: undo, time: time)
        notices = try NoticeRaising(db, time: time)
        statements = try Statements(db)
    }

    func record(_ arrival: Arrival) throws -> IngestOutcome {
        if let uid = arrival.uid, try isKnown(arrival, uid) { return .alreadyKnown }
        try statements.original.bind(1, arrival.originalDigest.bytes)
        let known = try statements.original.first { row in
            Known(
                message: ArchivedMessageID(rawValue: row.int64(1)), original: row.int64(0),
                isErased: !row.isNull(2))
        }
        if let known { return try recordKnown(arrival, known) }
        if let content = arrival.content, let like = try message(like: content) {
            if let tombstone = like.erasedOriginal {
                return try recordKnown(
                    arrival, Known(message: like.message, original: tombstone, isErased: true))
            }
            let original = try insertOriginal(arrival, message: like.message)
            return try recordCopy(arrival, of: like.message, original: original, isErased: false)
        }
        return try recordMessage(arrival)
    }

    /// An original that is here, or the tombstone of one.
    private struct Known {
        var message: ArchivedMessageID
        var original: Int64
        var isErased: Bool
    }

    private func recordKnown(_ arrival: Arrival, _ known: Known) throws -> IngestOutcome {
        if known.isErased { unwanted[arrival.originalDigest] = placements[arrival.originalDigest] }
        if arrival.uid == nil,
            try isInFolder(arrival.folder, message: known.message, original: known.original)
        {
            return .duplicate(of: known.message)
        }
        return try recordCopy(
            arrival, of: known.message, original: known.original, isErased: known.isErased)
    }

    /// Writes where the pack ends now, with the originals that this speaks of.
    func move(_ end: OriginalsStore.PackEnd) throws {
        statements.movePack.bind(1, end.end)
        try statements.movePack.bind(2, end.chain)
        statements.movePack.bind(3, end.pack)
        try statements.movePack.run()
    }

    // MARK: - A copy of a message that is here

    private func recordCopy(
        _ arrival: Arrival, of message: ArchivedMessageID, original: Int64, isErased: Bool
    ) throws -> IngestOutcome {
        try insertLedgerRow(arrival, .duplicate, reason: nil, message: message, original: original)
        if !isErased, let content = arrival.content {
            try adoptReports(on: message, content, in: arrival.folder)
        }
        if !isErased, let content = arrival.content, try isSenderCopy(arrival.folder) {
            try acknowledge(message, in: arrival.folder)
            if content.participants.contains(where: { $0.role == .bcc }) {
                try addBlindRecipients(of: content, to: message)
            }
        }
        return .duplicate(of: message)
    }

    // MARK: - A new message

    private func recordMessage(_ arrival: Arrival) throws -> IngestOutcome {
        guard let content = arrival.content else { return try recordUnreadable(arrival) }
        var participants: [KnownParticipant] = []
        var ids: [Int64] = []
        var seen: Set<Seen> = []
        participants.reserveCapacity(content.participants.count)
        for participant in content.participants {
            let entry = try addresses.entry(participant.mailbox.address)
            guard seen.insert(Seen(role: participant.role, address: entry.id)).inserted else { continue }
            ids.append(entry.id)
            participants.append(
                KnownParticipant(
                    participant: participant, canonical: entry.canonical, standing: entry.standing))
        }
        let circumstances = try judgement.circumstances(of: content, participants, in: arrival.folder)
        var result = try judgement.match(participants, circumstances)
        let reported = try reported(in: content, circumstances.senderCheck)
        let others = reported.isEmpty ? try otherReports(in: content, folder: arrival.folder) : []
        // It belongs to the mail that it reports on, and to no contact by itself.
        if !reported.isEmpty || others.contains(where: { $0.message != nil }) { result.verdict = .linked([]) }
        let sortDate = sortDate(content.date, arrival)
        let state: MessageState
        var reason: String?
        var rule: IgnoreRuleID?
        switch result.verdict {
        case .linked: state = .archived
        case .review: state = .review
        case .ignored(let id):
            state = .ignored
            reason = Decisions.ruleReason
            rule = id
        case .internal:
            state = .ignored
            reason = Decisions.internalReason
        }
        let message = try insertMessage(
            MessageRow(
                content: content, sortDate: sortDate, direction: result.direction,
                state: state, reason: reason, rule: rule, senderCheck: circumstances.senderCheck))
        for (position, (known, id)) in zip(participants, ids).enumerated() {
            try insertParticipant(known.participant, address: id, message: message, position: Int64(position))
        }
        for (position, attachment) in content.attachments.enumerated() {
            try insertAttachment(attachment, message: message, position: position)
        }
        let original = try insertOriginal(arrival, message: message)
        try insertLedgerRow(
            arrival, LedgerState(state), reason: reason, message: message, original: original)
        try file(reported, as: message, at: sortDate)
        try OtherReportFiling(db: db, time: time).file(others, as: message, at: sortDate)
        if result.direction != .incoming { try adoptReports(on: message, content, in: arrival.folder) }
        switch result.verdict {
        case .linked(let contacts):
            for contact in contacts {
                try decisions.link(message, contact: contact, by: .arrival, sortDate: sortDate)
            }
            try notices.consider(
                message, content, result.direction, of: contacts, received: arrival.internalDate ?? sortDate)
            return .linked(message, contacts: contacts.map(\.contact))
        case .review(let subject):
            let address = try subject.participant.map { try addresses.entry($0.mailbox.address).id }
            try decisions.open(
                message, address: address, email: subject.participant?.mailbox.address.lowercased,
                reason: subject.reason, kind: subject.kind, sortDate: sortDate)
            let made = try leads?.consider(
                AutomaticLeads.Waiting(
                    message: message, item: ReviewItemID(rawValue: db.lastInsertedRowID),
                    folder: arrival.folder,
                    subject: subject, content: content, direction: result.direction,
                    senderCheck: circumstances.senderCheck?.outcome))
            return made.map { .linked(message, contacts: [$0]) } ?? .review(message)
        case .ignored(let rule): return .ignored(message, rule: rule)
        case .internal: return .ignored(message, rule: nil)
        }
    }

    /// The recipients of mail of ours that a message reports on.
    ///
    /// - Parameter check: what the server that took it in says of its author.
    func reported(in content: Content, _ check: SenderCheck?) throws -> [ReportFiling.Place] {
        guard let report = content.returned else { return [] }
        let author = ReportVouching.Author(
            address: content.participants.first { $0.role == .from }?.mailbox.address, check: check)
        return try ReportFiling(db: db, time: time, rule: bounces).places(report, by: author)
    }

    func file(_ places: [ReportFiling.Place], as message: ArchivedMessageID, at date: UnixTime) throws {
        guard !places.isEmpty else { return }
        try ReportFiling(db: db, time: time, rule: bounces).file(places, as: message, at: date)
    }

    /// What a message reports on mail that is not of the outbox.
    func otherReports(in content: Content, folder: FolderID) throws -> [OtherReportFiling.Claim] {
        guard let report = content.returned else { return [] }
        return try OtherReportFiling(db: db, time: time).claims(report, in: folder)
    }

    /// Reports that came before the mail which they are about was found in its Sent folder.
    private func adoptReports(on mail: ArchivedMessageID, _ content: Content, in folder: FolderID) throws {
        guard let named = content.messageID, content.returned == nil, try isSenderCopy(folder) else { return }
        for report in try OtherReportFiling(db: db, time: time).adopt(mail, named: named)
        where try decisions.facts(of: report)?.state == .review {
            try decisions.settle(report, as: .archived, resolution: .linked, by: "rule")
        }
    }

    private func recordUnreadable(_ arrival: Arrival) throws -> IngestOutcome {
        let sortDate = sortDate(nil, arrival)
        let message = try insertMessage(
            MessageRow(
                content: nil, sortDate: sortDate, direction: .incoming, state: .quarantined,
                reason: Decisions.unreadableReason, rule: nil, senderCheck: nil))
        let original = try insertOriginal(arrival, message: message)
        try insertLedgerRow(
            arrival, .quarantined, reason: Decisions.unreadableReason, message: message, original: original)
        try db.execute(
            sql: "UPDATE messages SET parser_version = ? WHERE id = ?",
            arguments: [arrival.parserVersion, message.rawValue])
        try decisions.open(
            message, address: nil, email: nil, reason: Decisions.unreadableReason, kind: .unreadable,
            sortDate: sortDate)
        return .quarantined(message)
    }

    /// A date that lies in the future would stand above everything for ever.
    private func sortDate(_ date: UnixTime?, _ arrival: Arrival) -> UnixTime {
        let received = min(arrival.internalDate ?? time, time)
        guard let date, date <= received.advanced(bySeconds: 86_400) else { return received }
        return date
    }

    // MARK: - Rows

    struct Seen: Hashable {
        var role: ParticipantRole
        var address: Int64
    }

    private struct MessageRow {
        var content: Content?
        var sortDate: UnixTime
        var direction: Direction
        var state: MessageState
        var reason: String?
        var rule: IgnoreRuleID?
        var senderCheck: SenderCheck?
    }

    private func insertMessage(_ row: MessageRow) throws -> ArchivedMessageID {
        let insert = statements.insertMessage
        let content = row.content
        let messageID = content?.messageID.flatMap { $0.rawValue.isEmpty ? nil : $0 }
        try insert.bind(1, messageID?.rawValue)
        insert.bind(2, messageID.map(Self.key))
        try insert.bind(3, content?.contentDigest.bytes)
        try insert.bind(4, content?.subject)
        insert.bind(5, content?.date?.rawValue)
        insert.bind(6, row.sortDate.rawValue)
        try insert.bind(7, row.direction.rawValue)
        let category = content.map { $0.isDeliveryReport ? .report : $0.category } ?? .personal
        try insert.bind(8, category.rawValue)
        try insert.bind(9, row.state.rawValue)
        try insert.bind(10, row.reason)
        insert.bind(11, row.rule?.rawValue)
        try insert.bind(12, content.flatMap(Self.thread))
        try insert.bind(13, content?.snippet)
        try insert.bind(14, content.flatMap { $0.defects.isEmpty ? nil : $0.defects.joined(separator: " ") })
        insert.bind(15, time.rawValue)
        try insert.bind(16, row.senderCheck?.outcome.rawValue)
        try insert.bind(17, row.senderCheck?.facts)
        // It serves to find out whose a message is; where that is known nothing of it is kept.
        try insert.bind(18, row.state == .review ? content?.signature : nil)
        try insert.bind(19, content?.formDigest?.bytes)
        try insert.run()
        return ArchivedMessageID(rawValue: db.lastInsertedRowID)
    }

    func insertParticipant(
        _ participant: Participant, address: Int64, message: ArchivedMessageID, position: Int64
    ) throws {
        let insert = statements.insertParticipant
        insert.bind(1, message.rawValue)
        insert.bind(2, position)
        try insert.bind(3, participant.role.rawValue)
        insert.bind(4, address)
        try insert.bind(5, participant.mailbox.address.addrSpec)
        try insert.bind(6, participant.mailbox.displayName)
        try insert.run()
    }

    func insertAttachment(
        _ attachment: Attachment, message: ArchivedMessageID, position: Int
    ) throws {
        let insert = statements.insertAttachment
        insert.bind(1, message.rawValue)
        insert.bind(2, position)
        try insert.bind(3, attachment.filename)
        try insert.bind(4, attachment.contentType)
        insert.bind(5, attachment.size)
        try insert.bind(6, attachment.sha256.bytes)
        insert.bind(7, attachment.isInline)
        try insert.bind(8, attachment.contentID)
        try insert.run()
    }

    private func insertOriginal(_ arrival: Arrival, message: ArchivedMessageID) throws -> Int64 {
        guard let placement = placements[arrival.originalDigest] else {
            throw DatabaseError(resultCode: .SQLITE_CONSTRAINT, message: "an original is not in any pack")
        }
        let insert = statements.insertOriginal
        try insert.bind(1, arrival.originalDigest.bytes)
        insert.bind(2, placement.pack)
        insert.bind(3, placement.offset)
        insert.bind(4, placement.size)
        insert.bind(5, message.rawValue)
        try insert.run()
        return db.lastInsertedRowID
    }

    private func insertLedgerRow(
        _ arrival: Arrival, _ state: LedgerState, reason: String?, message: ArchivedMessageID,
        original: Int64
    ) throws {
        let uid = try arrival.uid ?? nextUID(arrival)
        let insert = statements.insertLedgerRow
        bindPlace(insert, arrival, uid)
        try insert.bind(4, state.rawValue)
        try insert.bind(5, reason)
        insert.bind(6, message.rawValue)
        insert.bind(7, original)
        insert.bind(8, arrival.original.count)
        insert.bind(9, arrival.internalDate?.rawValue)
        insert.bind(10, time.rawValue)
        try insert.run()
    }

    private func nextUID(_ arrival: Arrival) throws -> UID {
        statements.lastUID.bind(1, arrival.folder.rawValue)
        statements.lastUID.bind(2, Int64(arrival.uidValidity.rawValue))
        let last = try statements.lastUID.first { $0.int64(0) } ?? 0
        guard last < Int64(UInt32.max) else {
            throw DatabaseError(resultCode: .SQLITE_CONSTRAINT, message: "the folder has no number left")
        }
        return UID(UInt32(last + 1))
    }

    func bindPlace(_ statement: PreparedStatement, _ arrival: Arrival, _ uid: UID) {
        statement.bind(1, arrival.folder.rawValue)
        statement.bind(2, Int64(arrival.uidValidity.rawValue))
        statement.bind(3, Int64(uid.rawValue))
    }

    // MARK: - Questions

    /// The message with this Message-ID and this content. Without a Message-ID only
    /// equal bytes make two copies one; but an erased message is not let in again for that.
    func message(
        like content: Content
    ) throws -> (message: ArchivedMessageID, erasedOriginal: Int64?)? {
        guard let messageID = content.messageID, !messageID.rawValue.isEmpty else {
            guard Tombstones.canTell(content) else { return nil }
            try statements.namelessTombstone.bind(1, content.contentDigest.bytes)
            try statements.namelessTombstone.bind(2, content.formDigest?.bytes)
            return try statements.namelessTombstone.first { row in
                (ArchivedMessageID(rawValue: row.int64(0)), row.optionalInt64(1))
            }
        }
        statements.message.bind(1, Self.key(messageID))
        try statements.message.bind(2, content.contentDigest.bytes)
        try statements.message.bind(3, messageID.rawValue)
        try statements.message.bind(4, content.formDigest?.bytes)
        return try statements.message.first { row in
            (ArchivedMessageID(rawValue: row.int64(0)), row.optionalInt64(1))
        }
    }

    private func isInFolder(_ folder: FolderID, message: ArchivedMessageID, original: Int64) throws -> Bool {
        statements.isInFolder.bind(1, message.rawValue)
        statements.isInFolder.bind(2, folder.rawValue)
        statements.isInFolder.bind(3, original)
        return try statements.isInFolder.first { _ in true } != nil
    }

    private func isSenderCopy(_ folder: FolderID) throws -> Bool {
        if let known = folderRoles[folder] { return known }
        statements.isSenderCopy.bind(1, folder.rawValue)
        let isSenderCopy = try statements.isSenderCopy.first { $0.int64(0) != 0 } ?? false
        folderRoles[folder] = isSenderCopy
        return isSenderCopy
    }

    // MARK: - Derived values

    /// The number under which a Message-ID is indexed.
    static func key(_ messageID: MessageID) -> Int64 {
        SHA256.hash(data: Array(messageID.rawValue.utf8)).prefix(8)
            .reduce(Int64(0)) { $0 << 8 | Int64($1) }
    }

    /// The messages that this one answers, the nearest first; a reply to a reply
    /// names them all, so that a few are enough.
    static func thread(_ content: Content) -> String? {
        var ids: [String] = []
        for id in content.inReplyTo + content.references.reversed()
        where !ids.contains(id.rawValue) && !id.rawValue.contains(" ") {
            ids.append(id.rawValue)
            if ids.count == 20 { break }
        }
        return ids.isEmpty ? nil : ids.joined(separator: " ")
    }
}

extension IngestTransaction {
    struct Statements {
        let isRecorded, original, message, isInFolder, isSenderCopy, lastUID: PreparedStatement
        let insertMessage, insertOriginal, insertParticipant, insertAttachment: PreparedStatement
        let insertLedgerRow, movePack, namelessTombstone: PreparedStatement

        /// Whether the body of a message is read as that of an arrival. Of one of them it may be unknown.
        static func hasForm(_ digest: String) -> String {
            "(form_digest IS NULL OR \(digest) IS NULL OR form_digest = \(digest))"
        }

        init(_ db: Database) throws {
            isRecorded = try PreparedStatement(
                db,
                """
                SELECT l.vanished_at IS NOT NULL, l.message IS NOT NULL, o.sha256
                FROM ledger l LEFT JOIN originals o ON o.id = l.original
                WHERE l.folder = ? AND l.uidvalidity = ? AND l.uid = ?
                """)
            original = try PreparedStatement(
                db, "SELECT id, message, erasure FROM originals WHERE sha256 = ?")
            message = try PreparedStatement(
                db,
                """
                SELECT id, CASE WHEN erased_at IS NOT NULL THEN
                    (SELECT min(id) FROM originals WHERE message = messages.id) END
                FROM messages WHERE message_id_key = ?1 AND content_digest = ?2
                    AND (message_id = ?3 OR erased_at IS NOT NULL) AND \(Self.hasForm("?4"))
                ORDER BY form_digest IS NULL LIMIT 1
                """)
            namelessTombstone = try PreparedStatement(db, Tombstones.nameless)
            isInFolder = try PreparedStatement(
                db, "SELECT 1 FROM ledger WHERE message = ? AND folder = ? AND original = ?")
            isSenderCopy = try PreparedStatement(
                db,
                """
                SELECT f.role = 'sent' OR a.kind = 'import' FROM folders f
                JOIN accounts a ON a.id = f.account WHERE f.id = ?
                """)
            lastUID = try PreparedStatement(
                db, "SELECT max(uid) FROM ledger WHERE folder = ? AND uidvalidity = ?")
            insertMessage = try PreparedStatement(
                db,
                """
                INSERT INTO messages(message_id, message_id_key, content_digest, subject, date,
                    sort_date, direction, category, state, reason, ignored_by, thread, snippet, defects,
                    created_at, sender_check, sender_check_facts, signature, form_digest)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
            insertOriginal = try PreparedStatement(
                db, "INSERT INTO originals(sha256, pack, offset, size, message) VALUES (?, ?, ?, ?, ?)")
            insertParticipant = try PreparedStatement(
                db,
                """
                INSERT INTO participants(message, position, role, address, email, name)
                VALUES (?, ?, ?, ?, ?, ?)
                """)
            insertAttachment = try PreparedStatement(
                db,
                """
                INSERT INTO attachments(message, position, filename, content_type, size, sha256, is_inline,
                    content_id)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """)
            insertLedgerRow = try PreparedStatement(
                db,
                """
                INSERT INTO ledger(folder, uidvalidity, uid, state, reason, message, original, size,
                    internal_date, recorded_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
            movePack = try PreparedStatement(
                db, "UPDATE packs SET committed_end = ?, chain = ? WHERE id = ?")
        }
    }
}
