import GRDB
import MailModel

/// Compares rows with each other. Each question is asked by itself, so that a damaged page
/// costs the answers that lie on it.
struct RowCheck {
    let archive: Archive

    func run(_ report: inout VerifyReport) throws(MailFailure) {
        try ask("the database's structure", "PRAGMA integrity_check(100)", &report) { row in
            let text = row.text(0)
            return text == "ok"
                ? nil : Finding(subject: .database, place: "database", message: nil, text: text)
        }
        try ask("the references between rows", "PRAGMA foreign_key_check", &report) { row in
            Finding(
                subject: .database, place: row.text(0), message: nil,
                text: "a row speaks of something that does not exist")
        }
        for check in Self.messageChecks {
            try ask("messages", check.query, &report) { row in
                let id = ArchivedMessageID(rawValue: row.int64(0))
                return Finding(subject: .message, place: "message \(id)", message: id, text: check.text)
            }
        }
        try compareQueue(&report)
        for check in Self.ledgerChecks {
            try ask("the ledger", check.query, &report) { row in
                Finding(
                    subject: .ledger,
                    place: "account \(row.text(0)), folder \(row.text(1)), UIDVALIDITY \(row.int64(2)), "
                        + "UID \(row.int64(3))",
                    message: row.optionalInt64(4).map { ArchivedMessageID(rawValue: $0) }, text: check.text)
            }
        }
    }

    /// The queue is shown by lists that the database derives from its items, their messages and the ledger
    /// (`Schema.waitingLists`): what is missing there waits unseen.
    private func compareQueue(_ report: inout VerifyReport) throws(MailFailure) {
        try ask("the queue's lists", Self.wrongLists, &report) { row in
            guard let message = row.optionalInt64(1) else {
                return Finding(
                    subject: .database, place: "the queue's lists, item \(row.int64(0))", message: nil,
                    text: "they have an item that the queue has not")
            }
            let id = ArchivedMessageID(rawValue: message)
            return Finding(
                subject: .message, place: "message \(id)", message: id,
                text: "the lists by which the queue is shown say otherwise of it than the queue")
        }
    }

    private static let wrongLists = """
        WITH kept AS (SELECT account, sort_date, item, address, kind, direction, copy_before FROM waiting),
        copies AS (
            SELECT r.message, 0 AS account FROM review_items r WHERE r.state = 'open'
            UNION SELECT r.message, f.account FROM review_items r JOIN ledger l ON l.message = r.message
                JOIN folders f ON f.id = l.folder WHERE r.state = 'open'),
        placed AS (
            SELECT message, account, coalesce(lag(account) OVER (PARTITION BY message ORDER BY account), 0)
                AS copy_before FROM copies),
        derived AS (
            SELECT p.account, r.sort_date, r.id AS item, r.address, r.kind, m.direction, p.copy_before
            FROM review_items r JOIN messages m ON m.id = r.message JOIN placed p ON p.message = r.message
            WHERE r.state = 'open')
        SELECT DISTINCT w.item, r.message
        FROM (SELECT item FROM (SELECT * FROM derived EXCEPT SELECT * FROM kept)
            UNION SELECT item FROM (SELECT * FROM kept EXCEPT SELECT * FROM derived)) w
            LEFT JOIN review_items r ON r.id = w.item
        ORDER BY w.item
        """

    private func ask(
        _ what: String, _ sql: String, _ report: inout VerifyReport,
        _ finding: (PreparedStatement) -> Finding?
    ) throws(MailFailure) {
        // What was found before a damaged page stopped the question counts.
        var found: [Finding] = []
        do {
            try archive.read { db in
                try PreparedStatement(db, sql).forEachRow { row in
                    if let finding = finding(row) { found.append(finding) }
                }
            }
        } catch {
            found.append(try Archive.unreadable(what, error))
        }
        for finding in found { report.add(finding) }
    }

    /// Whether a message `m` is in a history without being archived, or archived without a history. A report on mail
    /// of ours stands with that mail, and needs none.
    static let contradictsHistory = """
        CASE WHEN EXISTS (SELECT 1 FROM history WHERE message = m.id AND removed_at IS NULL)
            THEN m.state <> 'archived'
            ELSE m.state = 'archived'
                AND NOT EXISTS (SELECT 1 FROM delivery_reports WHERE report = m.id)
                AND NOT EXISTS (SELECT 1 FROM other_reports WHERE report = m.id AND message IS NOT NULL) END
        """

    /// Whether a message `m` waits without an open item, or has one without waiting.
    static let contradictsQueue = """
        (m.state IN ('review', 'quarantined')) <>
            EXISTS (SELECT 1 FROM review_items WHERE message = m.id AND state = 'open')
        """

    /// Each query names the messages that break the rule.
    private static let messageChecks: [(query: String, text: String)] = [
        (
            "SELECT id FROM messages m WHERE NOT EXISTS (SELECT 1 FROM originals WHERE message = m.id)",
            "it has no original"
        ),
        (
            "SELECT id FROM messages m WHERE NOT EXISTS (SELECT 1 FROM ledger WHERE message = m.id)",
            "no ledger row speaks of it"
        ),
        (
            "SELECT id FROM messages m WHERE \(contradictsHistory)",
            "it is in a history without being archived, or archived without a history"
        ),
        (
            "SELECT id FROM messages m WHERE \(contradictsQueue)",
            "it waits without an open item, or has an open item without waiting"
        ),
        (
            """
            SELECT m.id FROM history h JOIN messages m ON m.id = h.message WHERE h.sort_date <> m.sort_date
            UNION
            SELECT m.id FROM review_items r JOIN messages m ON m.id = r.message
                WHERE r.sort_date <> m.sort_date
            """, "it stands under another date in a history or in the queue than by itself"
        ),
        (
            """
            SELECT id FROM messages m WHERE erased_at IS NOT NULL AND (
                EXISTS (SELECT 1 FROM participants WHERE message = m.id)
                OR EXISTS (SELECT 1 FROM attachments WHERE message = m.id)
                OR EXISTS (SELECT 1 FROM message_edits WHERE message = m.id)
                OR EXISTS (SELECT 1 FROM originals WHERE message = m.id AND erasure IS NULL))
            """, "it was erased, and something of it is still here"
        ),
        (
            """
            SELECT m.id FROM message_edits e JOIN messages m ON m.id = e.message
            WHERE m.subject IS NOT CASE WHEN e.subject IS NULL THEN e.own_subject ELSE nullif(e.subject, '') END
                OR (e.text IS NULL AND m.snippet IS NOT e.own_snippet)
            """, "it was edited, and is not shown with the words of the edit"
        ),
    ]

    private static let place = """
        SELECT a.name, f.name, l.uidvalidity, l.uid, l.message
        FROM ledger l JOIN folders f ON f.id = l.folder JOIN accounts a ON a.id = f.account
        """

    private static let ledgerChecks: [(query: String, text: String)] = [
        (
            """
            \(place) JOIN messages m ON m.id = l.message LEFT JOIN originals o ON o.id = l.original
            WHERE (l.state <> 'duplicate' AND (l.state <> m.state OR l.reason IS NOT m.reason))
                OR o.message IS NOT l.message
            """, "the ledger row and its message say different things"
        ),
        (
            """
            \(place) JOIN originals o ON o.id = l.original
            WHERE l.size IS NOT o.size AND o.erasure IS NULL
            """, "the ledger row and its original differ in size"
        ),
    ]
}
