import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Tells when files come into a folder (inotify). What has come since it was made is told, too: whoever looks into the
/// folder afterwards misses nothing.
final class FolderArrivals: Sendable {
    /// What has not come by then never will; without an end its test would hang instead of failing.
    private static let patienceMilliseconds: Int32 = 60_000

    private let descriptor: Int32
    private let folder: String

    /// - Throws: when the folder is not there.
    init(of folder: URL) throws {
        self.folder = folder.path
        descriptor = inotify_init1(O_CLOEXEC)
        // A file is put there whole: by a link, or by its new name.
        guard descriptor >= 0,
            inotify_add_watch(descriptor, folder.path, UInt32(IN_CREATE) | UInt32(IN_MOVED_TO)) >= 0
        else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw Program.Unexpected("\(folder.path) cannot be watched: \(reason)")
        }
    }

    deinit { close(descriptor) }

    /// Returns when something has come since the last call.
    /// - Throws: when nothing comes in a minute.
    func next() async throws {
        let (descriptor, folder) = (descriptor, folder)
        // Waiting blocks a thread, which must be none of those that all tests share.
        let hasCome: Bool = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let count = poll(&waiting, 1, Self.patienceMilliseconds)
                var events = [UInt8](repeating: 0, count: 4_096)
                continuation.resume(returning: count == 1 && read(descriptor, &events, events.count) > 0)
            }
        }
        guard hasCome else { throw Program.Unexpected("nothing has come into \(folder)") }
    }
}
