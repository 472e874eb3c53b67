import CChangesets
import GRDB

/// Records the rows that one connection changes, from its making until `end`. Lives inside one transaction.
final class ChangeRecording {
    private var recording: OpaquePointer?

    init(_ db: Database) throws {
        let code = mw_recording_begin(
            db.sqliteConnection,
            { table in
                guard let table else { return 0 }
                return ChangeRecording.isRecorded(String(cString: table)) ? 1 : 0
            }, &recording)
        guard code == 0 else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }

    deinit {
        if let recording { mw_recording_abandon(recording) }
    }

    /// What is not a person's decision, and what outlives the taking back of one: the audit log and the log of
    /// undo itself, the full-text index, and addresses with their looks, since mail and contacts that came
    /// meanwhile may share them; events, which are about what has come, not about what a person did; and what the
    /// database derives by itself.
    private static func isRecorded(_ table: String) -> Bool {
        switch table {
        case "audit", "undo", "addresses", "looks", "settings", "grdb_migrations": false
        case "events", "digests", "waiting": false
        default: !table.hasPrefix("search") && !table.hasPrefix("sqlite_")
        }
    }

    /// Changes that `body` makes are not recorded: marks for the worker, such as what is to be indexed anew.
    func leavingOut<Value>(_ body: () throws -> Value) rethrows -> Value {
        mw_recording_pause(recording, 1)
        defer { mw_recording_pause(recording, 0) }
        return try body()
    }

    /// - Returns: nil when the rows are as they were.
    func end() throws -> Changeset? {
        guard let recording else { return nil }
        self.recording = nil
        var bytes: UnsafeMutablePointer<UInt8>?
        var count: Int32 = 0
        let code = mw_recording_end(recording, &bytes, &count)
        defer { mw_changeset_free(bytes) }
        guard code == 0 else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
        guard let bytes, count > 0 else { return nil }
        return Changeset(bytes: Array(UnsafeBufferPointer(start: bytes, count: Int(count))))
    }
}
