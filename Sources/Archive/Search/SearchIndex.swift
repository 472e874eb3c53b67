import Foundation
import GRDB
import MailModel

/// The full-text index within one transaction. A message's flag `is_indexed` and its row in the
/// index are written together, so that what is not indexed yet is always what the flags say.
struct SearchIndex {
    /// Longer texts are indexed up to here, in bytes of UTF-8: logs and lists that nobody searches.
    static let bodyLimit = 512 << 10

    private let db: Database
    private let isDue, participants, files, remove, insert, mark: PreparedStatement

    init(_ db: Database) throws {
        self.db = db
        isDue = try PreparedStatement(
            db,
            """
            SELECT subject FROM messages WHERE id = ? AND is_indexed = 0 AND content_digest IS NOT NULL
                AND erased_at IS NULL
            """)
        participants = try PreparedStatement(
            db, "SELECT role, email, name FROM participants WHERE message = ? ORDER BY position")
        files = try PreparedStatement(
            db,
            "SELECT filename FROM attachments WHERE message = ? AND filename IS NOT NULL ORDER BY position")
        remove = try PreparedStatement(db, "DELETE FROM search WHERE rowid = ?")
        insert = try PreparedStatement(
            db, "INSERT INTO search(rowid, subject, people, blind, body, files) VALUES (?, ?, ?, ?, ?, ?)")
        mark = try PreparedStatement(db, "UPDATE messages SET is_indexed = ? WHERE id = ?")
    }

    /// - Returns: whether it was due; another process may have been quicker.
    func add(_ text: SearchText) throws -> Bool {
        isDue.bind(1, text.message.rawValue)
        guard let subject = try isDue.first({ $0.optionalText(0) }) else { return false }
        var people: [String] = []
        var blind: [String] = []
        participants.bind(1, text.message.rawValue)
        try participants.forEachRow { row in
            let party = [row.optionalText(2), row.text(1)].compactMap { $0 }.joined(separator: " ")
            if row.text(0) == "bcc" { blind.append(party) } else { people.append(party) }
        }
        var names: [String] = []
        files.bind(1, text.message.rawValue)
        try files.forEachRow { names.append($0.text(0)) }
        try remove(text.message)
        insert.bind(1, text.message.rawValue)
        try insert.bind(2, subject?.precomposed)
        try insert.bind(3, Self.joined(people))
        try insert.bind(4, Self.joined(blind))
        try insert.bind(5, text.body?.prefixBytes(Self.bodyLimit).precomposed)
        try insert.bind(6, Self.joined(names))
        try insert.run()
        mark.bind(1, 1)
        mark.bind(2, text.message.rawValue)
        try mark.run()
        return true
    }

    /// Takes a message out whose content is gone.
    func remove(_ message: ArchivedMessageID) throws {
        remove.bind(1, message.rawValue)
        try remove.run()
    }

    /// What is stored of a message has changed: it is indexed anew.
    func renew(_ message: ArchivedMessageID) throws {
        mark.bind(1, 0)
        mark.bind(2, message.rawValue)
        try mark.run()
    }

    private static func joined(_ texts: [String]) -> String? {
        texts.isEmpty ? nil : texts.joined(separator: "\n").precomposed
    }
}

extension String {
    /// One spelling for letters that can be composed: й typed as и with a breve is й.
    var precomposed: String {
        // Only the breve and the diaeresis compose Cyrillic; Latin letters lose their marks anyway.
        var previous: UInt8 = 0
        for byte in utf8 {
            if previous == 0xCC, byte == 0x86 || byte == 0x88 { return precomposedStringWithCanonicalMapping }
            previous = byte
        }
        return self
    }

    /// As many characters as fit into this many bytes.
    func prefixBytes(_ count: Int) -> String {
        guard utf8.count > count else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: count)
        while end > utf8.startIndex, utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
