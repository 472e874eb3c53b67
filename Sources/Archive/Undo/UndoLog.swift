import Foundation
import GRDB
import MailModel
import Matcher

/// What can be taken back, within one transaction.
struct UndoLog {
    /// How long and how much is kept; the oldest goes first.
    struct Bounds: Sendable {
        var seconds: Int64
        var bytes: Int64
        /// Of one action; at most `bytes`.
        var actionBytes: Int64

        /// What was done before it cannot be taken back any more.
        func start(at time: UnixTime) -> UnixTime { time.advanced(bySeconds: -seconds) }
    }

    let db: Database

    init(_ db: Database) { self.db = db }

    /// The highest number of an address, to tell later which ones are new.
    func lastAddress() throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT coalesce(max(id), 0) FROM addresses") ?? 0
    }

    /// Notes an action.
    ///
    /// - Parameters:
    ///   - known: `lastAddress` from before it.
    ///   - beyond: what of it its user cannot decide about.
    ///   - isPruning: whether what is too old or too much goes; else the caller prunes, once for many.
    /// - Returns: nil when it is larger than one may be.
    func add(
        _ changeset: Changeset, of act: Act, user: UserID?, right: Right, scope: Scope, known: Int64,
        beyond: HiddenRows? = nil, at time: UnixTime, _ bounds: Bounds, isPruning: Bool = true
    ) throws -> UndoID? {
        guard changeset.bytes.count <= bounds.actionBytes else { return nil }
        let addresses = try Int64.fetchAll(
            db, sql: "SELECT id FROM addresses WHERE id > ? ORDER BY id", arguments: [known])
        // Bound as they are: they may be large.
        let insert = try PreparedStatement(
            db,
            """
            INSERT INTO undo(at, person, user, action, subject, right_name, scope, changes, size, made_addresses,
                beyond)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        insert.bind(1, time.rawValue)
        try insert.bind(2, act.person)
        insert.bind(3, user?.rawValue)
        try insert.bind(4, act.action)
        try insert.bind(5, act.subject)
        try insert.bind(6, right.rawValue)
        try insert.bind(7, scope.rawValue)
        try insert.bind(8, changeset.bytes)
        insert.bind(9, changeset.bytes.count)
        try insert.bind(10, "[\(addresses.map(String.init).joined(separator: ","))]")
        try insert.bind(11, beyond?.json)
        try insert.run()
        insert.clear()
        let id = UndoID(rawValue: db.lastInsertedRowID)
        if isPruning { try prune(at: time, bounds) }
        return id
    }

    /// What is older than may be kept goes.
    func removeOld(at time: UnixTime, _ bounds: Bounds) throws {
        try db.execute(sql: "DELETE FROM undo WHERE at < ?", arguments: [bounds.start(at: time).rawValue])
    }

    func prune(at time: UnixTime, _ bounds: Bounds) throws {
        try removeOld(at: time, bounds)
        var size =
            try Int64.fetchOne(db, sql: "SELECT coalesce(sum(size), 0) FROM undo WHERE undone_at IS NULL")
            ?? 0
        guard size > bounds.bytes else { return }
        let rows = try Row.fetchAll(db, sql: "SELECT id, size FROM undo WHERE undone_at IS NULL ORDER BY id")
        for row in rows where size > bounds.bytes {
            try db.execute(sql: "DELETE FROM undo WHERE id = ?", arguments: [row["id"] as Int64])
            size -= row["size"] as Int64
        }
    }

    /// Of the actions after `id` that were not taken back, the last one that changed one of the rows.
    ///
    /// - Parameter rows: the fingerprints of `RowChange.Row`s.
    func laterAction(than id: UndoID, on rows: Set<Fingerprint>) throws -> UndoEntry? {
        let later = try Row.fetchAll(
            db,
            sql: "SELECT \(Self.entryColumns) FROM undo WHERE undone_at IS NULL AND id > ? ORDER BY id DESC",
            arguments: [id.rawValue])
        return try later.lazy.map(Self.entry).first { entry in
            try changeset(of: entry.id)?.contains { rows.contains(Fingerprint($0.row)) } == true
        }
    }

    /// Takes out every entry that tells something of these messages, contacts or addresses: what is erased must
    /// not come back, and lie nowhere.
    ///
    /// - Parameter warnings: how words of the queue end that name what is erased.
    func forget(
        messages: Set<Int64> = [], contacts: Set<Int64> = [], addresses: Set<Int64> = [],
        warnings: [String] = []
    ) throws {
        let erased = ["messages": messages, "contacts": contacts, "addresses": addresses]
        guard erased.values.contains(where: { !$0.isEmpty }) || !warnings.isEmpty else { return }
        let endings = warnings.map { Array($0.utf8) }
        var columns: [String: [(position: Int, numbers: Set<Int64>)]] = [:]
        var concerned: [Int64] = []
        for id in try open() {
            let isConcerned = try changeset(of: UndoID(rawValue: id))?.contains { change in
                let table = change.row.table
                let known = try columns[table] ?? self.columns(of: table, naming: erased)
                columns[table] = known
                if table == "review_items", change.hasText(endingIn: endings) { return true }
                return known.contains { column in
                    change.values(ofColumn: column.position).contains { value in
                        if case .integer(let number) = value {
                            column.numbers.contains(number)
                        } else {
                            false
                        }
                    }
                }
            }
            if isConcerned == true { concerned.append(id) }
        }
        for id in concerned { try db.execute(sql: "DELETE FROM undo WHERE id = ?", arguments: [id]) }
    }

    /// Of these addresses those that stand in an action that can be taken back.
    func addresses(among wanted: Set<Int64>) throws -> Set<Int64> {
        var columns: [String: [Int]] = [:]
        var found: Set<Int64> = []
        for id in try open() where found.count < wanted.count {
            try changeset(of: UndoID(rawValue: id))?.forEachChange { change in
                let table = change.row.table
                let known =
                    try columns[table]
                    ?? self.columns(of: table, naming: ["addresses": wanted]).map(\.position)
                columns[table] = known
                for column in known {
                    for case .integer(let number) in change.values(ofColumn: column)
                    where wanted.contains(number) {
                        found.insert(number)
                    }
                }
            }
        }
        return found
    }

    private func open() throws -> [Int64] {
        try Int64.fetchAll(db, sql: "SELECT id FROM undo WHERE undone_at IS NULL ORDER BY id")
    }

    /// The columns of a table that hold numbers of rows in other tables, and those tables' own.
    private func columns(
        of table: String, naming erased: [String: Set<Int64>]
    ) throws -> [(position: Int, numbers: Set<Int64>)] {
        let names = try db.columns(in: table).map(\.name)
        var found: [(position: Int, numbers: Set<Int64>)] = []
        if let own = erased[table], let position = names.firstIndex(of: "id") {
            found.append((position, own))
        }
        for reference in try db.foreignKeys(on: table) {
            guard let numbers = erased[reference.destinationTable],
                let name = reference.originColumns.first, let position = names.firstIndex(of: name)
            else { continue }
            found.append((position, numbers))
        }
        return found
    }

    /// Nil for an action that was taken back already.
    func changeset(of id: UndoID) throws -> Changeset? {
        let query = try PreparedStatement(db, "SELECT changes FROM undo WHERE id = ? AND changes IS NOT NULL")
        query.bind(1, id.rawValue)
        return try query.first { Changeset(bytes: $0.bytes(0)) }
    }

    /// What `entry` reads. The changes are left where they are: they may be large.
    static let entryColumns = "id, at, person, action, subject, undone_at, undone_by"

    static func entry(_ row: Row) -> UndoEntry {
        UndoEntry(
            id: UndoID(rawValue: row["id"]), at: UnixTime(row["at"]), person: row["person"],
            action: row["action"], subject: row["subject"],
            undoneAt: (row["undone_at"] as Int64?).map { UnixTime($0) }, undoneBy: row["undone_by"])
    }
}
