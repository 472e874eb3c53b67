import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Keeps erasures and backups of one archive from running at the same time, in whatever
/// process: a copy of half-erased mail would be neither whole nor erased.
final class MaintenanceLock {
    private let descriptor: Int32

    /// - Throws: `archive.busy` when another process holds it.
    init(directory: String) throws(MailFailure) {
        let path = directory + "/maintenance"
        descriptor = try FileOwner.openOrCreate(path)
        // An object that has all it consists of is taken down when its initializer throws: that closes.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw MailFailure(
                .archiveBusy, kind: .transient, "A backup or an erasure of this archive is running",
                remedy: "Try again when it has ended.")
        }
    }

    func release() { flock(descriptor, LOCK_UN) }

    deinit { close(descriptor) }
}
