import Archive
import Dispatch
import MailModel
import MailTransport
import Synchronization

/// The polls and the openings of watches that go on in this process, and the word to their starter that another may
/// begin.
///
/// One task starts polls and waits; any number of tasks run them.
final class PollTurns: Sendable {
    private struct State {
        var places: PollPlaces
        /// Accounts whose last poll ended before all was fetched.
        var behind: Set<AccountID> = []
        /// Those who want to open a watch, the longest first.
        var openings: [Opening] = []
        var number = 0
        var hasChanged = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private struct Opening {
        var number: Int
        var account: AccountID
        var host: String
        var continuation: CheckedContinuation<Bool, Never>
    }

    private let state: Mutex<State>
    private let patienceMilliseconds: Int64
    private let milliseconds: @Sendable () -> Int64

    /// - Parameter milliseconds: a clock that never goes back.
    init(
        _ limits: PollPlaces.Limits,
        milliseconds: @escaping @Sendable () -> Int64 = {
            Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000)
        }
    ) {
        state = Mutex(State(places: PollPlaces(limits)))
        patienceMilliseconds = limits.patienceMilliseconds
        self.milliseconds = milliseconds
    }

    var isIdle: Bool { state.withLock { $0.places.isEmpty } }
    var polled: Set<AccountID> { state.withLock { $0.places.accounts } }
    var waitingOpenings: Int { state.withLock { $0.openings.count } }

    // MARK: Polls

    /// Whether the account's poll may begin now; if so `run` must follow.
    func begin(_ account: Account) -> Bool {
        let now = milliseconds()
        return state.withLock { state in
            let mayTakeLong =
                account.status.lastSuccess == nil || account.status.failures > 0
                || state.behind.contains(account.id)
            return state.places.begin(
                account.id, mayTakeLong ? .longPoll : .poll, host: account.imapHost, now: now)
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

    // MARK: Openings of watches

    /// Runs what opens the session of the account's watch when its turn has come (`admitOpenings`).
    ///
    /// - Throws: `cancelled`, and what `open` throws.
    func open<Opened>(
        _ account: Account, _ open: () async throws(MailFailure) -> Opened
    ) async throws(MailFailure) -> Opened {
        let id = account.id
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        let isAdmitted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.openings.append(
                        Opening(
                            number: number, account: id, host: account.imapHost, continuation: continuation))
                    return false
                }
                if isOver { continuation.resume(returning: false) } else { announce() }
            }
        } onCancel: {
            let opening = state.withLock { state in
                state.openings.firstIndex { $0.number == number }.map { state.openings.remove(at: $0) }
            }
            opening?.continuation.resume(returning: false)
        }
        guard isAdmitted else {
            throw MailFailure(.cancelled, kind: .transient, "The watch was cancelled")
        }
        defer {
            state.withLock { $0.places.end(id) }
            announce()
        }
        return try await open()
    }

    /// Lets as many go on as there is room for: in the order in which they came, but nobody waits for somebody else's
    /// server.
    func admitOpenings() {
        let now = milliseconds()
        let admitted = state.withLock { state in
            var admitted: [Opening] = []
            var full: Set<String> = []
            var left: [Opening] = []
            for (index, opening) in state.openings.enumerated() {
                guard state.places.hasRoom(for: .opening, now: now) else {
                    left += state.openings[index...]
                    break
                }
                if full.contains(opening.host) || state.places.accounts.contains(opening.account) {
                    left.append(opening)
                } else if state.places.begin(opening.account, .opening, host: opening.host, now: now) {
                    admitted.append(opening)
                } else {
                    full.insert(opening.host)
                    left.append(opening)
                }
            }
            state.openings = left
            return admitted
        }
        for opening in admitted { opening.continuation.resume(returning: true) }
    }

    // MARK: The starter

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
}

extension Account {
    fileprivate var imapHost: String { settings.imap?.host ?? "" }
}
