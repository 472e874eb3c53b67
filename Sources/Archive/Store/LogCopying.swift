import GRDB
import GRDBSQLite
import MailModel
import Synchronization

/// Copies the write-ahead log into the database when it has grown, instead of SQLite's
/// own automatism, which keeps a failed fsync to itself.
final class LogCopying: Sendable {
    /// In pages of 4 KB. What is written at random places, as an index of digests is, is copied the seldomer the more
    /// often it was written meanwhile.
    private static let dueAt: Int32 = 32_000
    /// A smaller log is copied, too, with the first commit after this: what is in the log only is behind the first bit
    /// of it that flips.
    private static let dueAfter = Duration.seconds(60)

    private let stop: WriteStop
    private let trial: StepTrial?
    private let copiedAt = Mutex(ContinuousClock.now)

    init(stop: WriteStop, trial: StepTrial?) {
        self.stop = stop
        self.trial = trial
    }

    /// Copies what an earlier process left, and looks after the writer from then on. This
    /// object must live as long as the connection.
    ///
    /// What a process with a failed fsync has left in the log may be in the system's memory
    /// only. Copied, it is written anew; it is no longer relied on where it was.
    func takeOver(_ db: Database) throws {
        guard let connection = db.sqliteConnection else { return }
        copy(connection, SQLITE_CHECKPOINT_PASSIVE)
        _ = sqlite3_wal_hook(
            connection,
            { context, connection, _, pages in
                if let context, let connection {
                    let copying = Unmanaged<LogCopying>.fromOpaque(context).takeUnretainedValue()
                    if pages >= LogCopying.dueAt || copying.isOld {
                        copying.copy(connection, SQLITE_CHECKPOINT_PASSIVE)
                    }
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

    private var isOld: Bool { copiedAt.withLock { ContinuousClock.now - $0 >= Self.dueAfter } }

    @discardableResult
    private func copy(_ connection: OpaquePointer, _ mode: Int32) -> MailFailure? {
        let step = BegunStep(.logCopied, trial)
        defer { step.done() }
        let code = sqlite3_wal_checkpoint_v2(connection, nil, mode, nil, nil)
        // A small one that readers keep is not tried with each commit.
        copiedAt.withLock { $0 = ContinuousClock.now }
        guard code != SQLITE_OK else { return nil }
        // Any failure but an fsync's leaves the log as it is, and a later commit tries again.
        return stop.noting(StorageError.failure(resultCode: code))
    }
}
