import MailModel
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Names for running processes that others can ask about: each process locks a file
/// of its own for as long as it lives, and the system frees the lock when it dies,
/// however it dies.
final class ProcessLocks: Sendable {
    private struct Held {
        var name: String
        var descriptor: Int32
    }

    private let directory: String
    private let held = Mutex<Held?>(nil)

    init(directory: String) { self.directory = directory }

    deinit {
        held.withLock { held in
            guard let own = held else { return }
            unlink(path(own.name))
            close(own.descriptor)
            held = nil
        }
    }

    /// The name of this process (of this object, strictly); the first call takes the lock.
    func ownName() throws(MailFailure) -> String {
        let result = held.withLock { held -> Result<String, MailFailure> in
            if let own = held { return .success(own.name) }
            sweep()
            while true {
                let name = Self.randomName()
                let file = path(name)
                let descriptor = FileOwner.create(file)
                guard descriptor >= 0 else {
                    if errno == EEXIST { continue }
                    return .failure(StorageError.failure(errno: errno, path: file))
                }
                // Another process may sweep the file away between open and lock: then
                // the lock is on a file that nobody can find, and another try is due.
                var status = stat()
                guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &status) == 0,
                    status.st_nlink > 0
                else {
                    close(descriptor)
                    continue
                }
                held = Held(name: name, descriptor: descriptor)
                return .success(name)
            }
        }
        return try result.get()
    }

    /// Whether the process of that name still runs.
    func isAlive(_ name: String) -> Bool {
        if held.withLock({ $0?.name == name }) { return true }
        guard name.utf8.allSatisfy({ (48...57).contains($0) || (97...122).contains($0) }) else {
            return false
        }
        return !isFree(path(name))
    }

    /// Whether it is another process's, and that still runs.
    func isOther(_ name: String) -> Bool { held.withLock { $0?.name != name } && isAlive(name) }

    /// Removes the files of the dead.
    private func sweep() {
        guard let listing = opendir(directory) else { return }
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasSuffix(".lock") else { continue }
            if isFree(directory + "/" + name) { unlink(directory + "/" + name) }
        }
    }

    private func isFree(_ file: String) -> Bool {
        let descriptor = PackFile.openFile(file, O_RDWR)
        // A file that exists but cannot be asked about counts as held.
        guard descriptor >= 0 else { return errno == ENOENT }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    private func path(_ name: String) -> String { "\(directory)/\(name).lock" }

    private static func randomName() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36)
            + String(UInt64.random(in: .min ... .max), radix: 36)
    }
}
