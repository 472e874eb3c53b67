import Archive
import Foundation
import MailFetch
import MailModel
import MailTransport
import Matcher
import OAuth
import TOMLKit
import Worker

/// The settings of one installation, read from its TOML file. Paths are absolute:
/// relative ones are taken from the file's own directory.
struct Configuration {
    var path: String
    var archiveDirectory: String
    var keyFile: String
    var allowedNetworks: NetworkAllowList
    /// Nil: those of the system.
    var nameServers: [DNSClient.Server]?
    var autoconfigURLs = SettingsDiscovery.usualAutoconfigURLs
    var pollMinutes = 5
    var pollConcurrency = 32
    var pollHostConnections = 32
    var pollHostWatches = 1_000
    var timeoutSeconds = 60
    var compression = CompressionPolicy.far
    var limits = MailLimits.standard
    var receivingBytes = 48 << 20
    var parseProcesses = Self.usualParseProcesses
    var commitMessages = 1000
    var packBytes: Int64 = 256 << 20
    var space = SpaceLimit()
    var matching = MatchPolicy()
    /// Nil: owners are told by the list of events only.
    var digests: OwnerDigests.Settings?
    var submission = MailSubmission.Settings()
    var undoDays = 30
    var undoBytes: Int64 = 256 << 20
    var bounces = BounceRule()
    var logLevel = "info"
    var oauthClients: [DeclaredOAuthClient] = []
    var users: [DeclaredUser] = []
    var accounts: [DeclaredAccount] = []

    /// A `[[user]]` of the file.
    struct DeclaredUser: Equatable {
        var name: String
        var email: String?
    }

    /// An `[[account]]` of the file.
    struct DeclaredAccount {
        var options: AccountOptions
        var passwordFile: String?
        var passwordEnvironment: String?
    }

    /// Where the file is looked for when `--config` and MAILWORKER_CONFIG are absent.
    static let searchPath = ["mailworker.toml", "/etc/mailworker/mailworker.toml"]

    /// Reads the file.
    /// - Throws: a `MailFailure` with code `configuration` that names file, line, key and remedy.
    init(path: String) throws(MailFailure) {
        try self.init(source: TOMLSource(path: path))
    }

