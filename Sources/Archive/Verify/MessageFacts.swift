import GRDB
import MailModel
import Matcher

/// What is stored about a message that its original says too.
struct MessageFacts {
    static let differs = "stored otherwise than the original is read: "

    private let query, participants, attachments: PreparedStatement

    init(_ db: Database) throws {
        query = try PreparedStatement(
            db,
            """
            SELECT message_id, message_id_key, content_digest,
                CASE WHEN e.message IS NULL THEN m.subject ELSE e.own_subject END, date, category, thread,
                CASE WHEN e.message IS NULL THEN m.snippet ELSE e.own_snippet END,
                defects, (SELECT min(id) FROM originals WHERE message = m.id), form_digest
            FROM messages m LEFT JOIN message_edits e ON e.message = m.id
            WHERE m.id = ? AND erased_at IS NULL AND content_digest IS NOT NULL
            """)
        participants = try PreparedStatement(
            db,
            """
            SELECT p.role, p.email, p.name, a.canonical FROM participants p
            LEFT JOIN addresses a ON a.id = p.address WHERE p.message = ? ORDER BY p.position
            """)
        attachments = try PreparedStatement(
            db,
            """
            SELECT filename, content_type, size, sha256, is_inline, content_id FROM attachments
            WHERE message = ? ORDER BY position
            """)
    }

    /// The names of what differs between the rows and a reading of one original; nil when there
    /// is nothing to compare, because the message could not be read or was erased.
    ///
    /// Only the message's first original was where its facts came from. Of the others the
    /// content digest must agree, for that is what made them copies.
    func differences(
        of message: ArchivedMessageID, original: Int64, from content: Content?
    ) throws -> [String]? {
        query.bind(1, message.rawValue)
        return try query.first { row -> [String] in
            guard let content else { return ["it cannot be read"] }
            var differences: [String] = []
            func compare<Value: Equatable>(_ name: String, _ stored: Value, _ read: Value) {
                if stored != read { differences.append(name) }
            }
            let id = content.messageID.flatMap { $0.rawValue.isEmpty ? nil : $0 }
            if id != nil || row.optionalInt64(9) == original {
                compare("content", row.bytes(2), content.contentDigest.bytes)
                if !row.isNull(10), let form = content.formDigest {
                    compare("form of the content", row.bytes(10), form.bytes)
                }
            }
            guard row.optionalInt64(9) == original else { return differences }
            compare("Message-ID", row.optionalText(0), id?.rawValue)
            compare("Message-ID", row.optionalInt64(1), id.map(IngestTransaction.key))
            compare("subject", row.optionalText(3), content.subject)
            compare("date", row.optionalInt64(4), content.date?.rawValue)
            compare(
                "category", row.text(5), (content.isDeliveryReport ? .report : content.category).rawValue)
            compare("thread", row.optionalText(6), IngestTransaction.thread(content))
            compare("first words", row.optionalText(7), content.snippet)
            compare(
                "defects", row.optionalText(8),
                content.defects.isEmpty ? nil : content.defects.joined(separator: " "))
            compare("attachments", try storedAttachments(message), content.attachments.map(\.asStored))
            if try !participantsAgree(message, content.participants) { differences.append("participants") }
            return differences
        }
    }

    private func storedAttachments(_ message: ArchivedMessageID) throws -> [Attachment] {
        var stored: [Attachment] = []
        attachments.bind(1, message.rawValue)
        try attachments.forEachRow { row in
            guard let digest = Digest256(bytes: row.bytes(3)) else { return }
            stored.append(
                Attachment(
                    filename: row.optionalText(0), contentType: row.text(1), size: Int(row.int64(2)),
                    sha256: digest, isInline: row.int64(4) != 0, contentID: row.optionalText(5)))
        }
        return stored
    }

    private struct Party: Hashable {
        var role: String
        var canonical: String
    }

    /// A sender's own copy may have added blind recipients behind those of the original.
    private func participantsAgree(
        _ message: ArchivedMessageID, _ read: [Participant]
    ) throws -> Bool {
        var expected: [[String?]] = []
        var seen: Set<Party> = []
        for participant in read {
            let canonical = CanonicalAddress(participant.mailbox.address).rawValue
            guard seen.insert(Party(role: participant.role.rawValue, canonical: canonical)).inserted else {
                continue
            }
            expected.append([
                participant.role.rawValue, participant.mailbox.address.addrSpec,
                participant.mailbox.displayName, canonical,
            ])
        }
        var stored: [[String?]] = []
        participants.bind(1, message.rawValue)
        try participants.forEachRow { row in
            stored.append([row.text(0), row.text(1), row.optionalText(2), row.optionalText(3)])
        }
        return stored.starts(with: expected)
            && stored.dropFirst(expected.count).allSatisfy { $0[0] == ParticipantRole.bcc.rawValue }
    }
}

extension Attachment {
    /// Without what only a fresh reading knows.
    fileprivate var asStored: Attachment {
        Attachment(
            filename: filename, contentType: contentType, size: size, sha256: sha256, isInline: isInline,
            contentID: contentID)
    }
}
