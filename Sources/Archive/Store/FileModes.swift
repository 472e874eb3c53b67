import Foundation
public import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Keeps the archive's files to the user that runs mailworker. SQLite makes its files as the umask has it, and gives
/// those beside the database the mode of that.
enum FileModes {
    private static let others: mode_t = 0o077

    /// Makes the database's file before SQLite does.
    static func reserve(_ database: String) throws(MailFailure) {
        close(try FileOwner.openOrCreate(database))
    }

    /// Takes the database's files, which may be of an earlier version, from others. What cannot be changed is
    /// for `Archive.openToOthers` to name.
    static func restrict(_ database: String) {
        for path in [database, database + "-wal", database + "-shm"] where isOpen(path) {
            // Without a descriptor of the file, whose closing would take SQLite's locks away (CPageSums).
            fchmodat(AT_FDCWD, path, 0o600, AT_SYMLINK_NOFOLLOW)
        }
    }

    /// Whether somebody else may read or change it.
    static func isOpen(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFLNK && status.st_mode & others != 0
    }

    /// Whether somebody else may add files to a directory, or take them away.
    static func mayBeChanged(_ directory: String) -> Bool {
        var status = stat()
        return stat(directory, &status) == 0 && status.st_mode & 0o022 != 0
    }
}

extension Archive {
    /// The archive's files that other users of this machine may read or change, and the directory itself when they may
    /// change it.
    public func openToOthers() throws(MailFailure) -> [String] {
        let files = try ownFiles().filter(FileModes.isOpen)
        return (FileModes.mayBeChanged(directory) ? [directory] : []) + files
    }

    /// The archive's files that belong to another user than its directory: whoever runs the service cannot open what a
    /// command run by root, or a copy made by root, has left.
    public func ofOthers() throws(MailFailure) -> [String] {
        let owner = FileOwner.of(directory)?.user
        return try ownFiles().filter { path in FileOwner.of(path).map { $0.user != owner } ?? false }
    }

    private func ownFiles() throws(MailFailure) -> [String] {
        let names: [String]
        do {
            let files = FileManager.default
            // The key and the configuration, which may lie here too, have rules of their own.
            let own = try files.contentsOfDirectory(atPath: directory)
                .filter {
                    $0.hasPrefix("mailworker.db") || ["originals", "locks", "verify.json"].contains($0)
                }
            let packs = try files.contentsOfDirectory(atPath: directory + "/originals").map {
                "originals/\($0)"
            }
            names = own.sorted() + packs.sorted()
        } catch {
            throw StorageError.failure(errno: EACCES, path: directory)
        }
        return names.map { "\(directory)/\($0)" }
    }
}
