import Foundation
import GRDB
import MailModel

/// The full-text index within one transaction. A message's flag `is_indexed` and its row in the
/// index are written together, so that what is not indexed yet is always what the flags say.
struct SearchIndex {
    /// Longer texts are indexed up to here, in bytes of UTF-8: logs and lists that nobody searches.
    static let bodyLimit = 512 << 10

    private let db: Database
    private let facts: IndexedFacts.Query
    private let isDue, remove, insert, mark: PreparedStatement

    init(_ db: Database) throws {
        self.db = db
        isDue = try PreparedStatement(
            db,
            """
            SELECT subject FROM messages WHERE id = ? AND is_indexed = 0 AND content_digest IS NOT NULL
                AND erased_at IS NULL
            """)
        facts = try IndexedFacts.Query(db)
        remove = try PreparedStatement(db, "DELETE FROM search WHERE rowid = ?")
        insert = try PreparedStatement(
            db, "INSERT INTO search(rowid, subject, people, blind, body, files) VALUES (?, ?, ?, ?, ?, ?)")
        mark = try PreparedStatement(db, "UPDATE messages SET is_indexed = ? WHERE id = ?")
    }

    /// - Returns: whether it was due; another process may have been quicker.
    func add(_ text: SearchText) throws -> Bool {
        isDue.bind(1, text.message.rawValue)
        guard let subject = try isDue.first({ $0.optionalText(0) }) else { return false }
        let facts = try facts.facts(of: text.message, subject: subject)
        try remove(text.message)
        insert.bind(1, text.message.rawValue)
        try insert.bind(2, facts.subject)
        try insert.bind(3, facts.people)
        try insert.bind(4, facts.blind)
        try insert.bind(5, Self.body(text.body))
        try insert.bind(6, facts.files)
        try insert.run()
        mark.bind(1, 1)
        mark.bind(2, text.message.rawValue)
        try mark.run()
        return true
    }

    /// A text as the index has it.
    static func body(_ text: String?) -> String? { text?.prefixBytes(bodyLimit).precomposed }

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
