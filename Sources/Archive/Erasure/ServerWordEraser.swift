import GRDB

/// Takes out, within one transaction, what servers said with an erased address in it, wherever that was noted: a reply to
/// the whole of a mail stands with each of its recipients, and an account's trouble may be that with the mail it last sent.
struct ServerWordEraser {
    let db: Database
    /// As they were written, and in their canonical form.
    let addresses: Set<String>

    /// Columns that hold such words, of the rows of one mail.
    private static let ofMails = [
        "outbox_recipients": (key: "item", columns: ["reply"]),
        "outbox_replies": (key: "item", columns: ["text"]),
        "delivery_reports": (key: "item", columns: ["diagnostic"]),
        "outbox": (key: "id", columns: ["reason", "copy_error", "filing_error"]),
    ]

    /// Others, of few rows.
    private static let ofAccounts = [
        "send_pauses": ["reason"],
        "accounts": ["error_text", "alert"],
        "withheld": ["summary", "detail"],
    ]

    func erase(from item: Int64) throws {
        for (table, place) in Self.ofMails {
            for column in place.columns { try erase(table, column, " AND \(place.key) = \(item)") }
        }
    }

    func eraseFromAccounts() throws {
        for (table, columns) in Self.ofAccounts {
            for column in columns { try erase(table, column, "") }
        }
    }

    private func erase(_ table: String, _ column: String, _ condition: String) throws {
        for address in addresses where address != OutboxEraser.word {
            try db.execute(
                sql: """
                    UPDATE \(table) SET \(column) = '\(OutboxEraser.word)'
                    WHERE instr(lower(\(column)), lower(?)) > 0\(condition)
                    """, arguments: [address])
        }
    }
}
