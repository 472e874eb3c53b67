public import Archive
public import MailFetch

/// What an account may send, from its provider's rules and from what somebody set for it; pure.
public struct SendRules: Sendable, Hashable {
    /// Recipients in 24 hours; nil for any number.
    public var recipientsPerDay: Int?
    public var recipientsPerMessage: Int
    /// Messages in one minute; nil for any number.
    public var messagesPerMinute: Int?
    /// Connections that are open at the same time.
    public var connections: Int
    /// How long its provider's block may last at most; nil where that is not known.
    public var blockSeconds: Int64?

    public init(preset: ProviderPreset, limits: SendLimits) {
        recipientsPerDay = limits.recipientsPerDay ?? preset.profile.dailySendLimit
        // RFC 5321 (4.5.3.1.8) promises 100.
        let perMessage = limits.recipientsPerMessage ?? preset.profile.recipientsPerMessage ?? 100
        // A mail that needs more than a day's would wait for ever, and keep all others waiting.
        recipientsPerMessage = min(perMessage, recipientsPerDay ?? perMessage)
        messagesPerMinute = limits.messagesPerMinute ?? preset.profile.messagesPerMinute
        blockSeconds = preset.profile.sendBlockSeconds
        connections = limits.connections ?? preset.profile.sendConnections ?? 4
    }

    /// How long an account waits that sends too fast, in seconds, where its server does not say it.
    ///
    /// - Parameter times: how often in a row it was told so, without a mail being taken in between.
    static func slowing(after times: Int) -> Int64 { min(3_600, 60 << Int64(min(max(times, 1) - 1, 6))) }

    /// How long an account stays silent after its provider has said that it is enough.
    ///
    /// - Parameter stated: seconds that it named; a known block is not believed to be shorter.
    public func silence(stated: Int64?) -> Int64 {
        guard let blockSeconds else { return max(60, stated ?? 3_600) }
        return max(blockSeconds, stated ?? 0)
    }
}
