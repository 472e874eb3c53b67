public import MailModel

/// When a mail that was not accepted is tried again; pure.
public enum RetrySchedule {
    /// Seconds before the second, third, … try; the last one from then on.
    static let pauses: [Int64] = [120, 300, 900, 1800, 3600, 7200, 14_400, 21_600]

    /// However much time has passed: a clock that is ahead for a moment gives nothing up.
    static let fewestTries = 6

    /// How long a mail is tried (RFC 5321, 4.5.4.1).
    public static let longestSeconds: Int64 = 5 * 86_400

    /// Whether the time for trying is over.
    public static func isOver(firstTry: UnixTime, now: UnixTime) -> Bool {
        now >= firstTry.advanced(bySeconds: longestSeconds)
    }

    /// - Parameters:
    ///   - attempt: which try of the recipient has just ended, from 1.
    ///   - firstTry: when the first one began.
    ///   - asked: seconds that the server, or the reply's row in `ReplyTable`, wants to pass at least.
    ///   - jitter: 0..<1, so that what failed together does not come back together.
    /// - Returns: nil when the time for trying is over.
    public static func nextTry(
        attempt: Int, firstTry: UnixTime, now: UnixTime, asked: Int?, jitter: Double
    ) -> UnixTime? {
        let end = firstTry.advanced(bySeconds: longestSeconds)
        let isLate = isOver(firstTry: firstTry, now: now)
        guard !isLate || attempt < fewestTries else { return nil }
        let spread = 0.4 * min(max(jitter, 0), 1)
        let usual = Double(pauses[min(max(attempt, 1), pauses.count) - 1]) * (0.8 + spread)
        // Before what it asked for the server would only refuse again.
        let pause = Int64(max(usual, Double(asked ?? 0) * (1 + spread / 2)))
        let next = now.advanced(bySeconds: max(1, pause))
        // One last try at the very end.
        return isLate ? next : min(next, end)
    }
}
