import Foundation
import GRDB
public import MailModel

extension Archive {
    /// Copies the archive as of one moment into a directory, while others go on writing to it.
    ///
    /// The database comes first and says how far each pack reaches; packs only grow, so that
    /// what it speaks of can be copied afterwards. In a directory that holds an earlier backup of this archive
    /// only what is new is copied; until the last step that earlier one stays whole. What was copied is read back;
    /// what is damaged is named, and the rest is a backup all the same. Mail that was
    /// erased meanwhile is overwritten in it too. The key is not part of a backup.
    ///
    /// What the disk cannot read of the database is missing in the copy, and is named. An earlier backup, which may have it,
    /// is not replaced by such a one.
    ///
    /// - Parameter readsBack: whether what an earlier backup has is read back too, and mended where it is damaged.
    /// - Throws: `archive.exists` when the directory holds something else, or the backup of another archive;
    ///   `archive.busy` while another backup or an erasure runs; `archive.corrupt` when pages of the database are lost and the
    ///   directory holds an earlier backup, which is left as it was.
    public func backup(
        to target: String, readingBack readsBack: Bool = true,
        progress: (_ doneBytes: Int64, _ totalBytes: Int64) -> Void = { _, _ in }
    ) throws(MailFailure) -> BackupReport {
        let maintenance = try holdMaintenance()
        defer { maintenance.release() }
        var unfinished: MailFailure?
        do throws(MailFailure) {
            try overwriteDue()
        } catch {
            let isDamage = [.archiveInputOutput, .archiveCorrupt].contains(error.code) && !error.isNoDamage
            guard error.isOfThePack || isDamage else { throw error }
            unfinished = error
        }
        do {
            let identity = try identity()
            let earlier = try prepareBackupDirectory(target, identity)
            let time = now()
            let snapshot = try DatabaseSnapshotFile(
                of: Self.database(in: directory), in: target, besides: earlier?.database)
            // Nor is that of before, which has lost as much.
            if let earlier, !Set(earlier.damagedPages ?? []).isSuperset(of: snapshot.lost) {
                try snapshot.remove()
                throw Self.wouldReplaceWhole(target, lost: snapshot.lost)
            }
            let folder = target + "/originals"
            var copied = try PackCopying(
                originals: originals, snapshot: snapshot, packs: try packsToCopy(snapshot), folder: folder,
                earlier: earlier, readsBack: readsBack
            ).run(progress: progress)
            if let unfinished {
                copied.findings.append(
                    Finding(
                        subject: .pack, place: "originals", message: nil,
                        text: "an erasure is unfinished, or may be: \(unfinished.revealed)"))
            }
            // A copy has checksums of its own, whatever the page was like that it was made of.
            let noted = try DamageNote(database: Self.database(in: directory)).pages()
                .filter { !snapshot.lost.contains($0) }
            copied.findings += PageCheck.Result(carriedOn: noted).findings(owners: [:])
            copied.findings += snapshot.lost.map {
                Finding(
                    subject: .database, place: "database page \($0)", message: nil,
                    text: "the archive's disk has lost the page, and nothing of it is in the copy")
            }
            copied.findings += snapshot.unread
            let manifest = BackupManifest(
                archive: identity, madeAt: time, database: snapshot.name, databaseSHA256: snapshot.digest,
                damagedPages: (noted + snapshot.lost).sorted(), messages: snapshot.messages,
                originals: snapshot.originals, packs: copied.packs)
            try manifest.write(in: target)
            try Self.removeForgotten(by: manifest, in: target)
            let store = OriginalsStore(detached: folder, fileNames: manifest.fileNames)
            for pack in copied.packs {
                do {
                    try store.overwrite(snapshot.erased, in: [pack.pack])
                } catch {
                    guard StorageError.failure(error).isOfThePack else { throw error }
                    copied.findings.append(
                        Finding(
                            subject: .pack, place: "pack \(pack.pack)", message: nil,
                            text: "what was erased in it could not be overwritten in the backup"))
                }
            }
            let limit = 1000
            return BackupReport(
                messages: snapshot.messages ?? 0, databaseBytes: snapshot.bytes,
                originalBytes: copied.packs.reduce(0) { $0 + $1.bytes }, copiedBytes: copied.copiedBytes,
                mendedRecords: copied.mendedRecords, findings: Array(copied.findings.prefix(limit)),
                furtherFindings: max(0, copied.findings.count - limit))
        } catch {
            throw StorageError.failure(error)
        }
    }

    /// Those that the copy speaks of; where it has lost pages, also those of which it may speak no more.
    private func packsToCopy(_ snapshot: DatabaseSnapshotFile) throws -> [OriginalsStore.PackEnd] {
        guard !snapshot.lost.isEmpty else { return snapshot.packs }
        let known = Set(snapshot.packs.map(\.pack))
        let others = try LonePackCheck.packs(in: directory + "/originals").filter { !known.contains($0) }
        let ends = others.compactMap { pack -> OriginalsStore.PackEnd? in
            guard let file = try? PackFile(reading: originals.path(pack: pack)), let size = try? file.size(),
                size > PackFormat.fileHeaderBytes
            else { return nil }
            let chain = try? PackWalk.chain(of: file, at: size)
            return OriginalsStore.PackEnd(pack: pack, end: size, chain: chain ?? [])
        }
        return (snapshot.packs + ends).sorted { $0.pack < $1.pack }
    }

