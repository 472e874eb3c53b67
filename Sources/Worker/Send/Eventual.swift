import Synchronization

/// A value that comes once; whoever asks before waits for it.
final class Eventual<Value: Sendable>: Sendable {
    private enum State {
        case awaited(by: [CheckedContinuation<Value, Never>])
        case here(Value)
    }

    private let state = Mutex(State.awaited(by: []))

    /// The first value counts.
    func come(_ value: Value) {
        let waiting = state.withLock { state -> [CheckedContinuation<Value, Never>] in
            guard case .awaited(let waiting) = state else { return [] }
            state = .here(value)
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: value) }
    }

    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state -> Value? in
                    switch state {
                    case .here(let value): return value
                    case .awaited(let waiting):
                        state = .awaited(by: waiting + [continuation])
                        return nil
                    }
                }
                if let known { continuation.resume(returning: known) }
            }
        }
    }
}
