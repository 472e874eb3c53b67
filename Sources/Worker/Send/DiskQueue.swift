import Dispatch
import MailModel

/// A thread for what waits for the disk, one thing after the other.
///
/// The threads that all tasks share are as many as the processor has cores: one that waits for a commit
/// keeps other mail from going out that is ready to go.
struct DiskQueue: Sendable {
    private let queue: DispatchQueue

    /// - Parameter label: its name in a debugger.
    init(_ label: String) { queue = DispatchQueue(label: "mailworker.\(label)") }

    func start(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }

    func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(MailFailure) -> Value
    ) async throws(MailFailure) -> Value {
        let result: Result<Value, MailFailure> = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Result { () throws(MailFailure) in try body() }) }
        }
        return try result.get()
    }
}
