import Glibc
import MailModel

/// The content of one literal (RFC 9051, 4.3).
enum Literal: Sendable {
    case bytes(MessageBytes)
    /// More than the message limit; the bytes were read and thrown away.
    case tooLarge(Int)
}

/// Gathers a literal that does not lie whole in one chunk.
struct LiteralCollector: ~Copyable {
    private enum Storage {
        case heap([UInt8])
        case file(Int32)
        case discard
    }

    let size: Int
    private(set) var remaining: Int
    private var storage: Storage

    /// A file, because many large messages at once must not add up on the heap.
    static func inFile(_ size: Int, directory: String) throws(MailFailure) -> LiteralCollector {
        // The name is gone before the first byte is written: nothing is left behind by a kill.
        var template = Array("\(directory)/mailworker-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw spoolFailed() }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        return LiteralCollector(size: size, remaining: size, storage: .file(descriptor))
    }

    /// The heap grows with what arrives, not with what is announced.
    static func onHeap(_ size: Int) -> LiteralCollector {
        LiteralCollector(size: size, remaining: size, storage: .heap([]))
    }

    static func discarding(_ size: Int) -> LiteralCollector {
        LiteralCollector(size: size, remaining: size, storage: .discard)
    }

    private init(size: Int, remaining: Int, storage: Storage) {
        self.size = size
        self.remaining = remaining
        self.storage = storage
    }

    deinit { if case .file(let descriptor) = storage { close(descriptor) } }

    /// Takes at most what is missing; returns how much that was.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(MailFailure) -> Int {
        let count = min(remaining, bytes.count)
        let taken = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        switch storage {
        case .heap(var array):
            // Out of the enum while it grows, or every append would copy it.
            storage = .discard
            array.append(contentsOf: taken)
            storage = .heap(array)
        case .file(let descriptor):
            var written = 0
            while written < count {
                let result = write(descriptor, taken.baseAddress! + written, count - written)
                if result < 0, errno == EINTR { continue }
                guard result > 0 else { throw Self.spoolFailed() }
                written += result
            }
        case .discard:
            break
        }
        remaining -= count
        return count
    }

    /// To be called once nothing remains.
    func finished() throws(MailFailure) -> Literal {
        switch storage {
        case .heap(let array): return .bytes(MessageBytes(array))
        case .file(let descriptor):
            guard let bytes = MessageBytes(mapping: descriptor, count: size) else { throw Self.spoolFailed() }
            return .bytes(bytes)
        case .discard: return .tooLarge(size)
        }
    }

    private static func spoolFailed() -> MailFailure {
        MailFailure(
            .spoolFailed, kind: .transient, "A large message could not be put into a temporary file",
            detail: String(cString: strerror(errno)),
            remedy: "Make room in the directory for temporary files, or set TMPDIR to one with room.")
    }
}
