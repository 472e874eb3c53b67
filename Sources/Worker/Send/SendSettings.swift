public import Archive
public import MailModel
public import MailSend

/// What sending has in common for all accounts.
public struct SendSettings: Sendable {
    /// Addresses, tokens, the clock: as for polls.
    public var connections: PollSettings
    public var limits = SMTPLimits()
    /// Seconds that an unused session stays open.
    public var idleSeconds: Int64 = 30
    /// Seconds that mail under way gets when the daemon ends.
    public var graceSeconds = 20
    /// Seconds between the two looks for a copy in the Sent folder that the server may put there itself.
    public var secondLookSeconds: Int64 = 10
    public var jitter: @Sendable () -> Double = { Double.random(in: 0..<1) }

    public init(connections: PollSettings) { self.connections = connections }
}

/// What sending tells while it goes on: names and numbers, safe to log.
public enum SendEvent: Sendable {
    /// As many as were sent since the last time: told once a second, and when nothing more is due.
    case sent(account: String, mails: Int, recipients: Int)
    /// Anything but a full success.
    case notSent(account: String, item: OutboxID, failure: MailFailure)
    case paused(account: String, failure: MailFailure)
    case copyFailed(account: String, failure: MailFailure)
    case filed(Int)
    /// What a process that died left open.
    case becameUncertain(Int)
    case archiveFailed(MailFailure)
}
