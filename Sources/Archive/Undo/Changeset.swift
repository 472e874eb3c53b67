import CChangesets
import GRDB
import GRDBSQLite

/// The rows that a transaction has changed, as SQLite's session extension writes them down.
struct Changeset {
    var bytes: [UInt8]

    /// Hands out one change after the other: all of them at once take many times the memory of their bytes.
    func forEachChange(_ body: (RowChange) throws -> Void) throws {
        try withoutActuallyEscaping(body) { body in
            let reader = ChangeReader(body)
            let code = bytes.withUnsafeBufferPointer {
                mw_changeset_read($0.baseAddress, Int32($0.count), reader.context, ChangeReader.read)
            }
            if let failure = reader.failure { throw failure }
            try Self.check(code)
        }
    }

    func contains(where isWanted: (RowChange) throws -> Bool) throws -> Bool {
        var isFound = false
        try forEachChange { change in
            if !isFound { isFound = try isWanted(change) }
        }
        return isFound
    }

    /// What takes these changes back.
    func inverse() throws -> Changeset {
        var out: UnsafeMutablePointer<UInt8>?
        var count: Int32 = 0
        let code = bytes.withUnsafeBufferPointer {
            mw_changeset_invert($0.baseAddress, Int32($0.count), &out, &count)
        }
        defer { mw_changeset_free(out) }
        try Self.check(code)
        return Changeset(bytes: Array(UnsafeBufferPointer(start: out, count: Int(count))))
    }

    enum Obstacle {
        /// A constraint forbids this change.
        case row(RowChange)
        /// Something refers to a row that would go, or lacks one that was there.
        case reference
    }

    /// Makes the changes, whatever the rows hold by now: only a recording beside it tells whether they were just
    /// these. A row may have gone along with another one already, by a reference.
    ///
    /// - Returns: what was in the way; nil when they are made.
    func apply(to db: Database) throws -> Obstacle? {
        var obstacle: RowChange?
        let reader = ChangeReader { obstacle = obstacle ?? $0 }
        let code = withExtendedLifetime(reader) {
            bytes.withUnsafeBufferPointer {
                mw_changeset_apply(
                    db.sqliteConnection, $0.baseAddress, Int32($0.count), reader.context, ChangeReader.read)
            }
        }
        if code == SQLITE_ABORT { return obstacle.map { .row($0) } ?? .reference }
        if code == SQLITE_CONSTRAINT { return .reference }
        try Self.check(code)
        return nil
    }

    private static func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }
}

/// Takes the changes that the extension hands out one by one.
private final class ChangeReader {
    private let body: (RowChange) throws -> Void
    /// Of the body; after it nothing is handed out.
    private(set) var failure: (any Error)?

    init(_ body: @escaping (RowChange) throws -> Void) { self.body = body }

    var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static let read: mw_change_reader = { context, table, operation, columns, isKey, old, new in
        guard let context, let table, let isKey, let old, let new else { return }
        let reader = Unmanaged<ChangeReader>.fromOpaque(context).takeUnretainedValue()
        guard reader.failure == nil else { return }
        let range = 0..<Int(columns)
        let before = range.map { old[$0].map { RowChange.Value($0) } }
        let after = range.map { new[$0].map { RowChange.Value($0) } }
        let key = range.filter { isKey[$0] != 0 }.compactMap { before[$0] ?? after[$0] }
        let change = RowChange(
            row: RowChange.Row(table: String(cString: table), key: key),
            operation: operation == SQLITE_INSERT ? .insert : operation == SQLITE_DELETE ? .delete : .update,
            old: before, new: after)
        do { try reader.body(change) } catch { reader.failure = error }
    }
}
