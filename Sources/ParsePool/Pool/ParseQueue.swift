import Dispatch
import MailModel
import Synchronization

/// Requests that were made together, and what is called with the answers.
struct ParseJob: Sendable {
    var requests: [ParseRequest]
    /// Called once, on the thread of a lane.
    let finish: @Sendable (Result<Answers, MailFailure>) -> Void

    struct Answers: Sendable {
        var list: [ParseAnswer]
        /// Of the child that answered last.
        var isolation: ParseIsolation
    }
}

/// The jobs that wait for a lane, in the order of asking. How much waits is bounded by
/// those who ask: each waits for its answers.
final class ParseQueue: Sendable {
    private struct State {
        var waiting: [ParseJob] = []
        var lanes = 0
        var idleLanes = 0
    }

    enum Next {
        case job(ParseJob)
        /// Nothing came within the time.
        case idle
        case closed
    }

    private let state = Mutex(State())
    private let arrived = DispatchSemaphore(value: 0)
    private let lanes: Int

    init(lanes: Int) { self.lanes = lanes }

    /// Takes a job in.
    /// - Returns: whether one more lane is to be started for it.
    func add(_ job: ParseJob) -> Bool {
        let startsLane = state.withLock { state in
            state.waiting.append(job)
            guard state.waiting.count > state.idleLanes, state.lanes < lanes else { return false }
            state.lanes += 1
            return true
        }
        arrived.signal()
        return startsLane
    }

    /// The next job for a lane, which waits for one.
    func next(waiting milliseconds: Int) -> Next {
        state.withLock { $0.idleLanes += 1 }
        let outcome = arrived.wait(timeout: .now() + .milliseconds(milliseconds))
        return state.withLock { state in
            state.idleLanes -= 1
            if outcome == .timedOut { return .idle }
            return state.waiting.isEmpty ? .closed : .job(state.waiting.removeFirst())
        }
    }

    /// Lets the lanes end when what waits has been done. Nothing may be added afterwards.
    func close() {
        for _ in 0..<lanes { arrived.signal() }
    }
}
