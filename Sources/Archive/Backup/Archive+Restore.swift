import Foundation
import GRDB
public import MailModel

extension Archive {
    /// Makes an archive out of a backup, in a directory that does not exist or is empty.
    ///
    /// It is built beside its place, verified, and moved there last: what is interrupted has made
    /// nothing. The archive remembers when it was restored, since what it would send may have
    /// been sent after the backup.
    ///
    /// - Throws: `archive.exists`, `backup.missing`, `backup.unreadable`, `backup.damaged`.
    public static func restore(
        from backup: String, to directory: String,
        clock: @escaping @Sendable () -> UnixTime = Archive.systemClock,
        progress: @escaping @Sendable (_ doneBytes: Int64, _ totalBytes: Int64) -> Void = { _, _ in }
    ) throws(MailFailure) -> VerifyReport {
        if let names = try? FileManager.default.contentsOfDirectory(atPath: directory), !names.isEmpty {
            throw MailFailure(
                .archiveExists, kind: .permanent, "There is something in the archive's directory already",
                detail: directory, remedy: "Move it away, or name another directory in the configuration.")
        }
        guard let manifest = try BackupManifest.read(in: backup) else {
            throw MailFailure(
                .backupMissing, kind: .permanent, "There is no complete backup in the directory",
                detail: backup, remedy: "Name the directory that was given to mailworker backup.")
        }
        let staging = directory + ".restoring"
        do {
            try? FileManager.default.removeItem(atPath: staging)
            try copy(manifest, from: backup, to: staging, progress)
            let report = try finish(staging, manifest, clock)
            rmdir(directory)
            guard rename(staging, directory) == 0 else {
                throw StorageError.failure(errno: errno, path: directory)
            }
            do {
                try PackFile.synchronizeDirectory(
                    URL(fileURLWithPath: directory).deletingLastPathComponent().path)
            } catch {
                // A restore that has failed leaves nothing that looks restored.
                rename(directory, staging)
                throw error
            }
            return report
        } catch {
            try? FileManager.default.removeItem(atPath: staging)
            throw StorageError.failure(error)
        }
    }

    /// When this archive was made out of a backup; nil for one that never was. What was queued
    /// before that moment may have been sent after the backup.
    public func restoredAt() throws(MailFailure) -> UnixTime? {
        let text = try read { db in
            try PreparedStatement(db, "SELECT value FROM settings WHERE name = 'restored-at'")
                .first { String(decoding: $0.bytes(0), as: UTF8.self) }
        }
        return text.flatMap { Int64($0) }.map { UnixTime($0) }
    }

    private static func copy(
        _ manifest: BackupManifest, from backup: String, to staging: String,
        _ progress: (Int64, Int64) -> Void
    ) throws {
        for path in [staging, staging + "/originals", staging + "/locks"] {
            guard mkdir(path, 0o700) == 0 else { throw StorageError.failure(errno: errno, path: path) }
        }
        let database = try PackFile(reading: "\(backup)/\(manifest.database)")
        guard try database.digest() == manifest.databaseSHA256 else {
            throw damagedBackup("its database does not match its checksum")
        }
        let total = manifest.packs.reduce(try database.size()) { $0 + $1.bytes }
        var done: Int64 = 0
        func copy(_ source: PackFile, upTo end: Int64, _ path: String) throws {
            guard let target = try PackFile(creating: path, header: []) else {
                throw StorageError.failure(errno: EEXIST, path: path)
            }
            try source.copy(from: 0, to: end, into: target) { bytes in
                done += bytes
                progress(done, total)
            }
            try target.synchronize()
        }
        try copy(database, upTo: database.size(), self.database(in: staging))
        let from = OriginalsStore(detached: backup + "/originals")
        let to = OriginalsStore(detached: staging + "/originals")
        for pack in manifest.packs {
            try copy(
                PackFile(reading: from.path(pack: pack.pack)), upTo: pack.bytes, to.path(pack: pack.pack))
        }
        for path in [staging + "/originals", staging] { try PackFile.synchronizeDirectory(path) }
    }

    private static func finish(
        _ staging: String, _ manifest: BackupManifest, _ clock: @escaping @Sendable () -> UnixTime
    ) throws -> VerifyReport {
        let archive = try open(directory: staging, key: nil, options: ArchiveOptions(clock: clock))
        // A backup that was interrupted may have mail that its database calls erased.
        try archive.originals.overwrite(
            try archive.read { try DatabaseSnapshotFile.erased($0) }, in: manifest.packs.map(\.pack))
        try archive.write { db in
            let note = try PreparedStatement(
                db, "INSERT OR REPLACE INTO settings(name, value) VALUES ('restored-at', ?)")
            try note.bind(1, Array(String(clock().rawValue).utf8))
            try note.run()
            Act.concerns("backup of \(manifest.madeAt.rawValue)")
            try archive.holdRestoredOutbox(db)
        }
        let report = try archive.verify()
        guard report.isClean else {
            let first = report.findings[0]
            throw damagedBackup("\(first.place): \(first.text)")
        }
        try archive.pool.close()
        return report
    }

    private static func damagedBackup(_ detail: String) -> MailFailure {
        MailFailure(
            .backupDamaged, kind: .permanent, "The backup is damaged", detail: detail,
            remedy: "Nothing was restored; use another backup.")
    }
}
