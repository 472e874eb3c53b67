import GRDB
import MailModel

/// Compares the full-text index with the messages: who is said to be in it is, with the subject, the people and the
/// names of files that are stored; nobody else is, and of erased mail nothing.
///
/// The text of a mail in the index is compared with that of an edit, not with its original. Its pages have checksums like all
/// others, and `search --rebuild` makes the index anew.
struct SearchCheck {
    let archive: Archive

    /// Messages of one reading: a long one would keep the write-ahead log from being copied.
    private static let portion: Int64 = 5000

    func run(_ report: inout VerifyReport) throws(MailFailure) {
        do {
            var first: Int64 = 0
            while let last = try archive.read({ try Self.lastOfPortion(from: first, $0) }) {
                let found = try archive.read { try Self.portion(first...last, $0) }
                report.indexedMessages += found.count
                for finding in found.findings { report.add(finding) }
                guard last < .max else { break }
                first = last + 1
            }
        } catch {
            report.add(try Archive.unreadable("the search index", error))
        }
    }

    /// Nil when neither messages nor rows of the index are left.
    private static func lastOfPortion(from first: Int64, _ db: Database) throws -> Int64? {
        let query = try PreparedStatement(
            db,
            """
            SELECT min(id) FROM (SELECT min(id) AS id FROM messages WHERE id >= ?1
                UNION ALL SELECT min(id) FROM search_docsize WHERE id >= ?1
                UNION ALL SELECT min(id) FROM search_content WHERE id >= ?1)
            """)
        query.bind(1, first)
        // A damaged index may have any number.
        return try query.first { $0.optionalInt64(0) }?.map { first in
            let (last, isBeyond) = first.addingReportingOverflow(portion - 1)
            return isBeyond ? .max : last
        }
    }

    private static func portion(
        _ range: ClosedRange<Int64>, _ db: Database
    ) throws -> (count: Int, findings: [Finding]) {
        var count = 0
        var findings: [Finding] = []
        func find(_ message: ArchivedMessageID, _ text: String) {
            findings.append(
                Finding(subject: .search, place: "message \(message)", message: message, text: text))
        }
        let facts = try IndexedFacts.Query(db)
        // The columns of the index are numbered as it declares them; 3 is the text.
        let messages = try PreparedStatement(
            db,
            """
            SELECT m.id, m.is_indexed, m.erased_at IS NOT NULL, m.subject, c.id IS NOT NULL, d.id IS NOT NULL,
                c.c0, c.c1, c.c2, c.c4, e.text, c.c3
            FROM messages m LEFT JOIN message_edits e ON e.message = m.id LEFT JOIN search_content c ON c.id = m.id LEFT JOIN search_docsize d ON d.id = m.id
            WHERE m.id BETWEEN ? AND ?
            """)
        messages.bind(1, range.lowerBound)
        messages.bind(2, range.upperBound)
        try messages.forEachRow { row in
            let message = ArchivedMessageID(rawValue: row.int64(0))
            let isMarked = row.int64(1) == 1
            let (isThere, isWhole) = (row.int64(4) + row.int64(5) > 0, row.int64(4) == row.int64(5))
            if row.int64(2) == 1 {
                if isThere { find(message, "it was erased, and the search index has words of it") }
            } else if !isWhole {
                find(message, "the search index has only a part of what belongs to it")
            } else if isMarked, !isThere {
                find(message, "it is said to be in the search index, and is not")
            } else if isMarked {
                count += 1
                let indexed = IndexedFacts(
                    subject: row.optionalText(6), people: row.optionalText(7), blind: row.optionalText(8),
                    files: row.optionalText(9))
                if try indexed != facts.facts(of: message, subject: row.optionalText(3)) {
                    find(message, "the search index says otherwise of it than is stored")
                } else if let text = row.optionalText(10),
                    SearchIndex.body(text.isEmpty ? nil : text) != row.optionalText(11)
                {
                    find(message, "the search index has other words of it than its edit")
                }
            }
        }
        let strays = try PreparedStatement(
            db,
            """
            SELECT id FROM (SELECT id FROM search_docsize WHERE id BETWEEN ?1 AND ?2
                UNION SELECT id FROM search_content WHERE id BETWEEN ?1 AND ?2)
            WHERE id NOT IN (SELECT id FROM messages WHERE id BETWEEN ?1 AND ?2)
            """)
        strays.bind(1, range.lowerBound)
        strays.bind(2, range.upperBound)
        try strays.forEachRow {
            find(
                ArchivedMessageID(rawValue: $0.int64(0)),
                "the search index has it, and no such message is there")
        }
        return (count, findings)
    }
}
