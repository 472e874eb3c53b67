import Crypto
import Foundation
import GRDB
import MailModel
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The exact bytes of every copy, in append-only packs.
///
/// Contract: what `append` returned is on the disk. What a committed transaction
/// does not speak of is nobody's: it is never read, and does not stay. One process writes
/// into one pack (the system's lock on the file), and only who holds that lock cuts off what
/// lies behind the pack's committed end: a process what its own failed append or transaction
/// has left, and whoever finds the pack after a process that died. The latter's pack gets no
/// further record.
final class OriginalsStore: Sendable {
    /// Where the bytes of one original lie: the offset is that of its record.
    struct Placement: Sendable, Hashable {
        var pack: Int64
        var offset: Int64
        var size: Int64
    }

    struct Item: Sendable {
        var bytes: MessageBytes
        var digest: Digest256
    }

    /// What the transaction that speaks of an append must write into the pack's row.
    struct PackEnd: Sendable {
        var pack: Int64
        var end: Int64
        var chain: [UInt8]
    }

    private struct Writer {
        var pack: Int64
        var file: PackFile
        var end: Int64
        var chain: [UInt8]
    }

    private struct State {
        var writer: Writer?
        var readers: [Int64: PackFile] = [:]
    }

    private let directory: String
    /// Files of packs that do not have their usual name.
    private let fileNames: [Int64: String]
    /// A pack that has reached this size gets no further batch.
    private let fullAt: Int64
    private let stop: WriteStop
    private let trial: StepTrial?
    private let state = Mutex(State())

    init(
        directory: String, fullAt: Int64, stop: WriteStop, trial: StepTrial? = nil,
        fileNames: [Int64: String] = [:]
    ) {
        self.directory = directory
        self.fileNames = fileNames
        self.fullAt = fullAt
        self.stop = stop
        self.trial = trial
    }

    /// Packs that no open archive appends to, as those of a backup: a disk that fails there
    /// stops no archive.
    convenience init(detached directory: String, fileNames: [Int64: String] = [:]) {
        self.init(directory: directory, fullAt: 0, stop: WriteStop(), fileNames: fileNames)
    }

    func path(pack: Int64) -> String { directory + "/" + (fileNames[pack] ?? fileName(pack: pack)) }

    /// A pack's usual name.
    func fileName(pack: Int64) -> String {
        let digits = String(pack)
        return "pack-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".mwp"
    }

    /// Appends all items and returns when they are on the disk.
    ///
    /// Called on the writer's connection, outside a transaction: choosing a pack
    /// commits by itself.
    func append(_ items: [Item], db: Database, at time: UnixTime) throws -> (
        placements: [Placement], end: PackEnd
    ) {
        try state.withLock { state in
            try stop.check()
            let start = try takeWriter(&state, db: db, at: time)
            state.writer = start
            var writer = start
            var placements: [Placement] = []
            placements.reserveCapacity(items.count)
            do {
                try write(items, into: &writer, &placements)
                let step = BegunStep(.originalsSynced, trial)
                try writer.file.synchronize()
                step.done()
            } catch {
                tidy(after: error) { try start.file.cut(at: start.end) }
                throw error
            }
            state.writer = writer
            return (placements, PackEnd(pack: writer.pack, end: writer.end, chain: writer.chain))
        }
    }

    private func write(
        _ items: [Item], into writer: inout Writer, _ placements: inout [Placement]
    ) throws {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(Self.bufferBytes)
        var written = writer.end
        for item in items {
            let header = PackFormat.recordHeader(
                length: item.bytes.count, digest: item.digest, chain: writer.chain)
            placements.append(
                Placement(pack: writer.pack, offset: writer.end, size: Int64(item.bytes.count)))
            writer.chain = PackFormat.sha256(header)
            writer.end += Int64(header.count + item.bytes.count)
            buffer += header
            try item.bytes.withUnsafeBytes { bytes in
                if bytes.count < Self.bufferBytes / 2 {
                    buffer.append(contentsOf: bytes)
                } else {
                    try flush(&buffer, to: writer.file, at: &written)
                    let step = BegunStep(.originalsAppended, trial)
                    try writer.file.write(bytes, at: written)
                    step.done()
                    written += Int64(bytes.count)
                }
            }
            if buffer.count > Self.bufferBytes / 2 {
                try flush(&buffer, to: writer.file, at: &written)
            }
        }
        try flush(&buffer, to: writer.file, at: &written)
    }

