import GRDB
public import MailModel
import Matcher

extension Archive {
    /// Records a batch of arrivals: originals first, made durable, then one
    /// transaction with ledger rows, messages, and the history entries or review
    /// items that the contacts of this moment call for.
    ///
    /// Recording is idempotent: a UID that the ledger has changes nothing. A batch
    /// that was cut off anywhere leaves either everything or nothing of it recorded.
    /// An arrival that the archive refuses costs itself only: it is quarantined, and
    /// when even that is refused, reported as failed.
    ///
    /// - Returns: one outcome for each arrival, in their order.
    /// - Throws: when nothing of the batch could be recorded (disk full, damage).
    public func ingest(_ batch: [Arrival]) throws(MailFailure) -> [IngestOutcome] {
        guard !batch.isEmpty else { return [] }
        try stop.check()
        do {
            return try pool.writeWithoutTransaction { db in try ingest(batch, db) }
        } catch {
            throw stop.noting(StorageError.failure(error))
        }
    }

    private func ingest(_ batch: [Arrival], _ db: Database) throws -> [IngestOutcome] {
        let time = now()
        let items = try missingOriginals(batch, db)
        var placements: [Digest256: OriginalsStore.Placement] = [:]
        var end: OriginalsStore.PackEnd?
        if !items.isEmpty {
            let appended = try originals.append(items, db: db, at: time)
            end = appended.end
            placements.reserveCapacity(items.count)
            for (item, placement) in zip(items, appended.placements) { placements[item.digest] = placement }
        }
        do {
            do {
                return try commit(batch, placements, end, db, at: time)
            } catch let error as DatabaseError where Self.blamesOneRecord(error) {
                let outcomes = try batch.map { try commitAlone($0, placements, end, db, at: time) }
                try forgetRefused(batch, outcomes, placements, db)
                return outcomes
            }
        } catch {
            originals.tidy(after: error) { try originals.settle(db) }
            throw error
        }
    }

    /// What was refused comes again; its bytes do not stay meanwhile.
    private func forgetRefused(
        _ batch: [Arrival], _ outcomes: [IngestOutcome], _ placements: [Digest256: OriginalsStore.Placement],
        _ db: Database
    ) throws {
        let hasOriginal = try PreparedStatement(db, "SELECT 1 FROM originals WHERE sha256 = ?")
        for (arrival, outcome) in zip(batch, outcomes) {
            guard case .failed = outcome, let placement = placements[arrival.originalDigest] else { continue }
            try hasOriginal.bind(1, arrival.originalDigest.bytes)
            if try hasOriginal.first({ _ in true }) != nil { continue }
            try originals.overwrite([arrival.originalDigest: placement], at: placement.pack)
        }
    }

    /// Which originals have to be written: each digest once, none that is here.
    private func missingOriginals(_ batch: [Arrival], _ db: Database) throws -> [OriginalsStore.Item] {
        let isRecorded = try PreparedStatement(
            db,
            "SELECT 1 FROM ledger WHERE folder = ? AND uidvalidity = ? AND uid = ? AND vanished_at IS NULL")
        let hasOriginal = try PreparedStatement(db, "SELECT 1 FROM originals WHERE sha256 = ?")
        let tombstones = try Tombstones(db)
        var seen: Set<Digest256> = []
        var items: [OriginalsStore.Item] = []
        items.reserveCapacity(batch.count)
        for arrival in batch {
            if let uid = arrival.uid {
                isRecorded.bind(1, arrival.folder.rawValue)
                isRecorded.bind(2, Int64(arrival.uidValidity.rawValue))
                isRecorded.bind(3, Int64(uid.rawValue))
                if try isRecorded.first({ _ in true }) != nil { continue }
            }
            guard seen.insert(arrival.originalDigest).inserted else { continue }
            try hasOriginal.bind(1, arrival.originalDigest.bytes)
            if try hasOriginal.first({ _ in true }) != nil { continue }
            if try tombstones?.has(arrival) == true { continue }
            items.append(OriginalsStore.Item(bytes: arrival.original, digest: arrival.originalDigest))
        }
        return items
    }

    private func commit(
        _ batch: [Arrival], _ placements: [Digest256: OriginalsStore.Placement],
        _ end: OriginalsStore.PackEnd?, _ db: Database, at time: UnixTime
    ) throws -> [IngestOutcome] {
        var outcomes: [IngestOutcome] = []
        var unwanted: [Digest256: OriginalsStore.Placement] = [:]
        outcomes.reserveCapacity(batch.count)
        var step: BegunStep?
        try db.inTransaction(.immediate) {
            let transaction = try IngestTransaction(
                db, placements: placements, time: time, policy: matching, bounces: bounces,
                undo: undoLimits)
            for arrival in batch { outcomes.append(try transaction.record(arrival)) }
            try transaction.leads?.finish()
            if let end { try transaction.move(end) }
            unwanted = transaction.unwanted
            step = BegunStep(.batchCommitted, trial)
            return .commit
        }
        step?.done()
        // Erased by another process after it was appended here.
        if !unwanted.isEmpty {
            try originals.overwrite(unwanted, in: Set(unwanted.values.map(\.pack)).sorted())
        }
        return outcomes
    }

    private func commitAlone(
        _ arrival: Arrival, _ placements: [Digest256: OriginalsStore.Placement],
        _ end: OriginalsStore.PackEnd?, _ db: Database, at time: UnixTime
    ) throws -> IngestOutcome {
        var attempts = [arrival]
        if arrival.content != nil {
            var unread = arrival
            unread.content = nil
            attempts.append(unread)
        }
        var refusal: (any Error)?
        for attempt in attempts {
            do {
                return try commit([attempt], placements, end, db, at: time)[0]
            } catch let error as DatabaseError where Self.blamesOneRecord(error) {
                refusal = error
            }
        }
        return .failed(refusal.map { StorageError.failure($0) } ?? StorageError.failure(resultCode: 19))
    }

    private static func blamesOneRecord(_ error: DatabaseError) -> Bool {
        [.SQLITE_CONSTRAINT, .SQLITE_TOOBIG, .SQLITE_MISMATCH].contains(error.resultCode)
    }
}
