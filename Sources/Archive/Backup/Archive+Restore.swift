import CPageSums
import Foundation
import GRDB
public import MailModel

/// What was made of a backup.
public struct RestoreReport: Sendable, Hashable {
    /// What the verification of the restored archive says: each finding is damage of the backup, all else is whole.
    public var verification: VerifyReport
    /// Pages of the backup's database in which a bit had flipped, and that are as they were again.
    public var mendedPages = 0
    /// Pages of the database that were damaged in the archive when the backup was made, and that the findings name.
    public var carriedPages = 0
}

extension Archive {
    /// Makes an archive out of a backup, in a directory that does not exist or is empty.
    ///
    /// It is built in a folder of the directory, verified, and moved to its place last: what is interrupted has made
    /// nothing. What the backup has damaged costs itself and is named; the rest is restored. The archive
    /// remembers when it was restored, since what it would send may have been sent after the backup.
    ///
    /// - Parameter others: names in the directory that belong to no archive, such as that of its key.
    /// - Throws: `archive.exists`, `archive.busy` while another process restores there, `backup.missing`,
    ///   `backup.unreadable`, and `backup.damaged` when its database cannot be opened.
    public static func restore(
        from backup: String, to directory: String, besides others: Set<String> = [],
        clock: @escaping @Sendable () -> UnixTime = Archive.systemClock,
        progress: @escaping @Sendable (_ doneBytes: Int64, _ totalBytes: Int64) -> Void = { _, _ in }
    ) throws(MailFailure) -> RestoreReport {
        try RestorePlace.demandRoom(in: directory, besides: others)
        guard let manifest = try BackupManifest.read(in: backup) else {
            throw MailFailure(
                .backupMissing, kind: .permanent, "There is no complete backup in the directory",
                detail: backup, remedy: "Name the directory that was given to mailworker backup.")
        }
        let place = try RestorePlace(directory, besides: others)
        do {
            try copy(manifest, from: backup, to: place.staging, progress)
            let report = try finish(place.staging, manifest, clock)
            try place.settle()
            return report
        } catch {
            place.abandon()
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
        for path in [staging + "/originals", staging + "/locks"] {
            try FileOwner.createDirectory(path)
        }
        let database = try self.database(of: manifest, in: backup)
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
        if let pages = manifest.damagedPages, !pages.isEmpty {
            // The verification names them, as that of the archive did.
            let note = self.database(in: staging) + mw_page_damage_suffix
            let lines = pages.map { "\($0)\n" }.joined()
            _ = try PackFile(creating: note, header: Array(lines.utf8))
        }
        let from = OriginalsStore(detached: backup + "/originals", fileNames: manifest.fileNames)
        let to = OriginalsStore(detached: staging + "/originals")
        for pack in manifest.packs {
            let path = from.path(pack: pack.pack)
            // The verification names a pack that is missing, or ends before it should.
            guard access(path, F_OK) == 0 else { continue }
            let source = try PackFile(reading: path)
            try copy(source, upTo: min(source.size(), pack.bytes), to.path(pack: pack.pack))
        }
        for path in [staging + "/originals", staging] { try PackFile.synchronizeDirectory(path) }
    }

    private static func database(
        of manifest: BackupManifest, in backup: String
    ) throws(MailFailure) -> PackFile {
        do throws(MailFailure) {
            return try PackFile(reading: "\(backup)/\(manifest.database)")
        } catch {
            guard error.code == .archiveMissing else { throw error }
            throw MailFailure(
                .backupDamaged, kind: .permanent, "The backup's database is missing", detail: error.detail,
                remedy: "Nothing was restored; use another backup.")
        }
    }

    private static func finish(
        _ staging: String, _ manifest: BackupManifest, _ clock: @escaping @Sendable () -> UnixTime
    ) throws -> RestoreReport {
        let database = try PackFile(overwriting: self.database(in: staging))
        var isWhole = try database.digest() == manifest.databaseSHA256
        var mended = 0
        if !isWhole {
            mended = try PageMending.mend(
                self.database(in: staging), database, to: manifest.databaseSHA256)
            isWhole = try database.digest() == manifest.databaseSHA256
        }
        do {
            var report = try open(staging, manifest, clock)
            if !isWhole {
                report.add(
                    Finding(
                        subject: .database, place: "database of the backup", message: nil,
                        text: "it does not match its checksum"))
            }
            return RestoreReport(
                verification: report, mendedPages: mended,
                carriedPages: manifest.damagedPages?.count ?? 0)
        } catch {
            if isWhole { throw error }
            throw MailFailure(
                .backupDamaged, kind: .permanent, "The backup's database is damaged, and cannot be opened",
                detail: StorageError.failure(error).summary,
                remedy: "Nothing was restored; use another backup.")
        }
    }

    private static func open(
        _ staging: String, _ manifest: BackupManifest, _ clock: @escaping @Sendable () -> UnixTime
    ) throws -> VerifyReport {
        let archive = try open(directory: staging, key: nil, options: ArchiveOptions(clock: clock))
        // A backup that was interrupted may have mail that its database calls erased.
        let (erased, unread) = try erased(in: archive)
        for pack in manifest.packs {
            do {
                try archive.originals.overwrite(erased, in: [pack.pack])
            } catch {
                // The verification names what is left of it in a damaged pack.
                guard StorageError.failure(error).isOfThePack else { throw error }
            }
        }
        try archive.write { db in
            let note = try PreparedStatement(
                db, "INSERT OR REPLACE INTO settings(name, value) VALUES ('restored-at', ?)")
            try note.bind(1, Array(String(clock().rawValue).utf8))
            try note.run()
            Act.concerns("backup of \(manifest.madeAt.rawValue)")
            try archive.holdRestoredOutbox(db)
            try archive.dropRestoredDigests(db)
        }
        var report = try archive.verify()
        for finding in unread + differences(of: archive, from: manifest) { report.add(finding) }
        archive.logCopying.close()
        try archive.pool.close()
        return report
    }

    /// What a damaged page hides costs itself.
    private static func erased(
        in archive: Archive
    ) throws(MailFailure) -> ([Digest256: OriginalsStore.Placement], [Finding]) {
        do throws(MailFailure) {
            return (try archive.read { try DatabaseSnapshotFile.erased($0) }, [])
        } catch {
            guard error.code == .archiveCorrupt else { throw error }
            return ([:], [try unreadable("which mail was erased", error)])
        }
    }

    /// Whether there is as much as when the backup was made.
    private static func differences(of archive: Archive, from manifest: BackupManifest) -> [Finding] {
        [("messages", manifest.messages), ("originals", manifest.originals)].compactMap {
            table, expected -> Finding? in
            guard let expected else { return nil }
            let found = try? archive.read { db in
                try PreparedStatement(db, "SELECT count(*) FROM \(table)").first { Int($0.int64(0)) }
            }
            guard found != expected else { return nil }
            return Finding(
                subject: .database, place: "\(table) of the backup", message: nil,
                text: "there were \(expected) when it was made, and here are "
                    + (found.map(String.init) ?? "some that cannot be counted"))
        }
    }
}

extension MailFailure {
    /// Whether a pack is missing or damaged, and not the disk that it is to be written to.
    var isOfThePack: Bool { code == .originalDamaged || code == .archiveMissing }
}
