import Archive
import Dispatch
import MailModel
import Synchronization

/// The polls that go on in this process, and the word to their starter that another may begin.
///
/// One task starts polls and waits; any number of tasks run them.
final class PollTurns: Sendable {
    private struct State {
        var places: PollPlaces
        /// Accounts whose last poll ended before all was fetched.
        var behind: Set<AccountID> = []
        var hasChanged = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state: Mutex<State>
    private let patienceMilliseconds: Int64

    init(_ limits: PollPlaces.Limits) {
        state = Mutex(State(places: PollPlaces(limits)))
        patienceMilliseconds = limits.patienceMilliseconds
    }

    var isIdle: Bool { state.withLock { $0.places.isEmpty } }
    var polled: Set<AccountID> { state.withLock { $0.places.accounts } }

    /// Whether the account's poll may begin now; if so `run` must follow.
    func begin(_ account: Account) -> Bool {
        state.withLock { state in
            state.places.begin(
                account.id, host: account.settings.imap?.host ?? "",
                mayTakeLong: account.status.lastSuccess == nil || account.status.failures > 0
                    || state.behind.contains(account.id),
                now: Self.milliseconds())
        }
    }

    /// Runs a poll that has begun.
    func run(_ account: Account, _ poll: @Sendable () async -> AccountReport) async {
        // Its place is free after a while, and somebody may wait for just that.
        async let _ = announcePatienceOver()
        let report = await poll()
        state.withLock { state in
            state.places.end(account.id)
            if report.isUnfinished {
                state.behind.insert(account.id)
            } else {
                state.behind.remove(account.id)
            }
        }
        announce()
    }

    private func announcePatienceOver() async {
        guard (try? await Task.sleep(for: .milliseconds(patienceMilliseconds))) != nil else { return }
        announce()
    }

    /// Wakes the one who waits.
    func announce() {
        let waiter = state.withLock { state in
            state.hasChanged = state.waiter == nil
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns when something was announced since the last wait, or the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.hasChanged || Task.isCancelled {
                        state.hasChanged = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            announce()
        }
    }

    private static func milliseconds() -> Int64 {
        Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000)
    }
}
