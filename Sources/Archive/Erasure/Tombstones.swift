import GRDB
import MailModel

/// Tells whether an arrival is a copy of a message that was erased: such bytes are not written.
struct Tombstones {
    private let find: PreparedStatement

    /// Nil when nothing was ever erased.
    init?(_ db: Database) throws {
        let any = try PreparedStatement(db, "SELECT 1 FROM originals WHERE erasure IS NOT NULL LIMIT 1")
        guard try any.first({ _ in true }) != nil else { return nil }
        find = try PreparedStatement(
            db,
            """
            SELECT 1 FROM messages
            WHERE message_id_key = ? AND content_digest = ? AND erased_at IS NOT NULL
            """)
    }

    func has(_ arrival: Arrival) throws -> Bool {
        guard let content = arrival.content, let id = content.messageID, !id.rawValue.isEmpty else {
            return false
        }
        find.bind(1, IngestTransaction.key(id))
        try find.bind(2, content.contentDigest.bytes)
        return try find.first { _ in true } != nil
    }
}
