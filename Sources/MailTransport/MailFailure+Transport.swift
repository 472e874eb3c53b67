public import MailModel

/// The codes of everything that can go wrong between the worker and a mail server.
extension MailFailure.Code {
    public static let unknownHost = Self("unknown-host")
    public static let connectionRefused = Self("connection-refused")
    public static let connectionLost = Self("connection-lost")
    public static let timedOut = Self("timed-out")
    /// The server does not offer the TLS that the account asks for.
    public static let tlsRefused = Self("tls-refused")
    /// TLS was begun and failed.
    public static let tlsFailed = Self("tls-failed")
    public static let certificate = Self("certificate")
    public static let caFile = Self("ca-file")
    public static let loginRefused = Self("login-refused")
    public static let appPasswordNeeded = Self("app-password-needed")
    /// The provider wants its user to confirm the sign-in in a browser first.
    public static let webLoginNeeded = Self("web-login-needed")
    /// The mailbox does not let mail programs in.
    public static let accessDisabled = Self("access-disabled")
    /// The provider has shut the mailbox.
    public static let accountLocked = Self("account-locked")
    public static let serverBusy = Self("server-busy")
    public static let tooManyConnections = Self("too-many-connections")
    public static let addressNotAllowed = Self("address-not-allowed")
    public static let portNotAllowed = Self("port-not-allowed")
    /// No name server gave an answer.
    public static let nameLookupFailed = Self("name-lookup-failed")
    public static let proxyFailed = Self("proxy-failed")
    /// The other side did not speak the protocol.
    public static let notAMailServer = Self("not-a-mail-server")
    public static let badSettings = Self("bad-settings")
    /// The task that waited was cancelled.
    public static let cancelled = Self("cancelled")
    /// The network loop was shut down, or the channel closed by its owner.
    public static let channelClosed = Self("channel-closed")
    /// The other side did not speak HTTP, or not over TLS.
    public static let notAWebService = Self("not-a-web-service")
    /// A web service sent more than the request allows.
    public static let answerTooLarge = Self("answer-too-large")
    /// The mail server did not accept the access token.
    public static let tokenRefused = Self("token-refused")
    public static let systemResources = Self("system-resources")
}