    /// Cuts off what a transaction that failed has left of its append. Called on the writer's connection, outside a
    /// transaction, after a failure; the next append would do it too.
    func settle(_ db: Database) throws {
        try state.withLock { state in
            guard let writer = state.writer else { return }
            state.writer = try settled(writer, db)
        }
    }

    /// A disk that does not take even this is asked again before the next append; after a failed fsync it is not asked.
    func tidy(after failure: any Error, _ body: () throws -> Void) {
        guard StorageError.failure(failure).code != .archiveStopped else { return }
        do {
            try body()
        } catch {
            _ = stop.noting(StorageError.failure(error))
        }
    }

    /// The bytes of one original, after checking them against their digest.
    ///
    /// - Throws: `archive.original-damaged`.
    func read(_ placement: Placement, digest: Digest256) throws(MailFailure) -> MessageBytes {
        let file = try reader(placement.pack)
        let header = try file.read(PackFormat.recordHeaderBytes, at: placement.offset)
        guard let record = PackFormat.record(header), Int64(record.length) == placement.size,
            record.digest == digest
        else { throw Self.damaged(placement) }
        let bytes: MessageBytes
        do {
            bytes = try MessageBytes(count: record.length) { buffer in
                try file.read(into: buffer, at: placement.offset + Int64(PackFormat.recordHeaderBytes))
            }
        } catch {
            throw StorageError.failure(error)
        }
        let actual = bytes.withUnsafeBytes { SHA256.hash(data: $0) }
        guard actual.elementsEqual(digest.bytes) else { throw Self.damaged(placement) }
        return bytes
    }

    func reader(_ pack: Int64) throws(MailFailure) -> PackFile {
        let known = state.withLock { $0.readers[pack] }
        if let known { return known }
        let file = try PackFile(reading: path(pack: pack))
        state.withLock { state in
            if state.readers.count >= 64 { state.readers.removeAll() }
            state.readers[pack] = file
        }
        return file
    }

    private static let bufferBytes = 2 << 20

    private func flush(
        _ buffer: inout [UInt8], to file: PackFile, at offset: inout Int64
    ) throws(MailFailure) {
        guard !buffer.isEmpty else { return }
        let step = BegunStep(.originalsAppended, trial)
        do {
            try buffer.withUnsafeBytes { try file.write($0, at: offset) }
        } catch {
            throw StorageError.failure(error)
        }
        step.done()
        offset += Int64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }

    private func takeWriter(_ state: inout State, db: Database, at time: UnixTime) throws -> Writer {
        if let known = state.writer {
            state.writer = try settled(known, db)
            if let writer = state.writer, writer.end < fullAt { return writer }
            try seal(known.pack, db)
            state.writer = nil
        }
        if let writer = try adopt(db) { return writer }
        return try start(db, at: time)
    }

    /// A pack that nobody writes and that ends where the database says, if any.
    private func adopt(_ db: Database) throws -> Writer? {
        let open = try Int64.fetchAll(db, sql: "SELECT id FROM packs WHERE is_sealed = 0 ORDER BY id")
        for pack in open {
            guard let file = try PackFile(appendingTo: path(pack: pack)) else { continue }
            // Read only now: before the lock another process could still move the end.
            guard let row = try committed(pack, db), !row.isSealed else { continue }
            if try file.size() == row.end, row.end < fullAt {
                return Writer(pack: pack, file: file, end: row.end, chain: row.chain)
            }
            try seal(pack, db)
            try cut(file, of: pack, at: row.end, db)
        }
        return nil
    }

