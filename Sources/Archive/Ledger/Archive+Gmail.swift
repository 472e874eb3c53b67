import Foundation
import GRDB
public import MailModel

/// What Gmail says of a message in one label's folder (X-GM-EXT-1).
public struct GmailCopy: Sendable, Hashable {
    public var uid: UID
    public var messageID: UInt64
    public var threadID: UInt64
    public var labels: [String]
    public var size: Int?
    public var internalDate: UnixTime?

    public init(
        uid: UID, messageID: UInt64, threadID: UInt64, labels: [String], size: Int? = nil,
        internalDate: UnixTime? = nil
    ) {
        self.uid = uid
        self.messageID = messageID
        self.threadID = threadID
        self.labels = labels
        self.size = size
        self.internalDate = internalDate
    }

    /// Out of their column.
    static func labels(_ json: String?) -> [String] {
        json.flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) } ?? []
    }
}

extension Archive {
    /// Notes what Gmail says, and gives each message that is here under another label of the same account its
    /// ledger row as a duplicate: it need not be fetched again.
    ///
    /// - Returns: the UIDs that have their row by it.
    public func recordGmail(
        _ copies: [GmailCopy], in folder: FolderID, _ uidValidity: UIDValidity
    ) throws(MailFailure) -> UIDSet {
        let copies = copies.filter { $0.messageID != 0 }
        guard !copies.isEmpty else { return UIDSet() }
        let time = now()
        return try write(.gmailRecorded) { db in
            let statements = try GmailStatements(db)
            var recorded: [UID] = []
            for copy in copies {
                if try statements.record(copy, folder, uidValidity, at: time) { recorded.append(copy.uid) }
            }
            return UIDSet(recorded)
        }
    }
}

private struct GmailStatements {
    let note, known, insert: PreparedStatement

    init(_ db: Database) throws {
        note = try PreparedStatement(
            db,
            """
            INSERT INTO gmail_marks(folder, uidvalidity, uid, message_id, thread_id, labels)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET message_id = excluded.message_id, thread_id = excluded.thread_id,
                labels = excluded.labels
            """)
        known = try PreparedStatement(
            db,
            """
            SELECT l.message, l.original FROM gmail_marks g
            JOIN folders f ON f.id = g.folder
            JOIN ledger l ON l.folder = g.folder AND l.uidvalidity = g.uidvalidity AND l.uid = g.uid
            WHERE g.message_id = ? AND f.account = (SELECT account FROM folders WHERE id = ?)
                AND l.message IS NOT NULL
            LIMIT 1
            """)
        insert = try PreparedStatement(
            db,
            """
            INSERT INTO ledger(folder, uidvalidity, uid, state, message, original, size, internal_date,
                recorded_at)
            VALUES (?, ?, ?, 'duplicate', ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """)
    }

    /// Whether the message is here already.
    func record(
        _ copy: GmailCopy, _ folder: FolderID, _ uidValidity: UIDValidity, at time: UnixTime
    ) throws -> Bool {
        let messageID = Int64(bitPattern: copy.messageID)
        for statement in [note, insert] {
            statement.bind(1, folder.rawValue)
            statement.bind(2, Int64(uidValidity.rawValue))
            statement.bind(3, Int64(copy.uid.rawValue))
        }
        note.bind(4, messageID)
        note.bind(5, Int64(bitPattern: copy.threadID))
        try note.bind(6, String(decoding: JSONEncoder().encode(copy.labels), as: UTF8.self))
        try note.run()
        known.bind(1, messageID)
        known.bind(2, folder.rawValue)
        guard let (message, original) = try known.first({ ($0.int64(0), $0.int64(1)) }) else { return false }
        insert.bind(4, message)
        insert.bind(5, original)
        insert.bind(6, copy.size.map { Int64($0) })
        insert.bind(7, copy.internalDate?.rawValue)
        insert.bind(8, time.rawValue)
        try insert.run()
        return true
    }
}
