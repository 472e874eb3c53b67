import Synchronization

/// What several tasks of a test note, in its order; others wait for it.
final class Notes: Sendable {
    private struct Waiting {
        var number: Int
        var isMeant: @Sendable ([String]) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var list: [String] = []
        var waiting: [Waiting] = []
        var number = 0
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    var all: [String] { state.withLock(\.list) }

    func add(_ note: String) {
        let due = state.withLock { state in
            state.list.append(note)
            let list = state.list
            let due = state.waiting.filter { $0.isMeant(list) }
            state.waiting.removeAll { $0.isMeant(list) }
            return due
        }
        for waiting in due { waiting.continuation.resume() }
    }

    /// Returns when the notes are as meant, or when the test is given up.
    func wait(until isMeant: @escaping @Sendable ([String]) -> Bool) async {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if isMeant(state.list) || state.cancelled.contains(number) { return true }
                    state.waiting.append(
                        Waiting(number: number, isMeant: isMeant, continuation: continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let given = state.withLock { state in
                state.cancelled.insert(number)
                let given = state.waiting.filter { $0.number == number }
                state.waiting.removeAll { $0.number == number }
                return given
            }
            for waiting in given { waiting.continuation.resume() }
        }
    }
}