    private static func wouldReplaceWhole(_ target: String, lost: [UInt32]) -> MailFailure {
        MailFailure(
            .archiveCorrupt, kind: .needsPerson,
            "The disk that the archive lies on has lost pages of its database; the earlier backup was left as it is",
            detail: "\(target); pages \(lost.prefix(10).map(String.init).joined(separator: ", "))"
                + (lost.count > 10 ? " and \(lost.count - 10) more" : ""),
            remedy:
                "See to that disk. The earlier backup may have what is lost: restore it to a directory on another "
                + "disk, and let the next sync fetch what came since. mailworker verify names what is lost; what can still "
                + "be read is copied by mailworker backup into an empty directory.")
    }

    /// What tells this archive, and what is restored of it, from every other one; made by the first backup.
    private func identity() throws -> String {
        func known() throws(MailFailure) -> String? {
            try read { db in
                try PreparedStatement(db, "SELECT value FROM settings WHERE name = 'archive-identity'")
                    .first { String(decoding: $0.bytes(0), as: UTF8.self) }
            }
        }
        if let known = try known() { return known }
        let new = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
        try writeUnaudited { db in
            let insert = try PreparedStatement(
                db, "INSERT OR IGNORE INTO settings(name, value) VALUES ('archive-identity', ?)")
            try insert.bind(1, Array(new.utf8))
            try insert.run()
        }
        return try known() ?? new
    }

    private func prepareBackupDirectory(_ target: String, _ identity: String) throws -> BackupManifest? {
        let folder = target + "/originals"
        for path in [target, folder] { try FileOwner.createDirectory(path) }
        // Else a power cut would take the whole backup away.
        try PackFile.synchronizeDirectory(FileOwner.directory(of: target))
        let files = FileManager.default
        let names = try files.contentsOfDirectory(atPath: target)
        let packs = try files.contentsOfDirectory(atPath: folder)
        let manifest = try BackupManifest.read(in: target)
        let snapshots = names.filter(DatabaseSnapshotFile.isName)
        var foreign = names.filter { name in
            name != "originals" && !BackupManifest.isName(name) && !snapshots.contains(name)
        }
        // A backup begins with its database.
        let mayHavePacks = manifest != nil || !snapshots.isEmpty
        foreign += packs.filter { !mayHavePacks || !BackupManifest.Pack.isName($0) }.map { "originals/\($0)" }
        if isSameDirectory(folder, directory + "/originals") {
            foreign.append("the originals of this archive")
        }
        guard foreign.isEmpty else {
            throw MailFailure(
                .archiveExists, kind: .permanent, "The directory holds something that is no backup",
                detail: "\(target): \(foreign.sorted().prefix(3).joined(separator: ", "))",
                remedy: "Name an empty directory, or one that holds an earlier backup.")
        }
        if let manifest {
            guard
                manifest.archive == identity || manifest.archive == nil && hasPacks(of: manifest, in: target)
            else {
                throw MailFailure(
                    .archiveExists, kind: .permanent, "The directory holds the backup of another archive",
                    detail: target,
                    remedy: "Name an empty directory, or one that holds a backup of this archive.")
            }
            try Self.removeForgotten(by: manifest, in: target)
        } else {
            // What an interrupted backup has left; its database last, without which its packs are nobody's.
            for name in packs { try PackFile.delete("\(folder)/\(name)") }
            if !packs.isEmpty { try PackFile.synchronizeDirectory(folder) }
            for name in snapshots { try PackFile.delete("\(target)/\(name)") }
        }
        return manifest
    }

    private func isSameDirectory(_ one: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev
            && first.st_ino == second.st_ino
    }

    /// Whether a backup that does not say which archive it is of is of this one: each pack begins with a
    /// number of its own.
    private func hasPacks(of manifest: BackupManifest, in target: String) -> Bool {
        let store = OriginalsStore(detached: target + "/originals")
        for pack in manifest.packs {
            let starts = [store, originals].map { store in
                try? PackFile(reading: store.path(pack: pack.pack)).read(PackFormat.fileHeaderBytes, at: 0)
            }
            if starts[0] != nil, starts[0] == starts[1] { return true }
        }
        return manifest.packs.isEmpty
    }

    /// Removes databases and packs that the manifest does not speak of: those of the backup before it, which has the
    /// words of what was erased since, and those of an interrupted one.
    private static func removeForgotten(by manifest: BackupManifest, in target: String) throws {
        let files = FileManager.default
        var hasRemoved = false
        for name in try files.contentsOfDirectory(atPath: target)
        where DatabaseSnapshotFile.isName(name) && name != manifest.database {
            try PackFile.delete("\(target)/\(name)")
            hasRemoved = true
        }
        let store = OriginalsStore(detached: "", fileNames: manifest.fileNames)
        let known = Set(manifest.packs.map { String(store.path(pack: $0.pack).dropFirst()) })
        for name in try files.contentsOfDirectory(atPath: target + "/originals")
        where BackupManifest.Pack.isName(name) && !known.contains(name) {
            try PackFile.delete("\(target)/originals/\(name)")
            hasRemoved = true
        }
        // Else a power cut would bring them back.
        if hasRemoved {
            for path in [target, target + "/originals"] { try PackFile.synchronizeDirectory(path) }
        }
    }
}
