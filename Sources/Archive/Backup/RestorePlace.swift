import CPageSums
import Foundation
import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Where an archive is restored: in a folder within its own directory, so that no right beside that is needed and it
/// may be a mount point or a link; the database is moved to its place last, and without it there is no archive.
///
/// Only one process at a time has it, which the system's lock on the folder says. What one that died has left there is
/// cleared by the next.
final class RestorePlace {
    /// Where the archive is built.
    let staging: String

    private static let folder = ".restoring"
    /// Stands in the folder once the rest of what was built may lie in the archive's directory.
    private static let mark = "complete"
    private static let database = "mailworker.db"
    /// What a file system keeps in its own root.
    private static let unconcerned: Set<String> = [folder, "lost+found"]

    private let directory: String
    /// Whether the directory was made for this.
    private let isNew: Bool
    private let lock: Int32
    private var moved: [String] = []

    /// - Parameter others: names in the directory that belong to no archive, such as that of its key.
    /// - Throws: `archive.exists`; `archive.busy` while another process restores there.
    init(_ directory: String, besides others: Set<String>) throws(MailFailure) {
        let staging = "\(directory)/\(Self.folder)"
        (self.directory, self.staging) = (directory, staging)
        var attempt = 0
        while true {
            attempt += 1
            let isNew = mkdir(directory, 0o700) == 0
            if !isNew, errno != EEXIST { throw StorageError.failure(errno: errno, path: directory) }
            if isNew { FileOwner.follow(directory: directory) }
            let isBegun = mkdir(staging, 0o700) == 0
            var code = isBegun ? 0 : errno
            let lock = code == 0 || code == EEXIST ? open(staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1
            if lock < 0, code == 0 || code == EEXIST { code = errno }
            guard lock >= 0 else {
                // Another one has just ended, and taken its folders away.
                if code == ENOENT, attempt < 100 { continue }
                if isNew { rmdir(directory) }
                throw StorageError.failure(errno: code, path: staging)
            }
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                close(lock)
                throw code == EWOULDBLOCK ? Self.busy : StorageError.failure(errno: code, path: staging)
            }
            guard FileOwner.isAt(staging, lock) else {
                close(lock)
                continue
            }
            if isBegun { FileOwner.follow(lock, staging) }
            (self.isNew, self.lock) = (isNew, lock)
            break
        }
        do {
            try clear(besides: others)
        } catch {
            rmdir(staging)
            if isNew { rmdir(directory) }
            throw StorageError.failure(error)
        }
    }

    deinit { close(lock) }

    /// - Throws: `archive.exists` when there is more in the directory than an earlier attempt has left.
    static func demandRoom(in directory: String, besides others: Set<String>) throws(MailFailure) {
        let names = Set((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
        // An interrupted move: what lies there was made of a backup and is no archive yet.
        let isLeft = access("\(directory)/\(folder)/\(mark)", F_OK) == 0 && !names.contains(database)
        let left = isLeft ? leftovers : []
        let foreign = names.subtracting(unconcerned).subtracting(others).subtracting(left)
        guard foreign.isEmpty else {
            throw MailFailure(
                .archiveExists, kind: .permanent, "There is something in the archive's directory already",
                detail: "\(directory): \(foreign.sorted().prefix(3).joined(separator: ", "))",
                remedy: "Move it away, or name another directory in the configuration.")
        }
    }

    /// - Throws: `archive.busy` while an archive is being restored in the directory.
    static func demandNone(in directory: String) throws(MailFailure) {
        let lock = open("\(directory)/\(folder)", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else { return }
        defer { close(lock) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else { throw busy }
    }

    /// Moves what was built into the archive's directory, and makes that durable.
    func settle() throws {
        guard try PackFile(creating: "\(staging)/\(Self.mark)", header: []) != nil else {
            throw StorageError.failure(errno: EEXIST, path: staging)
        }
        try PackFile.synchronizeDirectory(staging)
        let names = try FileManager.default.contentsOfDirectory(atPath: staging)
        for name in names.sorted() where name != Self.mark && name != Self.database { try move(name) }
        try PackFile.synchronizeDirectory(directory)
        try move(Self.database)
        do {
            try PackFile.synchronizeDirectory(directory)
            if isNew {
                try PackFile.synchronizeDirectory(
                    URL(fileURLWithPath: directory).deletingLastPathComponent().path)
            }
        } catch {
            // A restore that has failed leaves nothing that looks restored.
            rename("\(directory)/\(Self.database)", "\(staging)/\(Self.database)")
            moved.removeLast()
            throw error
        }
        PackFile.remove("\(staging)/\(Self.mark)")
        rmdir(staging)
    }

    /// Takes away whatever was made here.
    func abandon() {
        for name in moved.reversed() {
            try? FileManager.default.removeItem(atPath: "\(directory)/\(name)")
        }
        try? FileManager.default.removeItem(atPath: staging)
        if isNew { rmdir(directory) }
    }

    private func move(_ name: String) throws(MailFailure) {
        let (old, new) = ("\(staging)/\(name)", "\(directory)/\(name)")
        guard access(new, F_OK) != 0 else { throw StorageError.failure(errno: EEXIST, path: new) }
        guard rename(old, new) == 0 else { throw StorageError.failure(errno: errno, path: new) }
        moved.append(name)
    }

    private func clear(besides others: Set<String>) throws {
        try Self.demandRoom(in: directory, besides: others)
        if access("\(staging)/\(Self.mark)", F_OK) == 0 {
            for name in Self.leftovers {
                let path = "\(directory)/\(name)"
                if access(path, F_OK) == 0 { try FileManager.default.removeItem(atPath: path) }
            }
        }
        // The mark goes last: without it nothing of the directory is ours.
        let names = try FileManager.default.contentsOfDirectory(atPath: staging)
        for name in names.filter({ $0 != Self.mark }) + names.filter({ $0 == Self.mark }) {
            try FileManager.default.removeItem(atPath: "\(staging)/\(name)")
        }
    }

    /// All that an archive which was just made can consist of, but the database itself.
    private static var leftovers: Set<String> {
        [
            "originals", "locks", database + "-wal", database + "-shm", SchemaCopy.path(of: database),
            database + mw_page_damage_suffix,
        ]
    }

    private static let busy = MailFailure(
        .archiveBusy, kind: .transient, "Another process is restoring an archive there",
        remedy: "Wait until it has ended.")
}
