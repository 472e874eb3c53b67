import MailModel
import Synchronization

/// What the archive refuses while mail is sent: told once in a while, and asked for less often meanwhile. A disk that is
/// full usually is the one that the log is on too.
final class ArchiveTroubles: Sendable {
    private struct State {
        /// When each kind of failure was told last.
        var told: [MailFailure.Code: UnixTime] = [:]
        var hasFailed = false
        var pause = ArchiveTroubles.usualPause
    }

    static let usualPause = Duration.milliseconds(250)
    static let longestPause = Duration.seconds(4)
    /// Between two words of the same failure, in seconds.
    static let silenceSeconds: Int64 = 60

    private let state = Mutex(State())
    private let now: @Sendable () -> UnixTime

    init(now: @escaping @Sendable () -> UnixTime) { self.now = now }

    /// - Returns: whether it is to be told.
    func note(_ failure: MailFailure) -> Bool {
        let time = now()
        return state.withLock { state in
            state.hasFailed = true
            // A clock that was set back keeps nothing silent.
            if let last = state.told[failure.code],
                (0..<Self.silenceSeconds).contains(time.rawValue - last.rawValue)
            {
                return false
            }
            state.told[failure.code] = time
            return true
        }
    }

    /// Until the outbox is looked at again: longer each time that something has failed since the last call.
    func pause() -> Duration {
        state.withLock { state in
            state.pause = state.hasFailed ? min(state.pause * 2, Self.longestPause) : Self.usualPause
            state.hasFailed = false
            return state.pause
        }
    }
}
