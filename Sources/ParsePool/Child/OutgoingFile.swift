import CSandbox
import Glibc
import MailModel

/// The file that goes along with a large message; at most one at a time.
struct OutgoingFile: ~Copyable {
    private(set) var descriptor: Int32 = -1
    /// A copy that was made for sending.
    private var copy: Int32 = -1

    deinit { if copy >= 0 { close(copy) } }

    /// False when the system has no room for it; then the message goes inline.
    mutating func open(_ message: MessageBytes) -> Bool {
        if let file = message.fileDescriptor {
            descriptor = file
            return true
        }
        copy = message.withUnsafeBytes { mw_sealed_copy($0.baseAddress, $0.count) }
        descriptor = copy
        return copy >= 0
    }
}