    init(source: TOMLSource) throws(MailFailure) {
        path = source.path
        let base = URL(fileURLWithPath: source.path).deletingLastPathComponent()
        func absolute(_ path: String) -> String {
            path.hasPrefix("/") ? path : base.appendingPathComponent(path).standardizedFileURL.path
        }
        try ConfigurationReader.refuseUnknownKeys(in: source)

        let archive = try ConfigurationReader(source, table: "archive")
        archiveDirectory = absolute(try archive.string(.archiveDirectory) ?? "mailworker-data")
        keyFile = absolute(try archive.string(.archiveKeyFile) ?? "mailworker.key")

        if let megabytes = try archive.integer(.archivePackMegabytes, in: 1...4096) {
            packBytes = Int64(megabytes) << 20
        }
        if let megabytes = try archive.integer(.archiveMinFreeMegabytes, in: 0...1_000_000) {
            space.minimumFreeBytes = Int64(megabytes) << 20
        }

        let network = try ConfigurationReader(source, table: "network")
        let blocks = try network.strings(.networkAllow) ?? []
        let ports = try network.integers(.networkPorts, in: 1...65_535).map { Set($0.map { UInt16($0) }) }
        do {
            allowedNetworks = try NetworkAllowList(blocks, ports: ports ?? NetworkAllowList.mailPorts)
        } catch {
            throw network.complaint(
                .networkAllow, "\"\(error.detail ?? "")\" is not an address block",
                remedy: "Write networks in CIDR form, such as allow = [\"127.0.0.0/8\", \"10.0.0.0/8\"].")
        }

        try readDiscovery(network)

        let poll = try ConfigurationReader(source, table: "poll")
        pollMinutes = try poll.integer(.pollMinutes, in: 1...1440) ?? pollMinutes
        pollConcurrency = try poll.integer(.pollConcurrency, in: 1...1000) ?? pollConcurrency
        pollHostConnections =
            try poll.integer(.pollHostConnections, in: 1...10_000) ?? pollHostConnections
        pollHostWatches = try poll.integer(.pollHostWatches, in: 1...100_000) ?? pollHostWatches
        timeoutSeconds = try poll.integer(.pollTimeoutMinutes, in: 1...60).map { $0 * 60 } ?? timeoutSeconds

        compression =
            try poll.string(.pollCompress, oneOf: CompressionPolicy.allCases.map(\.rawValue))
            .flatMap(CompressionPolicy.init(rawValue:)) ?? compression

        let limits = try ConfigurationReader(source, table: "limits")
        if let megabytes = try limits.integer(.limitsMessageMegabytes, in: 1...2000) {
            self.limits.messageBytes = megabytes << 20
        }
        if let megabytes = try limits.integer(.limitsReceivingMegabytes, in: 8...4000) {
            receivingBytes = megabytes << 20
        }
        commitMessages = try limits.integer(.limitsCommitMessages, in: 1...10_000) ?? commitMessages

        let parse = try ConfigurationReader(source, table: "parse")
        parseProcesses = try parse.integer(.parseProcesses, in: 0...64) ?? parseProcesses

        matching = try MatchPolicy(try ConfigurationReader(source, table: "matching"))
        let leads = try ConfigurationReader(source, table: "leads")
        matching.leads =
            try leads.string(.leadsCreate, oneOf: LeadCreation.allCases.map(\.rawValue))
            .flatMap(LeadCreation.init(rawValue:)) ?? matching.leads

        let notices = try ConfigurationReader(source, table: "notices")
        let minutes = try notices.integer(.noticesDigestMinutes, in: 1...10_080)
        if let account = try notices.string(.noticesAccount), !account.isEmpty {
            digests = OwnerDigests.Settings(account: account)
            digests?.minutes = minutes ?? 60
        }

        let send = try ConfigurationReader(source, table: "send")
        if let seconds = try send.integer(.sendUndoSeconds, in: 0...3600) {
            submission.undoSeconds = Int64(seconds)
        }
        submission.userHourlyRecipients =
            try send.integer(.sendUserHourlyRecipients, in: 1...1_000_000)
            ?? submission.userHourlyRecipients
        submission.messageBytes = self.limits.messageBytes
        bounces.mails = try send.integer(.sendSuppressAfterBounces, in: 0...100) ?? bounces.mails
        bounces.days = try send.integer(.sendSuppressionDays, in: 1...3650).map(Int64.init) ?? bounces.days

        let undo = try ConfigurationReader(source, table: "undo")
        undoDays = try undo.integer(.undoKeepDays, in: 1...3650) ?? undoDays
        if let megabytes = try undo.integer(.undoMaxMegabytes, in: 1...100_000) {
            undoBytes = Int64(megabytes) << 20
        }

        let log = try ConfigurationReader(source, table: "log")
        logLevel =
            try log.string(.logLevel, oneOf: ["trace", "debug", "info", "notice", "warning", "error"])
            ?? logLevel

        for (name, entry) in try ConfigurationReader.named(source, table: "oauth") {
            guard let provider = OAuthProvider(rawValue: name) else { continue }
            oauthClients.append(try DeclaredOAuthClient(provider, entry, absolute: absolute))
        }
        for entry in try ConfigurationReader.list(source, table: "user") {
            let name = try entry.required(.userName)
            if users.contains(where: { $0.name == name }) { throw entry.declaredTwice(.userName, name) }
            users.append(DeclaredUser(name: name, email: try entry.address(.userEmail)))
        }
        for entry in try ConfigurationReader.list(source, table: "account") {
            var declared = DeclaredAccount(options: try AccountOptions(entry))
            if let name = declared.options.name, accounts.contains(where: { $0.options.name == name }) {
                throw entry.declaredTwice(.accountName, name)
            }
            declared.options.caFile = declared.options.caFile.map(absolute)
            declared.passwordFile = try entry.string(.accountPasswordFile).map(absolute)
            declared.passwordEnvironment = try entry.string(.accountPasswordEnvironment)
            accounts.append(declared)
        }
    }

    private mutating func readDiscovery(_ network: ConfigurationReader) throws(MailFailure) {
        if let servers = try network.strings(.networkDNS) {
            nameServers = []
            for text in servers {
                guard let server = DNSClient.Server(text) else {
                    throw network.complaint(
                        .networkDNS, "\"\(text)\" is not the address of a name server",
                        remedy: "Write addresses, such as dns = [\"192.0.2.53\", \"[2001:db8::53]:5353\"].")
                }
                nameServers?.append(server)
            }
        }
        if let urls = try network.strings(.networkAutoconfig) {
            for url in urls
            where !["https://", "http://"].contains(where: url.hasPrefix) || !url.contains("{domain}") {
                throw network.complaint(
                    .networkAutoconfig, "\"\(url)\" has no place for a domain",
                    remedy: "Write addresses such as https://autoconfig.{domain}/mail/config-v1.1.xml.")
            }
            autoconfigURLs = urls
        }
    }

    /// The way from an address to its servers.
    func discovery(over loop: NetworkLoop) -> SettingsDiscovery {
        var discovery = SettingsDiscovery(
            dns: DNSClient(servers: nameServers ?? DNSClient.systemServers()), loop: loop,
            allowedNetworks: allowedNetworks)
        discovery.autoconfigURLs = autoconfigURLs
        return discovery
    }
}
