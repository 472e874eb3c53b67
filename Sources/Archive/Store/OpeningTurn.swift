import Foundation
import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// The turn of the one opening, of whatever process, that brings an archive up to date. The others wait for it, however
/// long it takes, and then find nothing left to do: a migration that began on what another had half done would fail.
final class OpeningTurn {
    private let descriptor: Int32

    /// Returns when no other opening has it. A process that dies gives it back.
    ///
    /// - Parameter waiting: called once when it takes longer than a second, with the numbers of the processes that have
    ///   the turn, as far as the system names them.
    init(directory: String, waiting: ([Int32]) -> Void = { _ in }) throws(MailFailure) {
        // The directory itself is locked, which leaves no file behind.
        descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError.failure(errno: errno, path: directory) }
        for _ in 0..<Self.triesBeforeWaiting {
            if try Self.lock(descriptor, LOCK_EX | LOCK_NB, directory) { return }
            usleep(100_000)
        }
        waiting(Self.holders(of: descriptor))
        _ = try Self.lock(descriptor, LOCK_EX, directory)
    }

    deinit { close(descriptor) }

    private static let triesBeforeWaiting = 10

    private static func lock(_ descriptor: Int32, _ kind: Int32, _ path: String) throws(MailFailure) -> Bool {
        while flock(descriptor, kind) != 0 {
            if errno == EINTR { continue }
            if errno == EWOULDBLOCK { return false }
            throw StorageError.failure(errno: errno, path: path)
        }
        return true
    }

    /// The processes that have a lock on what is open, among those that this user may look into.
    ///
    /// Each process is asked for its own files, since the list of all locks (`/proc/locks`) comes in pieces: while others
    /// lock and unlock, a line may be missed between two of them.
    private static func holders(of descriptor: Int32) -> [Int32] {
        var locked = stat()
        guard fstat(descriptor, &locked) == 0 else { return [] }
        return names(in: "/proc").compactMap { Int32($0) }.sorted().filter { process in
            names(in: "/proc/\(process)/fd").contains { file in
                var about = stat()
                return stat("/proc/\(process)/fd/\(file)", &about) == 0
                    && about.st_dev == locked.st_dev && about.st_ino == locked.st_ino
                    && hasLock(describedIn: "/proc/\(process)/fdinfo/\(file)")
            }
        }
    }

    /// Whether an open file has a lock of its own: "lock:	1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF".
    private static func hasLock(describedIn path: String) -> Bool {
        guard let description = try? String(contentsOfFile: path, encoding: .utf8) else { return false }
        return description.split(separator: "\n").contains { $0.hasPrefix("lock:") && $0.contains("FLOCK") }
    }

    private static func names(in directory: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    }
}
