import OAuth

/// Every key that a configuration file may hold, by its dotted name. Keys of
/// `[[user]]` and `[[account]]` stand once for every entry of their list, and those
/// of `oauth` once for the table of each provider, such as `[oauth.google]`.
///
/// The enumeration is the single list: the reader takes its values only through
/// it, a key outside it is an error, and a gate compares it with
/// config.example.toml.
enum ConfigurationKey: String, CaseIterable {
    case archiveDirectory = "archive.directory"
    case archiveKeyFile = "archive.key_file"
    case archivePackMegabytes = "archive.pack_megabytes"
    case archiveMinFreeMegabytes = "archive.min_free_megabytes"
    case networkAllow = "network.allow"
    case networkPorts = "network.ports"
    case networkDNS = "network.dns"
    case networkAutoconfig = "network.autoconfig"
    case pollMinutes = "poll.minutes"
    case pollConcurrency = "poll.concurrency"
    case pollHostConnections = "poll.host_connections"
    case pollHostWatches = "poll.host_watches"
    case pollTimeoutMinutes = "poll.timeout_minutes"
    case pollCompress = "poll.compress"
    case limitsMessageMegabytes = "limits.message_megabytes"
    case limitsReceivingMegabytes = "limits.receiving_megabytes"
    case limitsCommitMessages = "limits.commit_messages"
    case parseProcesses = "parse.processes"
    case matchingThreads = "matching.threads"
    case matchingAuthorities = "matching.authorities"
    case matchingUnverified = "matching.unverified"
    case leadsCreate = "leads.create"
    case noticesAccount = "notices.account"
    case noticesDigestMinutes = "notices.digest_minutes"
    case sendUndoSeconds = "send.undo_seconds"
    case sendUserHourlyRecipients = "send.user_hourly_recipients"
    case sendSuppressAfterBounces = "send.suppress_after_bounces"
    case sendSuppressionDays = "send.suppression_days"
    case undoKeepDays = "undo.keep_days"
    case undoMaxMegabytes = "undo.max_megabytes"
    case logLevel = "log.level"

    case oauthClientID = "oauth.client_id"
    case oauthClientSecretFile = "oauth.client_secret_file"
    case oauthRedirectPort = "oauth.redirect_port"
    case oauthAuthorizationURL = "oauth.authorization_url"
    case oauthTokenURL = "oauth.token_url"
    case oauthDeviceURL = "oauth.device_url"
    case oauthScope = "oauth.scope"

    case userName = "user.name"
    case userEmail = "user.email"

    case accountName = "account.name"
    case accountUser = "account.user"
    case accountEmail = "account.email"
    case accountPreset = "account.preset"
    case accountLogin = "account.login"
    case accountPasswordFile = "account.password_file"
    case accountPasswordEnvironment = "account.password_env"
    case accountIMAPHost = "account.imap_host"
    case accountIMAPPort = "account.imap_port"
    case accountIMAPSecurity = "account.imap_security"
    case accountSMTPHost = "account.smtp_host"
    case accountSMTPPort = "account.smtp_port"
    case accountSMTPSecurity = "account.smtp_security"
    case accountPollMinutes = "account.poll_minutes"
    case accountTimeoutMinutes = "account.timeout_minutes"
    case accountSentFolder = "account.sent_folder"
    case accountSentCopy = "account.sent_copy"
    case accountFolders = "account.folders"
    case accountSince = "account.since"
    case accountCAFile = "account.ca_file"
    case accountPins = "account.pins"
    case accountProxy = "account.proxy"
    case accountPush = "account.push"
    case accountColleaguesSee = "account.colleagues_see"

    /// The table or list of tables that holds the key.
    var table: String { String(rawValue.prefix { $0 != "." }) }
    /// The key inside its table.
    var name: String { String(rawValue.drop { $0 != "." }.dropFirst()) }

    /// Tables that may occur any number of times, written `[[table]]`.
    static let listTables: Set<String> = ["user", "account"]
    /// Tables that hold one table for each of these names, written `[table.name]`.
    static let namedTables: [String: [String]] = ["oauth": OAuthProvider.allCases.map(\.rawValue)]
    static let tables = Set(allCases.map(\.table))

    /// Every dotted name as it stands in a file.
    var names: [String] {
        Self.namedTables[table]?.map { "\(table).\($0).\(name)" } ?? [rawValue]
    }
}
