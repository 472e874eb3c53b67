public import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Small files beside the archive that must outlast a power cut once they are there.
public enum DurableFile {
    /// Makes a new file with its content, and its name durable; nothing of it stays when that fails.
    ///
    /// - Parameter mode: less what the umask takes.
    /// - Throws: `archive.exists` when there is one already, and what the disk says.
    public static func create(_ path: String, _ bytes: [UInt8], mode: UInt32) throws(MailFailure) {
        let descriptor = FileOwner.create(path, mode: mode)
        guard descriptor >= 0 else {
            if errno == EEXIST {
                throw MailFailure(
                    .archiveExists, kind: .permanent, "There is such a file already", detail: path,
                    remedy: "Keep it, or move it away first.")
            }
            throw StorageError.failure(errno: errno, path: path)
        }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            let code = errno
            unlink(path)
            throw StorageError.failure(errno: code, path: path)
        }
        do throws(MailFailure) {
            try PackFile.synchronizeDirectory(FileOwner.directory(of: path))
        } catch {
            unlink(path)
            throw error
        }
    }
}
