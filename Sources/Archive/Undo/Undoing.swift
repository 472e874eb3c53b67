import GRDB
import MailModel
import Matcher

/// Takes one action back within one transaction, and proves that it was exactly that: the rows that really change
/// are recorded too, and must be those of the action and no others. A row that went along (by a reference that
/// cascades, or a trigger) belongs to somebody's later work, and blocks it.
struct Undoing {
    let db: Database
    let entry: UndoEntry
    let time: UnixTime

    init(_ db: Database, entry: UndoEntry, time: UnixTime) {
        self.db = db
        self.entry = entry
        self.time = time
    }

    /// - Parameters:
    ///   - changes: what the action did.
    ///   - madeAddresses: the addresses that it was the first to name; those that nothing names any more go.
    ///   - beyond: what its user could not decide about when it was done, where the same user takes it back.
    func run(_ changes: Changeset, madeAddresses: Set<Int64>, beyond: HiddenRows?, _ sight: Sight) throws {
        let inverse = try changes.inverse()
        let wanted = try fingerprints(inverse)
        let messages = try inverse.rows(of: "messages", db)
        var hidden = try HiddenRows(of: inverse, besides: beyond, db, sight)
        let recording = try ChangeRecording(db)
        switch try inverse.apply(to: db) {
        case nil: break
        case .row(let change): throw try blocked(by: Obstacles([change.row]), of: inverse)
        case .reference: throw try blocked(by: Obstacles(linksOfLostContacts(in: inverse)), of: inverse)
        }
        let done = try recording.end() ?? Changeset(bytes: [])
        let different = try fingerprints(done).symmetricDifference(wanted)
        guard different.isEmpty else {
            var obstacles = Obstacles()
            for changes in [inverse, done] {
                try changes.forEachChange {
                    if different.contains(Fingerprint($0)) { obstacles.add($0.row) }
                }
            }
            throw try blocked(by: obstacles, of: inverse)
        }
        if let message = try firstContradiction(in: messages) {
            let row = RowChange.Row(table: "messages", key: [.integer(message)])
            throw try blocked(by: Obstacles([row]), of: inverse)
        }
        try hidden.demandSeen(db, sight)
        try restoreLooks(
            of: try inverse.rows(of: "addresses", db) { $0.row.table == "contact_addresses" })
        try restoreEvents(
            of: try inverse.rows(of: "contacts", db) { $0.row.table == "contacts" && $0.operation == .insert }
        )
        let index = try SearchIndex(db)
        for message in try inverse.rows(of: "messages", db, where: { $0.row.table == "message_edits" })
            .sorted()
        {
            try index.remove(ArchivedMessageID(rawValue: message))
            try index.renew(ArchivedMessageID(rawValue: message))
        }
        try MessageEraser(db, time: time).forgetAddresses(madeAddresses)
    }

    private func fingerprints(_ changeset: Changeset) throws -> Set<Fingerprint> {
        var found: Set<Fingerprint> = []
        try changeset.forEachChange { found.insert(Fingerprint($0)) }
        return found
    }

    /// What holds contacts that would go: messages that came to stand with them by a later hand.
    private func linksOfLostContacts(in inverse: Changeset) throws -> [RowChange.Row] {
        var contacts: Set<Int64> = []
        var own: Set<Fingerprint> = []
        try inverse.forEachChange { change in
            if change.row.table == "history" { own.insert(Fingerprint(change.row)) }
            guard change.row.table == "contacts", change.operation == .delete,
                case .integer(let number)? = change.row.key.first
            else { return }
            contacts.insert(number)
        }
        let links = try PreparedStatement(db, "SELECT message FROM history WHERE contact = ?")
        var rows: [RowChange.Row] = []
        for contact in contacts.sorted() {
            links.bind(1, contact)
            try links.forEachRow { row in
                // The key is (message, contact).
                let link = RowChange.Row(
                    table: "history", key: [.integer(row.int64(0)), .integer(contact)])
                if !own.contains(Fingerprint(link)) { rows.append(link) }
            }
        }
        return rows
    }

