public import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Small files beside the archive that must outlast a power cut once they are there.
public enum DurableFile {
    /// Makes a new file with its content, and its name durable: whole, or not at all. What a process that was killed
    /// meanwhile has left beside it, under its name and `.next`, is cleared by the next.
    ///
    /// - Parameter mode: less what the umask takes.
    /// - Throws: `archive.exists` when there is one already, `archive.busy` while another process makes it, and what the
    ///   disk says.
    public static func create(_ path: String, _ bytes: [UInt8], mode: UInt32) throws(MailFailure) {
        let next = path + ".next"
        let descriptor = try begin(next, mode)
        // With its lock.
        defer { close(descriptor) }
        do throws(MailFailure) {
            // Whoever makes it has the lock, so that nothing comes between this and the renaming.
            guard access(path, F_OK) != 0 else {
                throw MailFailure(
                    .archiveExists, kind: .permanent, "There is such a file already", detail: path,
                    remedy: "Keep it, or move it away first.")
            }
            guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0,
                rename(next, path) == 0
            else { throw StorageError.failure(errno: errno, path: path) }
        } catch {
            unlink(next)
            throw error
        }
        do throws(MailFailure) {
            try PackFile.synchronizeDirectory(FileOwner.directory(of: path))
        } catch {
            unlink(path)
            throw error
        }
    }

    /// - Returns: a new file that only this process writes.
    private static func begin(_ next: String, _ mode: UInt32) throws(MailFailure) -> Int32 {
        var attempt = 0
        while true {
            attempt += 1
            let made = FileOwner.create(next, mode: mode)
            let code = errno
            guard made >= 0 || code == EEXIST else { throw StorageError.failure(errno: code, path: next) }
            let descriptor = made >= 0 ? made : Glibc.open(next, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
            let isLocked = descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0
            if isLocked, FileOwner.isAt(next, descriptor) {
                if made >= 0 { return made }
                // Of a process that has died.
                unlink(next)
            }
            if descriptor >= 0 { close(descriptor) }
            guard attempt < 100 else {
                throw MailFailure(
                    .archiveBusy, kind: .transient, "Another process is making a file", detail: next,
                    remedy: "Try again when it has ended; if no mailworker runs, remove that file.")
            }
            if !isLocked { usleep(10_000) }
        }
    }
}
