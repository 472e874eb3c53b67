import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// The turn of the one opening, of whatever process, that brings an archive up to date. The others wait for it, however
/// long it takes, and then find nothing left to do: a migration that began on what another had half done would fail.
final class OpeningTurn {
    private let descriptor: Int32

    /// Returns when no other opening has it. A process that dies gives it back.
    init(directory: String) throws(MailFailure) {
        // The directory itself is locked, which leaves no file behind.
        descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError.failure(errno: errno, path: directory) }
        while flock(descriptor, LOCK_EX) != 0 {
            if errno == EINTR { continue }
            let reason = errno
            close(descriptor)
            throw StorageError.failure(errno: reason, path: directory)
        }
    }

    deinit { close(descriptor) }
}
