import CPageSums
import CSnowball
import GRDB
public import MailModel
import Matcher
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The durable memory of the worker: users, accounts, contacts, the ledger of every
/// UID seen, the originals, and the history and queue made of them.
///
/// Promises:
/// - A call that returns has its changes on the disk (write-ahead log, synchronous
///   FULL; originals fsynced before the transaction that speaks of them).
/// - A call that throws has changed nothing, except that an original may lie in a
///   pack without being known; `verify` counts those.
/// - After a failed fsync no call writes any more (`stopFailure`); the next process
///   checks what the last one left.
/// - Every call may be made from any thread, and several processes may have the same
///   archive open. Calls block; writers wait for each other.
///
/// Nothing of the storage (SQL, paths of files, types of the database library) is
/// visible here.
public final class Archive: Sendable {
    let directory: String
    let pool: DatabasePool
    let originals: OriginalsStore
    let locks: ProcessLocks
    let key: SecretKey?
    /// The only clock; tests turn their own.
    let now: @Sendable () -> UnixTime
    let stop: WriteStop
    let trial: StepTrial?
    let bounces: BounceRule
    let logCopying: LogCopying
    let matching: MatchPolicy
    let undoLimits: UndoLog.Bounds
    /// Whom reads show and writes change the archive for.
    public let viewer: Viewer

    /// Makes an empty archive in a directory, which is made too if its parent exists.
    ///
    /// - Parameter key: seals the accounts' secrets; opening needs the same one.
    /// - Throws: `archive.exists` when there is one already, `archive.busy` while one is being restored there.
    public static func create(
        directory: String, key: SecretKey, options: ArchiveOptions = ArchiveOptions()
    ) throws(MailFailure) -> Archive {
        guard access(database(in: directory), F_OK) != 0 else {
            throw MailFailure(
                .archiveExists, kind: .permanent, "There is an archive already", detail: directory,
                remedy: "Use it, or name an empty directory.")
        }
        try RestorePlace.demandNone(in: directory)
        for path in [directory, directory + "/originals", directory + "/locks"] {
            try FileOwner.createDirectory(path)
        }
        // Also that of an attempt that was cut off.
        try PackFile.synchronizeDirectory(FileOwner.directory(of: directory))
        try FileModes.reserve(database(in: directory))
        let archive = try Archive(directory: directory, key: key, options: options)
        try archive.bindKey(key)
        return archive
    }

    /// Opens an archive and brings its schema up to this version.
    ///
    /// - Parameter key: without it everything works except what needs an account's secret.
    /// - Throws: `archive.missing`, `archive.unreadable`, `archive.corrupt`,
    ///   `archive.newer-schema` (nothing was touched), `key.wrong`.
    public static func open(
        directory: String, key: SecretKey?, options: ArchiveOptions = ArchiveOptions()
    ) throws(MailFailure) -> Archive {
        let path = database(in: directory)
        guard access(path, F_OK) == 0 else { throw StorageError.failure(errno: errno, path: path) }
        guard access(path, R_OK | W_OK) == 0 else { throw StorageError.failure(errno: errno, path: path) }
        FileModes.restrict(path)
        try useOwnFileSystem()
        try demandNotEmptied(path, in: directory)
        try SchemaVersion.demandNotNewer(path)
        let archive = try Archive(directory: directory, key: key, options: options)
        if let key { try archive.bindKey(key) }
        // What a process that died left half erased. Whoever erases hears of a failure; here the
        // archive is usable whatever comes of it, and `verify` names what is still due.
        try? archive.finishErasures()
        return archive
    }

    /// A file without a byte is a database that nothing was written into yet, as an interrupted `create` leaves it; not
    /// where there has been an archive.
    private static func demandNotEmptied(_ database: String, in directory: String) throws(MailFailure) {
        var status = stat()
        guard stat(database, &status) == 0, status.st_size == 0 else { return }
        let packs = (try? LonePackCheck.packs(in: directory + "/originals")) ?? []
        guard access(SchemaCopy.path(of: database), F_OK) == 0 || !packs.isEmpty else { return }
        throw MailFailure(
            .archiveCorrupt, kind: .needsPerson,
            "The archive's database has become an empty file; nothing was changed", detail: database,
            remedy: "Restore it from a backup (mailworker restore) into another directory.")
    }

    /// The system's time in whole seconds.
    public static let systemClock: @Sendable () -> UnixTime = { UnixTime(Int64(Glibc.time(nil))) }

    /// How long a writer waits for others.
    static let busySeconds: Int32 = 30

