import MailModel
import MailTransport

/// When a message that its server did not hand out is asked for again. Pure.
enum WithheldSchedule {
    private static let hours: [Int64] = [1, 6, 24, 7 * 24]

    /// Seconds until the next try.
    ///
    /// - Parameters:
    ///   - attempts: how many there were; the last one failed like this.
    ///   - mayBeInnocent: whether the connection broke off, for which the message need not be the reason: it is
    ///     asked for again by the next poll, behind all others.
    static func pause(attempts: Int, mayBeInnocent: Bool) -> Int64 {
        let failed = mayBeInnocent ? attempts - 1 : attempts
        guard failed > 0 else { return 0 }
        return hours[min(failed, hours.count) - 1] * 3600
    }

    /// Seconds until the next try of a message that the server has refused. That it is busy need not be about the
    /// message; a delay that it asks for is kept to, as far as the longest pause goes.
    static func pause(attempts: Int, after failure: MailFailure) -> Int64 {
        let asked = min(Int64(clamping: failure.retryAfterSeconds ?? 0), hours.max()! * 3600)
        return max(asked, pause(attempts: attempts, mayBeInnocent: failure.code == .serverBusy))
    }
}
