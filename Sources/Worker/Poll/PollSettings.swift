import Archive
public import MailFetch
public import MailModel
public import MailTransport
public import OAuth

/// What polls of all accounts have in common.
public struct PollSettings: Sendable {
    public var limits: MailLimits
    public var allowedNetworks: NetworkAllowList
    /// As which this program is known to the providers of OAuth 2.0.
    public var oauthClients: [OAuthProvider: OAuthClient] = [:]
    /// Accounts polled at the same time.
    public var concurrency: Int
    /// For accounts that have no interval or timeout of their own.
    public var defaultIntervalSeconds: Int
    public var defaultTimeoutSeconds: Int
    /// Room on the archive's disk below which no account is polled.
    public var space = SpaceLimit()
    /// Receives the sessions' lines, for finding out what a server really says.
    public var trace: WireTrace?
    /// The only clock of the polls.
    public var now: @Sendable () -> UnixTime = Archive.systemClock

    public init(
        limits: MailLimits = .standard, allowedNetworks: NetworkAllowList = .publicOnly, concurrency: Int = 8,
        defaultIntervalSeconds: Int = 300, defaultTimeoutSeconds: Int = 60, trace: WireTrace? = nil
    ) {
        self.limits = limits
        self.allowedNetworks = allowedNetworks
        self.concurrency = concurrency
        self.defaultIntervalSeconds = defaultIntervalSeconds
        self.defaultTimeoutSeconds = defaultTimeoutSeconds
        self.trace = trace
    }
}
