import Glibc
import MailModel

/// Bytes that come in pieces: few on the heap, many in a file without a name, because several large messages
/// at once must not add up in memory.
struct SpooledBytes: ~Copyable {
    private(set) var count = 0
    private var heap: [UInt8] = []
    /// Where everything is once there is one.
    private var file: UnnamedFile?
    private let heapBytes: Int
    private let directory: String

    /// - Parameters:
    ///   - heapBytes: beyond which the file takes them; 0 for at once.
    ///   - directory: where the file lies.
    init(heapBytes: Int, directory: String) {
        self.heapBytes = heapBytes
        self.directory = directory
    }

    /// - Throws: `spool-failed`.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(MailFailure) {
        guard !bytes.isEmpty else { return }
        if file == nil, count + bytes.count > heapBytes {
            guard let made = UnnamedFile(in: directory) else { throw Self.failed() }
            let held = heap
            heap = []
            let failure = held.withUnsafeBytes { held -> MailFailure? in
                do throws(MailFailure) { try Self.write(held, to: made.descriptor) } catch { return error }
                return nil
            }
            if let failure { throw failure }
            file = made
        }
        if let descriptor = file?.descriptor {
            try Self.write(bytes, to: descriptor)
        } else {
            heap.append(contentsOf: bytes)
        }
        count += bytes.count
    }

    /// What has come so far.
    /// - Throws: `spool-failed`.
    func finished() throws(MailFailure) -> MessageBytes {
        guard let descriptor = file?.descriptor else { return MessageBytes(heap) }
        guard let bytes = MessageBytes(mapping: descriptor, count: count) else { throw Self.failed() }
        return bytes
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