    /// Looks are shared by the contacts of a domain: they are derived anew instead of being put back.
    private func restoreLooks(of addresses: Set<Int64>) throws {
        let looks = try LookRegister(db)
        let find = try PreparedStatement(
            db,
            """
            SELECT canonical, EXISTS (SELECT 1 FROM contact_addresses WHERE address = addresses.id)
            FROM addresses WHERE id = ?
            """)
        for address in addresses.sorted() {
            find.bind(1, address)
            guard
                let (canonical, isKnown) = try find.first({
                    (CanonicalAddress(rawValue: $0.text(0)), $0.int64(1) != 0)
                })
            else { continue }
            if isKnown { try looks.add(canonical) } else { try looks.remove(canonical) }
        }
    }

    /// What has come for a contact that was merged, and is again, is told of that contact.
    private func restoreEvents(of contacts: Set<Int64>) throws {
        for contact in contacts.sorted() {
            try db.execute(
                sql: """
                    UPDATE OR IGNORE events SET contact = ?1
                    WHERE message IN (SELECT message FROM history WHERE contact = ?1 AND removed_at IS NULL)
                        AND NOT EXISTS (SELECT 1 FROM history h WHERE h.message = events.message
                            AND h.contact = events.contact AND h.removed_at IS NULL)
                    """, arguments: [contact])
        }
    }

    /// The first message that does not stand where its state says, as `verify` asks of each.
    private func firstContradiction(in messages: Set<Int64>) throws -> Int64? {
        let query = try PreparedStatement(
            db,
            """
            SELECT 1 FROM messages m
            WHERE m.id = ? AND (\(RowCheck.contradictsHistory) OR \(RowCheck.contradictsQueue))
            """)
        return try messages.sorted().first { message in
            query.bind(1, message)
            return try query.first { _ in true } != nil
        }
    }

    /// - Parameter obstacles: the action that put them there may have left them alone itself, and changed others
    ///   of the action's rows.
    private func blocked(by obstacles: Obstacles, of inverse: Changeset) throws -> MailFailure {
        let log = UndoLog(db)
        var later = try log.laterAction(than: entry.id, on: obstacles.rows)
        if later == nil {
            var rows: Set<Fingerprint> = []
            try inverse.forEachChange { rows.insert(Fingerprint($0.row)) }
            later = try log.laterAction(than: entry.id, on: rows)
        }
        let place = obstacles.place ?? "what it changed"
        guard let later else {
            return MailFailure(
                .undoBlocked, kind: .permanent, "A later change is in the way",
                detail: "\(place) has changed since \(entry.action)",
                remedy: "Change it by hand; nothing was taken back.")
        }
        return MailFailure(
            .undoBlocked, kind: .permanent, "A later action is in the way",
            detail: "\(later.action) by \(later.person) (undo \(later.id)): \(place)",
            remedy: "Take that back first: mailworker undo \(later.id)")
    }
}

/// The rows that are in the way.
private struct Obstacles {
    private(set) var rows: Set<Fingerprint> = []
    /// One of them, for people.
    private(set) var place: String?

    init(_ rows: [RowChange.Row] = []) { for row in rows { add(row) } }

    mutating func add(_ row: RowChange.Row) {
        rows.insert(Fingerprint(row))
        place = min(place ?? row.words, row.words)
    }
}

extension RowChange.Row {
    /// What it is, for people; its number where it has one of its own.
    fileprivate var words: String {
        let numbers = key.map { value in if case .integer(let number) = value { String(number) } else { "-" }
        }
        let first = numbers.first ?? "-"
        switch table {
        case "contacts", "contact_addresses", "contact_users": return "contact \(first)"
        case "messages": return "message \(first)"
        case "message_edits": return "the words of message \(first)"
        case "history": return "message \(first) in the history of contact \(numbers.last ?? "-")"
        case "review_items": return "review item \(first)"
        case "ignore_rules": return "rule \(first)"
        case "ledger": return "the ledger"
        default: return table.replacing("_", with: " ")
        }
    }
}
