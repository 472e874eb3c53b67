import CCurl
import Glibc
import MailModel
import Synchronization

/// Where other threads leave requests for the loop's thread, and how they wake it.
final class LoopMailbox: Sendable {
    enum Request: Sendable {
        case open(LoopConnection, Waiter<Void>)
        /// With a deadline in seconds of its own, or with that of the settings.
        case receive(LoopConnection, within: Int?, Waiter<ByteChannel.Received>)
        case send(LoopConnection, [UInt8], LoopConnection.Sender)
        case close(LoopConnection)
        case exchange(LoopExchange, Waiter<HTTPResponse>)
        case exchangeCancelled(LoopExchange)
        /// The task that waits on this connection with a cancelled token wants to go.
        case cancelled(LoopConnection)
        case stop
    }

    private struct State {
        var requests: [Request] = []
        var isAsleep = false
        var isStopped = false
    }

    private let state = Mutex(State())
    let wakeDescriptor: Int32

    init?() {
        wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard wakeDescriptor >= 0 else { return nil }
    }

    deinit { close(wakeDescriptor) }

    /// After the loop has stopped a request is answered here, with `channel-closed`.
    func post(_ request: Request) {
        let (mustWake, isStopped) = state.withLock { state in
            guard !state.isStopped else { return (false, true) }
            state.requests.append(request)
            defer { state.isAsleep = false }
            return (state.isAsleep, false)
        }
        if isStopped { request.refuse(.loopStopped) }
        // Only a sleeping loop is woken: a busy one looks here before it sleeps.
        if mustWake {
            var one: UInt64 = 1
            _ = write(wakeDescriptor, &one, 8)
        }
    }

    /// The requests so far; when there are none the loop counts as asleep from here on.
    func takeOrSleep() -> [Request] {
        state.withLock { state in
            guard !state.requests.isEmpty else {
                state.isAsleep = true
                return []
            }
            var taken: [Request] = []
            swap(&taken, &state.requests)
            return taken
        }
    }

    func noteAwake() {
        state.withLock { $0.isAsleep = false }
        var count: UInt64 = 0
        _ = read(wakeDescriptor, &count, 8)
    }

    /// From here on every request is refused; returns those that came before.
    func stop() -> [Request] {
        state.withLock { state in
            state.isStopped = true
            defer { state.requests = [] }
            return state.requests
        }
    }

    /// Posts a request that answers a waiter, and waits. Cancelling the task ends the wait at once,
    /// with `cancelled`.
    nonisolated(nonsending) func wait<Value: Sendable>(
        on connection: LoopConnection, _ request: (Waiter<Value>) -> Request
    ) async -> Result<Value, MailFailure> {
        await wait(onCancel: .cancelled(connection), request)
    }

    nonisolated(nonsending) func wait<Value: Sendable>(
        onCancel cancellation: Request, _ request: (Waiter<Value>) -> Request
    ) async -> Result<Value, MailFailure> {
        let token = WaitToken()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                post(request(Waiter(continuation: continuation, token: token)))
            }
        } onCancel: {
            // The token first: a request that the loop has not met yet is then refused when it does.
            token.cancel()
            post(cancellation)
        }
    }
}

extension LoopMailbox.Request {
    func refuse(_ failure: MailFailure) {
        switch self {
        case .open(_, let waiter): waiter.resume(.failure(failure))
        case .receive(_, _, let waiter): waiter.resume(.failure(failure))
        case .send(_, _, let sender): sender.refuse(failure)
        case .exchange(_, let waiter): waiter.resume(.failure(failure))
        case .close, .cancelled, .exchangeCancelled, .stop: break
        }
    }
}

extension MailFailure {
    static let loopStopped = MailFailure(
        .channelClosed, kind: .transient, "The network loop has been shut down")
    static let closedByOwner = MailFailure(
        .channelClosed, kind: .transient, "The connection was closed on this side")
    static let waitCancelled = MailFailure(.cancelled, kind: .transient, "The wait was cancelled")
}
