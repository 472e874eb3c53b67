import Glibc
import MailModel

/// Bytes that come in pieces: few on the heap, many in a file without a name, because several large messages
/// at once must not add up in memory.
struct SpooledBytes: ~Copyable {
    private enum Storage {
        case heap([UInt8])
        case file(Int32)
    }

    private(set) var count = 0
    private var storage = Storage.heap([])
    private let heapBytes: Int
    private let directory: String

    /// - Parameters:
    ///   - heapBytes: beyond which the file takes them; 0 for at once.
    ///   - directory: where the file lies.
    init(heapBytes: Int, directory: String) {
        self.heapBytes = heapBytes
        self.directory = directory
    }

    deinit { if case .file(let descriptor) = storage { close(descriptor) } }

    /// - Throws: `spool-failed`.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(MailFailure) {
        guard !bytes.isEmpty else { return }
        switch storage {
        case .heap(var array) where count + bytes.count <= heapBytes:
            // Out of the enum while it grows, or every append would copy it.
            storage = .heap([])
            array.append(contentsOf: bytes)
            storage = .heap(array)
        case .heap(let array):
            let descriptor = try Self.file(in: directory)
            storage = .file(descriptor)
            let failure = array.withUnsafeBytes { held -> MailFailure? in
                do throws(MailFailure) { try Self.write(held, to: descriptor) } catch { return error }
                return nil
            }
            if let failure { throw failure }
            try Self.write(bytes, to: descriptor)
        case .file(let descriptor):
            try Self.write(bytes, to: descriptor)
        }
        count += bytes.count
    }

    /// What has come so far.
    /// - Throws: `spool-failed`.
    func finished() throws(MailFailure) -> MessageBytes {
        switch storage {
        case .heap(let array): return MessageBytes(array)
        case .file(let descriptor):
            guard let bytes = MessageBytes(mapping: descriptor, count: count) else { throw Self.failed() }
            return bytes
        }
    }

    private static func file(in directory: String) throws(MailFailure) -> Int32 {
        // The name is gone before the first byte is written: nothing is left behind by a kill.
        var template = Array("\(directory)/mailworker-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw failed() }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        return descriptor
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(MailFailure) {
        guard let base = bytes.baseAddress else { return }
        var written = 0
        while written < bytes.count {
            let result = Glibc.write(descriptor, base + written, bytes.count - written)
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { throw failed() }
            written += result
        }
    }

    private static func failed() -> MailFailure {
        MailFailure(
            .spoolFailed, kind: .transient, "A large message could not be put into a temporary file",
            detail: String(cString: strerror(errno)),
            remedy: "Make room in the directory for temporary files, or set TMPDIR to one with room.")
    }
}
