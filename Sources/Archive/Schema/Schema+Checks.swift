import GRDB

extension Schema {
    /// What a column may be, compared value by value.
    ///
    /// SQLite makes a temporary table of the values of `state IN ('a', 'b', 'c')` whenever it checks a row, which takes
    /// longer than most rows take to insert. Only the wording of the constraints changes, and nothing of what they allow:
    /// the rows on the disk stay as they are
    /// (https://www.sqlite.org/lang_altertable.html#making_other_kinds_of_table_schema_changes).
    static func compareByValue(_ db: Database) throws {
        let version = try Int64.fetchOne(db, sql: "PRAGMA schema_version") ?? 0
        let tables = try Row.fetchAll(
            db, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND instr(sql, ' IN (')")
        try db.execute(sql: "PRAGMA writable_schema = ON")
        for table in tables {
            let (name, statement): (String, String) = (table[0], table[1])
            try db.execute(
                sql: "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?",
                arguments: [comparingByValue(statement), name])
        }
        try db.execute(sql: "PRAGMA schema_version = \(version + 1)")
        // Read anew, which fails where a word is wrong.
        try db.execute(sql: "PRAGMA writable_schema = RESET")
        try db.execute(
            sql: """
                DROP INDEX outbox_open;
                CREATE INDEX outbox_open ON outbox(state, id)
                    WHERE state = 'uncertain' OR state = 'held' OR state = 'failed';
                """)
    }

    /// Lists of one or two values SQLite compares by itself.
    static func comparingByValue(_ statement: String) -> String {
        statement.replacing(#/([a-z_]+) (NOT )?IN \(([^()]*)\)/#) { match in
            let values = match.3.split(separator: ",").map { $0.trimmingPrefix(while: \.isWhitespace) }
            guard values.count > 2, values.allSatisfy({ $0.first == "'" && $0.last == "'" }) else {
                return String(match.0)
            }
            let (comparison, word) = match.2 == nil ? (" = ", " OR ") : (" <> ", " AND ")
            return "(" + values.map { match.1 + comparison + $0 }.joined(separator: word) + ")"
        }
    }
}