    /// The pack as its last committed transaction left it.
    struct Committed {
        var end: Int64
        var chain: [UInt8]
        var isSealed: Bool
    }

    func committed(_ pack: Int64, _ db: Database) throws -> Committed? {
        let query = try PreparedStatement(
            db, "SELECT committed_end, chain, is_sealed FROM packs WHERE id = ?")
        query.bind(1, pack)
        return try query.first { Committed(end: $0.int64(0), chain: $0.bytes(1), isSealed: $0.int64(2) != 0) }
    }

    /// Our own pack without what a failed append or transaction has left; nil when it gets no further record.
    ///
    /// It is sealed for the time: a transaction of which it is not sure that it has failed could come back with the
    /// write-ahead log after a power cut, until the next one is durable.
    private func settled(_ writer: Writer, _ db: Database) throws -> Writer? {
        guard let row = try committed(writer.pack, db), !row.isSealed else { return nil }
        if row.end == writer.end, try writer.file.size() == row.end { return writer }
        try seal(writer.pack, db)
        guard try cut(writer.file, of: writer.pack, at: row.end, db) else { return nil }
        try seal(writer.pack, db, isSealed: false)
        return Writer(pack: writer.pack, file: writer.file, end: row.end, chain: row.chain)
    }

    /// Cuts off what lies behind the committed end of a pack, for whoever holds its lock.
    ///
    /// - Returns: false when the database contradicts itself, because it is damaged: then it may be somebody's, and stays.
    @discardableResult
    func cut(_ file: PackFile, of pack: Int64, at end: Int64, _ db: Database) throws -> Bool {
        let last = try PreparedStatement(
            db, "SELECT offset + size FROM originals WHERE pack = ? ORDER BY offset DESC LIMIT 1")
        last.bind(1, pack)
        let claimed = try last.first { $0.int64(0) + Int64(PackFormat.recordHeaderBytes) }
        guard end >= max(claimed ?? 0, Int64(PackFormat.fileHeaderBytes)) else { return false }
        let step = BegunStep(.packCut, trial)
        try file.cut(at: end)
        step.done()
        return true
    }

    private func start(_ db: Database, at time: UnixTime) throws -> Writer {
        var number = try Int64.fetchOne(db, sql: "SELECT coalesce(max(id), 0) + 1 FROM packs") ?? 1
        while true {
            let header = PackFormat.fileHeader(number: number)
            let creation = BegunStep(.packCreated, trial)
            guard let file = try PackFile(creating: path(pack: number), header: header) else {
                number += 1
                continue
            }
            creation.done()
            let naming = BegunStep(.directorySynced, trial)
            try PackFile.synchronizeDirectory(directory)
            naming.done()
            let chain = PackFormat.sha256(header)
            let registration = BegunStep(.packRegistered, trial)
            try db.execute(
                sql:
                    "INSERT INTO packs(id, committed_end, chain, is_sealed, created_at) VALUES (?, ?, ?, 0, ?)",
                arguments: [number, header.count, Data(chain), time.rawValue])
            registration.done()
            return Writer(pack: number, file: file, end: Int64(header.count), chain: chain)
        }
    }

    func seal(_ pack: Int64, _ db: Database, isSealed: Bool = true) throws {
        let step = BegunStep(.packSealed, trial)
        try db.execute(sql: "UPDATE packs SET is_sealed = ? WHERE id = ?", arguments: [isSealed, pack])
        step.done()
    }

    static func damaged(_ placement: Placement) -> MailFailure {
        MailFailure(
            .originalDamaged, kind: .needsPerson, "An original does not match its checksum",
            detail: "pack \(placement.pack), offset \(placement.offset)",
            remedy: "Run mailworker verify, and restore that pack from a backup.")
    }
}
