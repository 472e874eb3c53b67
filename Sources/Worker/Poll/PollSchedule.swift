public import MailModel

/// When an account is polled next: a pure decision from what happened last.
public struct PollSchedule: Sendable {
    /// How a poll ended.
    public enum Outcome: Sendable, Hashable {
        case succeeded
        /// It ended before all was fetched, so that others had their turn.
        case unfinished
        case failed(FailureKind, retryAfterSeconds: Int?)
        /// No further try can succeed before somebody has acted: the authorization was withdrawn, or it is another
        /// mailbox.
        case waitsForPerson
    }

    /// The account's interval in seconds.
    public var intervalSeconds: Int64

    public init(intervalSeconds: Int64) {
        self.intervalSeconds = min(max(1, intervalSeconds), Self.longestPause)
    }

    /// A week: no interval and no server's word keeps an account away for longer.
    private static let longestPause: Int64 = 7 * 86_400

    /// A wrong password is tried this often, spread over a day, and then waits for
    /// its user: more tries would lock the mailbox at most providers.
    public static let credentialTries = 5

    /// So often what a person would have to mend is tried as if it passed by itself. A name server, a proxy or a network
    /// that is away for a minute looks like settings that are wrong.
    public static let hopefulTries = 5

    /// The time of the next poll; nil when only a person can make it succeed.
    ///
    /// - Parameters:
    ///   - failures: how many polls in a row have failed, this one included; 0 after a success.
    ///   - phase: 0..<1, of the account, and always the same: where its polls lie within the interval. Accounts that
    ///     were added together, or were all due after an outage, are spread out evenly by it after one poll each.
    ///   - jitter: a random number in 0..<1, so that no server is visited by the clock.
    public func nextPoll(
        after outcome: Outcome, failures: Int, now: UnixTime, phase: Double, jitter: Double
    ) -> UnixTime? {
        switch outcome {
        case .succeeded:
            return now.advanced(
                bySeconds: spread(untilPhase(phase, after: now), within: intervalSeconds, jitter: jitter))
        case .unfinished: return now
        case .failed(.transient, let stated):
            return backoff(failures, stated: stated, now, jitter)
        case .failed(.needsPerson, let stated) where failures <= Self.hopefulTries:
            return backoff(failures, stated: stated, now, jitter)
        case .failed(.credential, _):
            guard failures < Self.credentialTries else { return nil }
            return now.advanced(bySeconds: 86_400 / Int64(Self.credentialTries))
        case .waitsForPerson: return nil
        case .failed(.needsPerson, _), .failed(.permanent, _):
            return now.advanced(bySeconds: spread(3600, by: 0.2, jitter: jitter))
        }
    }

    private func backoff(_ failures: Int, stated: Int?, _ now: UnixTime, _ jitter: Double) -> UnixTime {
        let doubled = Int64(60) << min(max(failures, 1) - 1, 6)
        let asked = min(max(Int64(stated ?? 0), 0), Self.longestPause)
        let pause = max(asked, min(doubled, max(intervalSeconds, 3600)))
        return now.advanced(bySeconds: spread(pause, by: 0.2, jitter: jitter, never: asked))
    }

    /// Seconds to the account's next moment, a quarter of the interval away at least: the whole interval for an
    /// account whose last poll was at its moment, give or take the jitter.
    private func untilPhase(_ phase: Double, after now: UnixTime) -> Int64 {
        let least = intervalSeconds / 4
        let offset = Int64(Double(intervalSeconds) * min(max(phase, 0), 1))
        let (earliest, overflow) = now.rawValue.addingReportingOverflow(least)
        guard !overflow else { return intervalSeconds }
        let late = (earliest % intervalSeconds - offset % intervalSeconds + intervalSeconds) % intervalSeconds
        return least + (late == 0 ? 0 : intervalSeconds - late)
    }

    /// A tenth of the interval earlier or later at most.
    private func spread(_ seconds: Int64, within interval: Int64, jitter: Double) -> Int64 {
        max(1, seconds + Int64(Double(interval) * 0.2 * (min(max(jitter, 0), 1) - 0.5)))
    }

    private func spread(_ seconds: Int64, by part: Double, jitter: Double, never less: Int64 = 0) -> Int64 {
        let factor = 1 - part + 2 * part * min(max(jitter, 0), 1)
        return max(less, Int64(Double(seconds) * factor), 1)
    }
}
