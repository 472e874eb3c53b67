import GRDB
import MailModel

/// What follows the transaction of an erasure: the bytes in the packs, the words in the search index's older segments
/// and in the write-ahead log.
extension Archive {
    private static let note = "erasure-unfinished"

    /// Notes, within the erasing transaction, that its words lie in the files until they are overwritten.
    static func noteUnfinishedErasure(_ db: Database) throws {
        let insert = try PreparedStatement(
            db, "INSERT OR REPLACE INTO settings(name, value) VALUES ('\(note)', x'01')")
        try insert.run()
    }

    /// Ends an erasure whose transaction is done. The caller holds the maintenance lock.
    ///
    /// - Throws: `archive.erasure-unfinished`.
    func finishErasure(progress: (ErasureProgress) -> Void = { _ in }) throws(MailFailure) {
        do throws(MailFailure) {
            guard try overwriteDue(progress: progress) else { throw Self.logInUse }
        } catch {
            // Another sentence follows.
            var words = error.revealed
            if words.hasSuffix(".") { words.removeLast() }
            throw MailFailure(
                .erasureUnfinished, kind: error.kind == .transient ? .transient : .needsPerson,
                "It is erased, and nobody can read it any more; but its bytes are not overwritten yet",
                detail: words,
                remedy: "The next command of mailworker ends it; mailworker verify names what is left.")
        }
    }

    /// Overwrites what an interrupted erasure has left. Costs two lookups when there is nothing.
    func finishErasures() throws(MailFailure) {
        let isDue = try read { db in
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM settings WHERE name = '\(Self.note)')
                        OR EXISTS (SELECT 1 FROM originals WHERE erasure = 'due')
                    """) == 1
        }
        guard isDue else { return }
        let maintenance = try holdMaintenance()
        defer { maintenance.release() }
        // Every command comes here first: a reader that keeps the log in use must not keep them waiting.
        try overwriteDue(waitsForReaders: false)
    }

    func holdMaintenance() throws(MailFailure) -> MaintenanceLock {
        try MaintenanceLock(directory: directory + "/locks")
    }

    /// The caller holds the maintenance lock. A pack that is missing or damaged keeps nothing else from being overwritten;
    /// what lies in it stays due.
    ///
    /// - Returns: whether nothing is left: false while readers keep the write-ahead log in use.
    /// - Throws: when all else is done, what such a pack has said.
    @discardableResult
    func overwriteDue(
        waitsForReaders: Bool = true, progress: (ErasureProgress) -> Void = { _ in }
    ) throws(MailFailure) -> Bool {
        let (due, packs, isNoted) = try read { db in
            var due: [Digest256: OriginalsStore.Placement] = [:]
            let query = try PreparedStatement(
                db, "SELECT sha256, pack, offset, size FROM originals WHERE erasure = 'due'")
            try query.forEachRow { row in
                guard let digest = Digest256(bytes: row.bytes(0)) else { return }
                due[digest] = OriginalsStore.Placement(
                    pack: row.int64(1), offset: row.int64(2), size: row.int64(3))
            }
            let noted = try Int64.fetchOne(db, sql: "SELECT 1 FROM settings WHERE name = '\(Self.note)'")
            return (due, try Int64.fetchAll(db, sql: "SELECT id FROM packs ORDER BY id"), noted != nil)
        }
        guard isNoted || !due.isEmpty else { return true }
        try stop.check()
        var failures: [Int64: MailFailure] = [:]
        do {
            try pool.writeWithoutTransaction { db in
                try originals.settle(db)
                for (index, pack) in packs.enumerated() {
                    progress(.packs(done: index, total: packs.count))
                    failures[pack] = try overwrite(due, in: pack, db)
                }
            }
        } catch {
            throw stop.noting(StorageError.failure(error))
        }
        progress(.searchIndex)
        try purgeSearchIndex()
        try writeUnaudited { db in
            let done = try PreparedStatement(
                db, "UPDATE originals SET erasure = 'done' WHERE sha256 = ? AND erasure = 'due'")
            for (digest, place) in due where failures[place.pack] == nil {
                try done.bind(1, digest.bytes)
                try done.run()
            }
        }
        // What the rows said lies in the write-ahead log too, until it is begun anew.
        let isEmpty = try emptyLog(waitsForReaders: waitsForReaders)
        if let first = failures.min(by: { $0.key < $1.key }) { throw first.value }
        guard isEmpty else { return false }
        try writeUnaudited { db in
            try db.execute(sql: "DELETE FROM settings WHERE name = '\(Self.note)'")
        }
        return true
    }

    /// - Returns: what keeps the pack from being overwritten; nil when it is done.
    /// - Throws: what concerns more than this pack.
    private func overwrite(
        _ due: [Digest256: OriginalsStore.Placement], in pack: Int64, _ db: Database
    ) throws -> MailFailure? {
        func attempt(_ body: () throws -> Void) throws -> MailFailure? {
            do {
                try body()
                return nil
            } catch {
                let failure = StorageError.failure(error)
                guard failure.isOfThePack || failure.code == .archiveInputOutput && !failure.isNoDamage
                else { throw failure }
                return failure
            }
        }
        var isCleared = false
        let failure = try attempt { isCleared = try originals.clear(pack, of: due, db) }
        let end = try originals.committed(pack, db)
        return try attempt {
            if isCleared || failure != nil {
                try originals.overwrite(due, at: pack, end: end)
            } else if !due.isEmpty {
                try originals.overwrite(due, in: [pack], end: end)
            }
        } ?? failure
    }

    /// - Returns: false when readers keep it in use.
    private func emptyLog(waitsForReaders: Bool) throws(MailFailure) -> Bool {
        let failure = pool.writeWithoutTransaction { db in
            logCopying.empty(db, waitsForReaders: waitsForReaders)
        }
        guard let failure else { return true }
        guard failure.code == .archiveBusy else { throw failure }
        return false
    }

    private static let logInUse = MailFailure(
        .archiveBusy, kind: .transient, "Readers keep the write-ahead log in use")
}
