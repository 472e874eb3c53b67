import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// An open pack: positioned reads and writes, closed with the object. A link is none: whoever may write beside the packs
/// must not have root read, overwrite or cut another file.
final class PackFile: Sendable {
    private let descriptor: Int32
    private let path: String

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// As `open`, of files only: a pipe in a file's place would be waited for, for ever.
    ///
    /// - Returns: -1, with the reason in `errno`, for anything else.
    static func openFile(_ path: String, _ flags: Int32) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return descriptor }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG { return descriptor }
        close(descriptor)
        errno = EINVAL
        return -1
    }

    convenience init(reading path: String) throws(MailFailure) {
        let descriptor = Self.openFile(path, O_RDONLY)
        guard descriptor >= 0 else { throw StorageError.failure(errno: errno, path: path) }
        self.init(descriptor: descriptor, path: path)
    }

    /// For changing bytes that no append will ever touch, so that no lock is needed.
    convenience init(overwriting path: String) throws(MailFailure) {
        let descriptor = Self.openFile(path, O_RDWR)
        guard descriptor >= 0 else { throw StorageError.failure(errno: errno, path: path) }
        self.init(descriptor: descriptor, path: path)
    }

    /// Nil when another process writes it, or when it is missing.
    convenience init?(appendingTo path: String) throws(MailFailure) {
        let descriptor = Self.openFile(path, O_RDWR)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw StorageError.failure(errno: errno, path: path)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        self.init(descriptor: descriptor, path: path)
    }

    /// Nil when there is such a file already.
    convenience init?(creating path: String, header: [UInt8]) throws(MailFailure) {
        let descriptor = FileOwner.create(path)
        guard descriptor >= 0 else {
            if errno == EEXIST { return nil }
            throw StorageError.failure(errno: errno, path: path)
        }
        self.init(descriptor: descriptor, path: path)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StorageError.failure(errno: errno, path: path)
        }
        do {
            try header.withUnsafeBytes { try write($0, at: 0) }
            try synchronize()
        } catch {
            // Ours alone and without a record: on a full disk each attempt would leave one.
            unlink(path)
            throw StorageError.failure(error)
        }
    }

    func size() throws(MailFailure) -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StorageError.failure(errno: errno, path: path) }
        return Int64(status.st_size)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(MailFailure) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw StorageError.failure(errno: errno, path: path)
            }
            done += count
        }
    }

    /// Fills the whole buffer, or throws: a short file is a damaged one.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(MailFailure) {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw StorageError.failure(errno: errno, path: path)
            }
            guard count > 0 else {
                throw MailFailure(
                    .originalDamaged, kind: .needsPerson, "A pack of originals is shorter than it was",
                    detail: path, remedy: "Run mailworker verify, and restore that pack from a backup.")
            }
            done += count
        }
    }

    func read(_ count: Int, at offset: Int64) throws(MailFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        do {
            try bytes.withUnsafeMutableBytes { try read(into: $0, at: offset) }
        } catch {
            throw StorageError.failure(error)
        }
        return bytes
    }

    /// Returns when everything written is on the disk.
    /// - Throws: `archive.stopped`, whatever the reason.
    func synchronize() throws(MailFailure) {
        // The size belongs to the data; times do not matter.
        guard fdatasync(descriptor) == 0 else { throw StorageError.failedSync(errno: errno, path: path) }
    }

    /// Overwrites a part of the file with zeros; `synchronize` makes them durable.
    func zero(from start: Int64, to end: Int64) throws(MailFailure) {
        let zeros = [UInt8](repeating: 0, count: Int(max(0, min(end - start, 1 << 20))))
        var done = start
        while done < end {
            let part = Int(min(Int64(zeros.count), end - done))
            do {
                try zeros.withUnsafeBytes {
                    try write(UnsafeRawBufferPointer(rebasing: $0[..<part]), at: done)
                }
            } catch {
                throw StorageError.failure(error)
            }
            done += Int64(part)
        }
    }

    /// Cuts off what lies behind an offset, overwritten before: freed blocks keep their bytes.
    func cut(at end: Int64) throws(MailFailure) {
        let size = try size()
        guard size > end else { return }
        do throws(MailFailure) {
            try zero(from: end, to: size)
        } catch {
            // A full disk that copies on write has no room for zeros, and no bytes to overwrite.
            if error.code != .diskFull { throw error }
        }
        try synchronize()
        guard ftruncate(descriptor, off_t(end)) == 0 else {
            throw StorageError.failure(errno: errno, path: path)
        }
        try synchronize()
    }

    /// Whether some process has it open to append.
    static func isWritten(_ path: String) -> Bool {
        let descriptor = openFile(path, O_RDONLY)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Removes a file that may be there.
    static func remove(_ path: String) { Glibc.unlink(path) }

    /// Removes a file whose content must not stay; one that is not there is removed.
    static func delete(_ path: String) throws(MailFailure) {
        guard Glibc.unlink(path) == 0 || errno == ENOENT else {
            throw StorageError.failure(errno: errno, path: path)
        }
    }

    /// Makes the name of a new file durable.
    static func synchronizeDirectory(_ path: String) throws(MailFailure) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError.failure(errno: errno, path: path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StorageError.failedSync(errno: errno, path: path) }
    }
}
