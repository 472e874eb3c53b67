import Foundation
import GRDB
public import MailModel

/// What a backup holds, and what of it had to be copied.
public struct BackupReport: Sendable, Hashable, Encodable {
    public var messages: Int
    public var databaseBytes: Int64
    public var originalBytes: Int64
    /// Bytes of originals that an earlier backup in the same directory did not have.
    public var copiedBytes: Int64

    private enum CodingKeys: String, CodingKey {
        case messages
        case databaseBytes = "database_bytes"
        case originalBytes = "original_bytes"
        case copiedBytes = "copied_bytes"
    }
}

extension Archive {
    /// Copies the archive as of one moment into a directory, while others go on writing to it.
    ///
    /// The database comes first and says how far each pack reaches; packs only grow, so that
    /// what it speaks of can be copied afterwards. In a directory that holds an earlier backup
    /// only what is new is copied; until the last step that earlier one stays whole. Mail that was
    /// erased meanwhile is overwritten in it too. The key is not part of a backup.
    ///
    /// - Throws: `archive.exists` when the directory holds something else; `archive.busy` while
    ///   another backup or an erasure runs.
    public func backup(
        to target: String, progress: (_ doneBytes: Int64, _ totalBytes: Int64) -> Void = { _, _ in }
    ) throws(MailFailure) -> BackupReport {
        let maintenance = try holdMaintenance()
        defer { maintenance.release() }
        try overwriteDue()
        do {
            let earlier = try Self.prepareBackupDirectory(target)
            let time = now()
            let snapshot = try DatabaseSnapshotFile(of: pool, in: target, besides: earlier?.database)
            try copyPacks(snapshot.packs, to: target, earlier: earlier, progress: progress)
            let manifest = BackupManifest(
                madeAt: time, database: snapshot.name, databaseSHA256: snapshot.digest,
                packs: snapshot.packs.map {
                    BackupManifest.Pack(
                        pack: $0.pack, bytes: $0.end, chain: Digest256(bytes: $0.chain)?.hex ?? "")
                })
            let copied = snapshot.packs.reduce(Int64(0)) { sum, pack in
                sum + pack.end - Self.reusable(pack, earlier)
            }
            try manifest.write(in: target)
            if let earlier, earlier.database != manifest.database {
                // It has the words of what was erased since.
                try PackFile.delete("\(target)/\(earlier.database)")
            }
            let store = OriginalsStore(detached: target + "/originals")
            try store.overwrite(snapshot.erased, in: snapshot.packs.map(\.pack))
            return BackupReport(
                messages: snapshot.messages, databaseBytes: snapshot.bytes,
                originalBytes: snapshot.packs.reduce(0) { $0 + $1.end }, copiedBytes: copied)
        } catch {
            throw StorageError.failure(error)
        }
    }

