import Dispatch
import GRDB
import GRDBSQLite
import MailModel
import Synchronization

/// Copies the write-ahead log into the database when it has grown, instead of SQLite's
/// own automatism, which keeps a failed fsync to itself.
///
/// Most of it is copied on a connection of its own while the writer goes on; what has come meanwhile is little in the end,
/// and the writer copies that by itself, since only a log that has been copied whole begins anew.
final class LogCopying: Sendable {
    private enum Beside {
        case none
        case openable(@Sendable () throws -> DatabaseQueue)
        case open(DatabaseQueue)
    }

    private let stop: WriteStop
    private let trial: StepTrial?
    private let growth = Mutex(LogGrowth(now: .now))
    /// One copies at a time: SQLite refuses a second one without waiting.
    private let turn = Mutex(())
    private let queue = DispatchQueue(label: "mailworker.log")
    private let beside = Mutex<Beside>(.none)

    init(stop: WriteStop, trial: StepTrial?) {
        self.stop = stop
        self.trial = trial
    }

    /// Copies what an earlier process left, and looks after the writer from then on. This
    /// object must live as long as the connection.
    ///
    /// What a process with a failed fsync has left in the log may be in the system's memory
    /// only. Copied, it is written anew; it is no longer relied on where it was.
    ///
    /// - Parameter other: opens another connection, for copying while the writer goes on; called when there is much to copy.
    func takeOver(_ db: Database, beside other: @escaping @Sendable () throws -> DatabaseQueue) throws {
        guard let connection = db.sqliteConnection else { return }
        copy(connection, SQLITE_CHECKPOINT_PASSIVE)
        beside.withLock { $0 = .openable(other) }
        _ = sqlite3_wal_hook(
            connection,
            { context, connection, _, pages in
                if let context, let connection {
                    Unmanaged<LogCopying>.fromOpaque(context).takeUnretainedValue().grew(
                        to: pages, connection)
                }
                // The commit has been done, whatever became of the copy.
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Copies the log and cuts it off, unless readers keep it in use.
    ///
    /// - Parameter waitsForReaders: as long as the connection waits for anybody; otherwise not at all.
    /// - Returns: what kept it from that; `archive.busy` for readers.
    func empty(_ db: Database, waitsForReaders: Bool) -> MailFailure? {
        guard let connection = db.sqliteConnection else { return nil }
        if !waitsForReaders { sqlite3_busy_timeout(connection, 0) }
        defer { if !waitsForReaders { sqlite3_busy_timeout(connection, Archive.busySeconds * 1000) } }
        return copy(connection, SQLITE_CHECKPOINT_TRUNCATE)
    }

    /// Ends the copying beside the writer, before the writer's connection is closed: the last one to close is to leave no
    /// log.
    func close() {
        beside.withLock { $0 = .none }
        // What is under way has the connection still.
        queue.sync {}
    }

    private func grew(to pages: Int32, _ connection: OpaquePointer) {
        switch growth.withLock({ $0.grew(to: pages, now: .now) }) {
        case .wait: break
        case .copyHere: copy(connection, SQLITE_CHECKPOINT_PASSIVE)
        case .copyBeside: queue.async { [self] in copyBeside() }
        }
    }

    private func copyBeside() {
        defer { growth.withLock { $0.endedBeside() } }
        do {
            try connectionBeside()?.inDatabase { db in
                if let connection = db.sqliteConnection { copy(connection, SQLITE_CHECKPOINT_PASSIVE) }
            }
        } catch {
            // A later commit tries again; in the end the writer copies by itself.
            growth.withLock { $0.wasCopied(-1, of: -1, now: .now) }
            _ = stop.noting(StorageError.failure(error))
        }
    }

    private func connectionBeside() throws -> DatabaseQueue? {
        try beside.withLock { beside in
            switch beside {
            case .none: return nil
            case .open(let queue): return queue
            case .openable(let open):
                let queue = try open()
                beside = .open(queue)
                return queue
            }
        }
    }

    @discardableResult
    private func copy(_ connection: OpaquePointer, _ mode: Int32) -> MailFailure? {
        turn.withLock { _ in
            let step = BegunStep(.logCopied, trial)
            defer { step.done() }
            var (all, copied): (Int32, Int32) = (0, 0)
            let code = sqlite3_wal_checkpoint_v2(connection, nil, mode, &all, &copied)
            growth.withLock { $0.wasCopied(copied, of: all, now: .now) }
            guard code != SQLITE_OK else { return nil }
            // Any failure but an fsync's leaves the log as it is, and a later commit tries again.
            return stop.noting(StorageError.failure(resultCode: code))
        }
    }
}
