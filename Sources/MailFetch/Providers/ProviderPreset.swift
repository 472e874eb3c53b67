public import MailModel
import MailTransport

/// The providers whose users need not know their servers.
public enum ProviderPreset: String, Sendable, Hashable, Codable, CaseIterable {
    case gmail
    case yandex
    case mailru
    case rambler
    case icloud
    case fastmail
    case outlook
    /// Any other server: endpoints are the account's own.
    case custom

    public var profile: ProviderProfile {
        switch self {
        case .gmail: .gmail
        case .yandex: .yandex
        case .mailru: .mailru
        case .rambler: .rambler
        case .icloud: .icloud
        case .fastmail: .fastmail
        case .outlook: .outlook
        case .custom: .custom
        }
    }

    /// Whose own domain this is; nil for everybody else's.
    /// - Parameter domain: in any spelling.
    public init?(domain: String) {
        let domain = DomainName.canonical(domain)
        guard let preset = Self.allCases.first(where: { $0.profile.domains.contains(domain) }) else {
            return nil
        }
        self = preset
    }

    /// Who keeps the mail of a domain with this mail server; nil when that is no provider known here.
    public init?(mailExchanger host: String) {
        let host = DomainName.canonical(host)
        let preset = Self.allCases.first { preset in
            preset.profile.mailExchangers.contains { host == $0 || host.hasSuffix(".\($0)") }
        }
        guard let preset else { return nil }
        self = preset
    }

    /// Nil for `custom`.
    public var imap: ServerEndpoint? { profile.imap }

    /// Nil for `custom`.
    public var smtp: ServerEndpoint? { profile.smtp }

    /// Minutes between two polls unless the account says otherwise.
    public var pollMinutes: Int { 5 }

    /// Minutes that the server may keep silent.
    public var timeoutMinutes: Int { 1 }

    /// The name to sign in with, for an address: with all of them the address itself.
    public func login(for address: EmailAddress) -> String { address.addrSpec }

    /// The same failure with the provider's own way out where the password is the trouble.
    public func explaining(_ failure: MailFailure) -> MailFailure {
        guard let passwordHelp = profile.passwordHelp,
            [.loginRefused, .appPasswordNeeded].contains(failure.code), failure.kind == .credential
        else { return failure }
        var explained = failure
        explained.remedy = "Check the login (the full address). \(passwordHelp)"
        return explained
    }
}
