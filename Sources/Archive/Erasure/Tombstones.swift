import GRDB
import MailModel

/// Tells whether an arrival is a copy of a message that was erased: such bytes are not written.
struct Tombstones {
    private let find: PreparedStatement
    private let nameless: PreparedStatement

    /// Nil when nothing was ever erased.
    init?(_ db: Database) throws {
        let any = try PreparedStatement(db, "SELECT 1 FROM originals WHERE erasure IS NOT NULL LIMIT 1")
        guard try any.first({ _ in true }) != nil else { return nil }
        find = try PreparedStatement(
            db,
            """
            SELECT 1 FROM messages
            WHERE message_id_key = ?1 AND content_digest = ?2 AND erased_at IS NOT NULL
                AND \(IngestTransaction.Statements.hasForm("?3"))
            """)
        nameless = try PreparedStatement(db, Self.nameless)
    }

    /// The erased message without a Message-ID that has this content, and its first original.
    ///
    /// Sender, recipients, subject and date are part of the content's digest. Two living messages like that stay two, since
    /// only equal bytes prove them one.
    static let nameless = """
        SELECT id, (SELECT min(id) FROM originals WHERE message = messages.id) FROM messages
        WHERE content_digest = ?1 AND message_id_key IS NULL AND erased_at IS NOT NULL
            AND \(IngestTransaction.Statements.hasForm("?2"))
        """

    func has(_ arrival: Arrival) throws -> Bool {
        guard let content = arrival.content else { return false }
        guard let id = content.messageID, !id.rawValue.isEmpty else {
            guard Self.canTell(content) else { return false }
            try nameless.bind(1, content.contentDigest.bytes)
            try nameless.bind(2, content.formDigest?.bytes)
            return try nameless.first { _ in true } != nil
        }
        find.bind(1, IngestTransaction.key(id))
        try find.bind(2, content.contentDigest.bytes)
        try find.bind(3, content.formDigest?.bytes)
        return try find.first { _ in true } != nil
    }

    /// What has no date either may be another mail of a program that says the same each time.
    static func canTell(_ content: Content) -> Bool { content.date != nil }
}
