public import MailModel

/// How a mailbox is reached, as its address led to it: to be shown to a person before it is used.
public struct FoundSettings: Sendable, Hashable {
    /// What told the settings.
    public enum Source: Sendable, Hashable {
        /// The address is the provider's own.
        case domain(String)
        /// The domain's mail server is a provider's.
        case mailExchanger(String)
        /// SRV records of the domain (RFC 6186, RFC 8314).
        case serviceRecords
        /// A file of the domain for mail programs, at this address.
        case autoconfig(String)
    }

    public var source: Source
    public var preset: ProviderPreset
    public var imap: ServerEndpoint
    /// Nil when nothing tells of one: mail can be read then, and not sent.
    public var smtp: ServerEndpoint?
    public var login: String
    /// What the person should know before they say yes; sentences.
    public var notes: [String] = []

    /// As a provider's users have them.
    init(_ preset: ProviderPreset, of address: EmailAddress, by source: Source, imap: ServerEndpoint) {
        self.source = source
        self.preset = preset
        self.imap = imap
        smtp = preset.smtp
        login = preset.login(for: address)
        let profile = preset.profile
        if let help = profile.passwordHelp { notes.append(help) }
        if profile.hasLabels {
            notes.append("Its labels appear as folders; a message under several of them is filed once.")
        }
        if profile.delimiter != "/" {
            notes.append("Write the names of inner folders with \(profile.delimiter), as its server does.")
        }
    }

    /// As the domain itself tells.
    init(
        imap: ServerEndpoint, smtp: ServerEndpoint?, login: String, by source: Source, at domain: String
    ) {
        self.source = source
        preset = .custom
        self.imap = imap
        self.smtp = smtp
        self.login = login
        // Records and files come unsigned; a certificate only proves the name that they gave (RFC 6186, 6).
        let foreign = [imap.host, smtp?.host].compactMap { $0 }.filter {
            $0 != domain && !$0.hasSuffix(".\(domain)")
        }
        for host in foreign.count == 2 && foreign[0] == foreign[1] ? [foreign[0]] : foreign {
            notes.append(
                "\(host) does not belong to \(domain): make sure that it is where the mailbox is kept,"
                    + " for it will be told the password.")
        }
        if smtp == nil { notes.append("No server for sending was found; name it with --smtp-host.") }
    }
}

extension FoundSettings.Source: CustomStringConvertible {
    public var description: String {
        switch self {
        case .domain(let domain): "the provider's own domain \(domain)"
        case .mailExchanger(let host): "the domain's mail server \(host)"
        case .serviceRecords: "the domain's service records"
        case .autoconfig(let url): url
        }
    }

    /// One word, for programs.
    public var name: String {
        switch self {
        case .domain: "domain"
        case .mailExchanger: "mx"
        case .serviceRecords: "srv"
        case .autoconfig: "autoconfig"
        }
    }
}