    private static func prepareBackupDirectory(_ target: String) throws -> BackupManifest? {
        for path in [target, target + "/originals"] {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw StorageError.failure(errno: errno, path: path)
            }
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: target)
        let foreign = names.filter { name in
            name != "originals" && !name.hasPrefix(BackupManifest.name)
                && !name.hasPrefix(DatabaseSnapshotFile.prefix)
        }
        guard foreign.isEmpty else {
            throw MailFailure(
                .archiveExists, kind: .permanent, "The directory holds something that is no backup",
                detail: "\(target): \(foreign.sorted().prefix(3).joined(separator: ", "))",
                remedy: "Name an empty directory, or one that holds an earlier backup.")
        }
        let manifest = try BackupManifest.read(in: target)
        // What an interrupted backup has left.
        for name in names where name.hasPrefix(DatabaseSnapshotFile.prefix) && name != manifest?.database {
            PackFile.remove("\(target)/\(name)")
        }
        return manifest
    }

    private func copyPacks(
        _ packs: [OriginalsStore.PackEnd], to target: String, earlier: BackupManifest?,
        progress: (Int64, Int64) -> Void
    ) throws {
        let store = OriginalsStore(detached: target + "/originals")
        let total = packs.reduce(Int64(0)) { $0 + $1.end }
        var done: Int64 = 0
        for pack in packs {
            let source = try PackFile(reading: originals.path(pack: pack.pack))
            let path = store.path(pack: pack.pack)
            var start = Self.reusable(pack, earlier)
            // The same number may mean another pack: one of an archive that was restored meanwhile.
            if start > 0, try !Self.isPrefix(path, of: source, upTo: start, earlier, pack.pack) { start = 0 }
            done += start
            if start < pack.end {
                if start == 0 { PackFile.remove(path) }
                let copy =
                    try start > 0
                    ? PackFile(overwriting: path) : PackFile(creating: path, header: [])
                guard let copy else { throw StorageError.failure(errno: EEXIST, path: path) }
                try source.copy(from: start, to: pack.end, into: copy) { bytes in
                    done += bytes
                    progress(done, total)
                }
                try copy.synchronize()
            }
        }
        try PackFile.synchronizeDirectory(target + "/originals")
    }

    /// How much of a pack an earlier backup has.
    private static func reusable(_ pack: OriginalsStore.PackEnd, _ earlier: BackupManifest?) -> Int64 {
        let known = earlier?.packs.first { $0.pack == pack.pack }
        guard let known, known.bytes <= pack.end else { return 0 }
        return known.bytes
    }

    private static func isPrefix(
        _ path: String, of source: PackFile, upTo end: Int64, _ earlier: BackupManifest?, _ pack: Int64
    ) throws -> Bool {
        guard let copy = try? PackFile(reading: path), try copy.size() >= end,
            let chain = earlier?.packs.first(where: { $0.pack == pack })?.chain
        else { return false }
        return try PackWalk.chain(of: source, at: end).flatMap { Digest256(bytes: $0)?.hex } == chain
    }
}

/// A copy of the database as of one moment, durable, and what it says about the packs.
struct DatabaseSnapshotFile {
    static let prefix = "mailworker-"

    let name: String
    let digest: Digest256
    let bytes: Int64
    let messages: Int
    let packs: [OriginalsStore.PackEnd]
    let erased: [Digest256: OriginalsStore.Placement]

    init(of pool: DatabasePool, in directory: String, besides other: String?) throws {
        var number = 1
        while "\(Self.prefix)\(number).db" == other { number += 1 }
        name = "\(Self.prefix)\(number).db"
        let path = "\(directory)/\(name)"
        var packs: [OriginalsStore.PackEnd] = []
        var erased: [Digest256: OriginalsStore.Placement] = [:]
        var messages = 0
        let copy = try DatabaseQueue(path: path)
        try pool.backup(to: copy)
        try copy.inDatabase { db in
            messages = Int(
                try PreparedStatement(db, "SELECT count(*) FROM messages").first { $0.int64(0) } ?? 0)
            try PreparedStatement(db, "SELECT id, committed_end, chain FROM packs ORDER BY id").forEachRow {
                packs.append(
                    OriginalsStore.PackEnd(pack: $0.int64(0), end: $0.int64(1), chain: $0.bytes(2)))
            }
            erased = try Self.erased(db)
            // One file, that can be copied by itself.
            try db.execute(sql: "PRAGMA journal_mode = DELETE")
        }
        try copy.close()
        (self.packs, self.erased, self.messages) = (packs, erased, messages)
        guard chmod(path, 0o600) == 0 else { throw StorageError.failure(errno: errno, path: path) }
        let file = try PackFile(overwriting: path)
        try file.synchronize()
        try PackFile.synchronizeDirectory(directory)
        digest = try file.digest()
        bytes = try file.size()
    }

    static func erased(_ db: Database) throws -> [Digest256: OriginalsStore.Placement] {
        var erased: [Digest256: OriginalsStore.Placement] = [:]
        try PreparedStatement(
            db, "SELECT sha256, pack, offset, size FROM originals WHERE erasure IS NOT NULL"
        ).forEachRow { row in
            guard let digest = Digest256(bytes: row.bytes(0)) else { return }
            erased[digest] = OriginalsStore.Placement(
                pack: row.int64(1), offset: row.int64(2), size: row.int64(3))
        }
        return erased
    }
}
