#if canImport(Glibc)
    import Glibc
#endif

/// A temporary file that has no name: whoever ends, and however, leaves nothing of it behind.
public final class UnnamedFile: Sendable {
    /// Open for reading and writing, not inherited by other programs, and closed with this value.
    public let descriptor: Int32

    /// Where temporary files lie: `$TMPDIR`, else `/var/tmp`, which unlike `/tmp` is seldom in memory.
    public static var usualDirectory: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp" }

    /// Nil when the system refuses; `errno` says why.
    public init?(in directory: String = usualDirectory) {
        var path = Array("\(directory)/mailworker.\(String(repeating: "X", count: 6))".utf8CString)
        let opened = mkstemp(&path)
        guard opened >= 0 else { return nil }
        _ = fcntl(opened, F_SETFD, FD_CLOEXEC)
        unlink(path)
        descriptor = opened
    }

    /// Writes all of it at the descriptor's position; false when the system refuses, and `errno` says why.
    public func append(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { octets in
            var done = 0
            while done < octets.count, let base = octets.baseAddress {
                let written = write(descriptor, base + done, octets.count - done)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { return false }
                done += written
            }
            return true
        }
    }

    deinit { close(descriptor) }
}
