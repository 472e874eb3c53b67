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
    /// How long an account stays silent after its provider has said that it is enough.
    public var blockSeconds: Int64

    public init(preset: ProviderPreset, limits: SendLimits) {
        recipientsPerDay = limits.recipientsPerDay ?? preset.profile.dailySendLimit
        // RFC 5321 (4.5.3.1.8) promises 100.
        recipientsPerMessage = limits.recipientsPerMessage ?? preset.profile.recipientsPerMessage ?? 100
        messagesPerMinute = limits.messagesPerMinute
        blockSeconds = preset.profile.sendBlockSeconds ?? 3_600
        connections = limits.connections ?? preset.profile.sendConnections ?? 4
    }
}
