import Archive
import MailFetch
import MailModel

/// What a person says of an account, on the command line or in the configuration;
/// nil where nothing was said. A preset and the defaults fill in the rest.
struct AccountOptions: Sendable {
    var name: String?
    var user: String?
    var email: String?
    var preset: String?
    var login: String?
    var imapHost: String?
    var imapPort: Int?
    var imapSecurity: TransportSecurity?
    var smtpHost: String?
    var smtpPort: Int?
    var smtpSecurity: TransportSecurity?
    var pollMinutes: Int?
    var timeoutMinutes: Int?
    var sentFolder: String?
    var folders: [String]?
    /// server, append, or auto for what the preset knows or is found out.
    var sentCopy: String?
    var since: UnixTime?
    /// No day is the first any more.
    var fetchesOlder = false
    var caFile: String?
    var pins: [KeyPin]?
    var proxy: String?
    var push: Bool?
    var colleaguesSee: Disclosure?

    init() {}

    /// Reads one `[[account]]`.
    init(_ entry: ConfigurationReader) throws(MailFailure) {
        name = try entry.required(.accountName)
        user = try entry.required(.accountUser)
        _ = try entry.required(.accountEmail)
        email = try entry.address(.accountEmail)
        preset = try entry.string(.accountPreset, oneOf: ProviderPreset.allCases.map(\.rawValue))
        login = try entry.string(.accountLogin)
        imapHost = try entry.string(.accountIMAPHost)
        imapPort = try entry.integer(.accountIMAPPort, in: 1...65_535)
        imapSecurity = try Self.security(.accountIMAPSecurity, of: entry)
        smtpHost = try entry.string(.accountSMTPHost)
        smtpPort = try entry.integer(.accountSMTPPort, in: 1...65_535)
        smtpSecurity = try Self.security(.accountSMTPSecurity, of: entry)
        pollMinutes = try entry.integer(.accountPollMinutes, in: 1...1440)
        timeoutMinutes = try entry.integer(.accountTimeoutMinutes, in: 1...60)
        sentFolder = try entry.string(.accountSentFolder)
        folders = try entry.strings(.accountFolders)
        sentCopy = try entry.string(.accountSentCopy, oneOf: Self.sentCopies)
        if let day = try entry.string(.accountSince) {
            guard let time = UnixTime(day: day) else {
                throw entry.complaint(
                    .accountSince, "\"\(day)\" is not a day", remedy: "Write it as \"2026-01-31\".")
            }
            since = time
        }
        caFile = try entry.string(.accountCAFile)
        if let texts = try entry.strings(.accountPins) {
            pins = []
            for text in texts {
                guard let pin = KeyPin(text) else {
                    throw entry.complaint(
                        .accountPins, "\"\(text)\" is not a pin", remedy: "Write it as sha256/BASE64.")
                }
                pins?.append(pin)
            }
            if !texts.isEmpty,
                imapSecurity == TransportSecurity.none || smtpSecurity == TransportSecurity.none
            {
                throw entry.complaint(
                    .accountPins, "a pin needs TLS", remedy: "Use tls or starttls, or leave the pins out.")
            }
        }
        proxy = try entry.string(.accountProxy)
        push = try entry.boolean(.accountPush)
        colleaguesSee = try entry.string(.accountColleaguesSee, oneOf: Disclosure.allCases.map(\.name))
            .flatMap(Disclosure.init(name:))
        try requireHosts(entry)
    }

    static let sentCopies = ["auto"] + SentCopy.allCases.map(\.rawValue)

    /// Only a preset knows its servers.
    private func requireHosts(_ entry: ConfigurationReader) throws(MailFailure) {
        guard preset == nil || preset == "custom" else { return }
        let remedy = "Name the server (mailworker account discover ADDRESS finds it), or use a preset."
        if imapHost == nil { throw entry.complaint(.accountIMAPHost, "is missing", remedy: remedy) }
        if smtpHost == nil, smtpPort != nil || smtpSecurity != nil {
            throw entry.complaint(
                .accountSMTPHost, "is missing beside the port or security of SMTP", remedy: remedy)
        }
    }

    private static func security(
        _ key: ConfigurationKey, of entry: ConfigurationReader
    ) throws(MailFailure) -> TransportSecurity? {
        try entry.string(key, oneOf: TransportSecurity.allCases.map(\.rawValue))
            .flatMap(TransportSecurity.init(rawValue:))
    }
}
