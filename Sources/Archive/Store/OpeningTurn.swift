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
        waiting(Self.holders(of: descriptor, tries: Self.triesBeforeWaiting))
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

    /// The processes that have a lock on what is open, by the system's list of locks. The list comes in pieces, and while
    /// others lock and unlock a line may be missed between two of them.
    private static func holders(of descriptor: Int32, tries: Int) -> [Int32] {
        for _ in 0..<tries {
            let found = holders(of: descriptor)
            if !found.isEmpty { return found }
        }
        return []
    }

    private static func holders(of descriptor: Int32) -> [Int32] {
        var about = stat()
        guard fstat(descriptor, &about) == 0,
            let list = try? String(contentsOfFile: "/proc/locks", encoding: .utf8)
        else { return [] }
        // "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF"; one that waits has an arrow behind its number.
        return list.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 6, words[1] == "FLOCK", let process = Int32(words[4]),
                words[5].split(separator: ":").last.flatMap({ UInt64($0) }) == UInt64(about.st_ino)
            else { return nil }
            return process
        }
    }
}