    /// Before the process has any connection: what holds for all of them cannot be set later.
    private static func useOwnFileSystem() throws(MailFailure) {
        guard mw_page_sums_install() == 0 else { throw StorageError.failure(resultCode: 1) }
    }

    static func database(in directory: String) -> String { directory + "/mailworker.db" }

    private init(
        directory: String, key: SecretKey?, options: ArchiveOptions
    ) throws(MailFailure) {
        try Self.useOwnFileSystem()
        let stop = WriteStop()
        let logCopying = LogCopying(stop: stop, trial: options.trial)
        let path = Self.database(in: directory)
        // Before this process has a connection: closing a descriptor of the file takes away its locks.
        let lacksSums = PageCheck.lacksSums(path)
        var configuration = Configuration()
        configuration.label = "mailworker"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Double(Self.busySeconds))
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase(Self.prepare)
        do {
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { db in
                // The library's default for write-ahead logs is NORMAL, which may lose the
                // last transactions on a power cut.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                // The writer's indices are hit at random places.
                try db.execute(sql: "PRAGMA cache_size = -65536")
                try db.execute(sql: "PRAGMA journal_size_limit = 134217728")
                // Any reading opens the log.
                _ = try Int.fetchOne(db, sql: "PRAGMA schema_version")
                let code = mw_gather_log_writes(db.sqliteConnection)
                guard code == 0 else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
            }
            let migrator = Schema.migrator
            // Another process may have brought it further meanwhile.
            if try pool.read({ try migrator.hasBeenSuperseded($0) }) { throw SchemaVersion.newer }
            let isUpToDate = try pool.read { try migrator.hasCompletedMigrations($0) }
            var turn: OpeningTurn?
            if !isUpToDate || lacksSums {
                turn = try OpeningTurn(directory: directory, waiting: options.whileWaiting)
                // Whoever had the turn before may have been of a newer version.
                if try pool.read({ try migrator.hasBeenSuperseded($0) }) { throw SchemaVersion.newer }
            }
            try migrator.migrate(pool)
            let settings = configuration
            try pool.writeWithoutTransaction { db in
                try logCopying.takeOver(db) {
                    let copying = try DatabaseQueue(path: path, configuration: settings)
                    // The log is synced before it is copied.
                    try copying.inDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
                    return copying
                }
            }
            // The library syncs the name of a new log too, and keeps a failure to itself.
            do {
                try PackFile.synchronizeDirectory(directory)
            } catch {
                _ = stop.noting(error)
            }
            // Made before pages had checksums: rewritten once, with room for them. Whoever had the turn before has done
            // it, and has made the copy of the schema.
            if lacksSums, SchemaCopy.pageSize(of: path) == nil {
                try pool.vacuum()
                let failure = pool.writeWithoutTransaction { logCopying.empty($0, waitsForReaders: true) }
                if let failure { throw failure }
            }
            // What a statement would have to take back is kept in memory: in a file it costs two writes a page, of mail
            // that may be erased by then. A migration's sorting and the rewriting have had files.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA temp_store = MEMORY") }
            do {
                try pool.writeWithoutTransaction { try SchemaCopy.refresh($0, database: path) }
            } catch {
                // The archive is usable without the copy; the next opening makes it.
                _ = stop.noting(StorageError.failure(error))
            }
            withExtendedLifetime(turn) {}
            self.pool = pool
        } catch {
            throw StorageError.failure(error)
        }
        originals = OriginalsStore(
            directory: directory + "/originals", fullAt: options.packBytes, stop: stop, trial: options.trial)
        locks = ProcessLocks(directory: directory + "/locks")
        self.directory = directory
        self.key = key
        self.stop = stop
        self.logCopying = logCopying
        trial = options.trial
        matching = options.matching
        undoLimits = UndoLog.Bounds(
            seconds: Int64(options.undoDays) * 86_400, bytes: options.undoBytes,
            actionBytes: min(options.undoBytes, options.undoActionBytes))
        bounces = options.bounces
        now = options.clock
        viewer = .administrator
    }

    /// What every connection needs before its first statement.
    static func prepare(_ db: Database) throws {
        // Per connection, in KiB: readers look up a few rows.
        try db.execute(sql: "PRAGMA cache_size = -8192")
        // What is deleted is overwritten, in the log too: freed pages are no place for erased mail.
        try db.execute(sql: "PRAGMA secure_delete = ON")
        let code = mw_page_sums_reserve(db.sqliteConnection)
        guard code == 0 else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
        let words = mw_words_register(db.sqliteConnection)
        guard words == 0 else { throw DatabaseError(resultCode: ResultCode(rawValue: words)) }
    }

    init(_ other: Archive, viewer: Viewer) {
        directory = other.directory
        pool = other.pool
        originals = other.originals
        locks = other.locks
        key = other.key
        now = other.now
        stop = other.stop
        trial = other.trial
        bounces = other.bounces
        logCopying = other.logCopying
        matching = other.matching
        undoLimits = other.undoLimits
        self.viewer = viewer
    }

    /// Whether the durable steps are counted, as for a proof: what otherwise takes long to come may come at once.
    public var isOnTrial: Bool { trial != nil }

    /// The time by which everything here is dated.
    public var time: UnixTime { now() }

    /// Runs reads that see one moment of the archive.
    func read<Value>(_ body: (Database) throws -> Value) throws(MailFailure) -> Value {
        do {
            return try pool.read(body)
        } catch {
            throw StorageError.failure(error)
        }
    }

    /// The same, with the conditions of what the viewer sees.
    func read<Value>(_ body: (Database, Sight) throws -> Value) throws(MailFailure) -> Value {
        try read { db in try body(db, Sight(viewer, db)) }
    }

    /// Runs one transaction: all of it, or nothing. What a person has it change is in the
    /// audit log with it.
    ///
    /// - Parameter step: what its commit makes durable.
    func write<Value>(
        _ step: DurableStep = .changeCommitted, _ body: (Database) throws -> Value
    ) throws(MailFailure) -> Value {
        let act = Act.current
        return try writeUnaudited(step) { db in
            let before = db.totalChangesCount
            let value = try body(db)
            if let act, db.totalChangesCount > before { try act.record(db, at: now()) }
            return value
        }
    }

    /// As `write`, for what belongs to an action that stands in the audit log by then, or is
    /// that log's entry itself.
    func writeUnaudited<Value>(
        _ step: DurableStep = .changeCommitted, _ body: (Database) throws -> Value
    ) throws(MailFailure) -> Value {
        try stop.check()
        do {
            return try pool.writeWithoutTransaction { db in
                var written: (value: Value, step: BegunStep)?
                try db.inTransaction(.immediate) {
                    let value = try body(db)
                    written = (value, BegunStep(step, trial))
                    return .commit
                }
                guard let written else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
                written.step.done()
                return written.value
            }
        } catch {
            throw stop.noting(StorageError.failure(error))
        }
    }

    /// Runs a transaction to see what it would do, and takes all of it back.
    func rehearse<Value>(_ body: (Database) throws -> Value) throws(MailFailure) -> Value {
        try stop.check()
        do {
            return try pool.writeWithoutTransaction { db in
                var value: Value?
                try db.inTransaction(.immediate) {
                    value = try body(db)
                    return .rollback
                }
                guard let value else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
                return value
            }
        } catch {
            throw StorageError.failure(error)
        }
    }

    /// Why this process writes nothing more; it should end, since only a new one can go
    /// on. Reading still works.
    public var stopFailure: MailFailure? { stop.isStopped ? WriteStop.failure : nil }

    /// Gives an archive whose key is lost a new one. Every account's secret is forgotten,
    /// since nothing can open it any more; nothing else depends on the key.
    ///
    /// - Throws: as `open(directory:key:options:)`.
    public static func replaceKey(directory: String, with key: SecretKey) throws(MailFailure) {
        let archive = try open(directory: directory, key: nil)
        try archive.write { db in
            Act.concerns("a new key, all accounts' secrets forgotten")
            try db.execute(
                sql: "UPDATE accounts SET secret = NULL, smtp_secret = NULL, revision = revision + 1")
            try db.execute(sql: "DELETE FROM settings WHERE name = 'key-check'")
        }
        try archive.bindKey(key)
    }

    /// The first key that an archive meets becomes its key; any other is refused.
    private func bindKey(_ key: SecretKey) throws(MailFailure) {
        let known = try read { db in
            try PreparedStatement(db, "SELECT value FROM settings WHERE name = 'key-check'")
                .first { $0.bytes(0) }
        }
        if let known {
            guard (try? key.open(known, for: "key-check")) != nil else { throw SecretKey.wrong }
            return
        }
        let sealed = try key.seal(Array("mailworker".utf8), for: "key-check")
        try write { db in
            let insert = try PreparedStatement(
                db, "INSERT OR IGNORE INTO settings(name, value) VALUES ('key-check', ?)")
            try insert.bind(1, sealed)
            try insert.run()
        }
    }
}
