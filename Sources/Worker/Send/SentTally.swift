import Synchronization

/// Counts what one account's run has sent, and tells of it once a second and at its end: a line for each of thousands of mails
/// says nothing more, and costs each of them.
final class SentTally: Sendable {
    private struct State {
        var mails = 0
        var recipients = 0
        var begunAt = ContinuousClock.now
    }

    private let account: String
    private let watch: @Sendable (SendEvent) -> Void
    private let state = Mutex(State())

    init(account: String, watch: @escaping @Sendable (SendEvent) -> Void) {
        self.account = account
        self.watch = watch
    }

    /// A mail has gone to so many recipients.
    func add(recipients: Int) {
        guard recipients > 0 else { return }
        let isTime = state.withLock { state in
            state.mails += 1
            state.recipients += recipients
            return ContinuousClock.now - state.begunAt >= .seconds(1)
        }
        if isTime { tell() }
    }

    /// Tells what has not been told.
    func tell() {
        let sums = state.withLock { state in
            defer { state = State() }
            return state
        }
        guard sums.mails > 0 else { return }
        watch(.sent(account: account, mails: sums.mails, recipients: sums.recipients))
    }
}
