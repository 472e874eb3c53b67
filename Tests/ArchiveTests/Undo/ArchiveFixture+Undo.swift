import GRDB
import MailModel

@testable import Archive

extension ArchiveFixture {
    /// Every row of every table, apart from the logs of what people did and what the worker makes by itself.
    func dump() throws -> [String: [String]] {
        try archive.pool.read { db in
            let tables = try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
            var dump: [String: [String]] = [:]
            for table in tables
            where !["audit", "undo", "declined_leads", "digests", "events"].contains(table)
                && !["search", "sqlite_", "grdb_"].contains(where: table.hasPrefix)
            {
                // The audit log stays, and with it the key to its words.
                let rows = table == "settings" ? " WHERE name <> 'audit-key'" : ""
                dump[table] = try Row.fetchAll(db, sql: "SELECT * FROM \"\(table)\"" + rows).map(
                    \.description
                )
                .sorted()
            }
            return dump
        }
    }

    /// Does something as a person does.
    ///
    /// - Returns: the number by which it can be taken back.
    @discardableResult
    func act(
        _ action: String = "queue link", as person: String = "anna", _ body: () throws -> Void
    ) throws -> UndoID? {
        let act = Act(person: person, systemUser: "root", origin: "no terminal", action: action)
        try Act.$current.withValue(act) { try body() }
        return act.undo
    }
}

extension Archive {
    /// Whether the database has derived from queue and ledger what it had to: the lists of what waits.
    func waitingListsAgree() throws -> Bool {
        try pool.read { db in
            let kept = try Row.fetchSet(
                db,
                sql: "SELECT account, sort_date, item, address, kind, direction, copy_before FROM waiting")
            let derived = try Row.fetchSet(
                db,
                sql: """
                    WITH copies AS (
                        SELECT 0 AS account, id AS message FROM messages
                        UNION SELECT f.account, l.message FROM ledger l JOIN folders f ON f.id = l.folder)
                    SELECT c.account, r.sort_date, r.id AS item, r.address, r.kind, m.direction,
                        coalesce((SELECT max(account) FROM copies
                            WHERE message = c.message AND account < c.account), 0) AS copy_before
                    FROM review_items r JOIN messages m ON m.id = r.message JOIN copies c ON c.message = m.id
                    WHERE r.state = 'open'
                    """)
            return kept == derived
        }
    }
}
