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
    /// Polls that are in their first seconds at the same time: of those that may take long, and of the others
    /// (`PollPlaces`).
    public var concurrency: Int
    /// Polls, and openings of watches, at one host at the same time.
    public var hostConnections = 32
    /// Watches of mailboxes at one host.
    public var hostWatches = 1_000
    /// The sessions that all users of these settings have together.
    let mailboxes = MailboxConnections()
    /// Those of the accounts that sign in with them, likewise.
    let tokens = AccessTokens()
    /// What one poll fetches before the other accounts have their turn (`FetchAllowance`).
    public var sliceBytes = FetchAllowance.usualSliceBytes
    /// For accounts that have no interval or timeout of their own.
    public var defaultIntervalSeconds: Int
    public var defaultTimeoutSeconds: Int
    /// Room on the archive's disk below which no account is polled.
    public var space = SpaceLimit()
    /// Of sessions that fetch.
    public var compression = CompressionPolicy.far
    /// Receives the sessions' lines, for finding out what a server really says.
    public var trace: WireTrace?
    /// The only clock of the polls.
    public var now: @Sendable () -> UnixTime = Archive.systemClock
    /// How the time between two tries is passed.
    public var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    public init(
        limits: MailLimits = .standard, allowedNetworks: NetworkAllowList = .publicOnly,
        concurrency: Int = 32,
        defaultIntervalSeconds: Int = 300, defaultTimeoutSeconds: Int = 60, trace: WireTrace? = nil
    ) {
        self.limits = limits
        self.allowedNetworks = allowedNetworks
        self.concurrency = concurrency
        self.defaultIntervalSeconds = defaultIntervalSeconds
        self.defaultTimeoutSeconds = defaultTimeoutSeconds
        self.trace = trace
    }

    /// Watches of all hosts together: polls, and what else needs descriptors, are left the others.
    var watchLimits: MailboxWatches.Limits {
        MailboxWatches.Limits(host: hostWatches, total: max(1, NetworkLoop.descriptorLimit / 4))
    }

    var places: PollPlaces.Limits {
        PollPlaces.Limits(
            fresh: concurrency, host: hostConnections,
            // Watches, the archive and the children that read need descriptors too.
            total: max(concurrency, NetworkLoop.descriptorLimit / 2))
    }
}
