public import MailModel
import MailTransport

/// What is known of a provider beforehand, so that its users need not know it.
public enum ProviderPreset: String, Sendable, Hashable, Codable, CaseIterable {
    case gmail
    case yandex
    case mailru
    /// Any other server: endpoints are the account's own.
    case custom

    /// Nil for `custom`.
    public var imap: ServerEndpoint? {
        switch self {
        case .gmail: ServerEndpoint(host: "imap.gmail.com", port: 993, security: .tls)
        case .yandex: ServerEndpoint(host: "imap.yandex.ru", port: 993, security: .tls)
        case .mailru: ServerEndpoint(host: "imap.mail.ru", port: 993, security: .tls)
        case .custom: nil
        }
    }

    /// Nil for `custom`.
    public var smtp: ServerEndpoint? {
        switch self {
        case .gmail: ServerEndpoint(host: "smtp.gmail.com", port: 465, security: .tls)
        case .yandex: ServerEndpoint(host: "smtp.yandex.ru", port: 465, security: .tls)
        case .mailru: ServerEndpoint(host: "smtp.mail.ru", port: 465, security: .tls)
        case .custom: nil
        }
    }

    /// Minutes between two polls unless the account says otherwise.
    public var pollMinutes: Int { 5 }

    /// Minutes that the server may keep silent.
    public var timeoutMinutes: Int { 1 }

    /// The name to sign in with, for an address: with all three the address itself.
    public func login(for address: EmailAddress) -> String { address.addrSpec }

    /// Simultaneous IMAP connections that the provider allows an account; nil where nothing is known.
    public var connectionLimit: Int? {
        switch self {
        case .gmail: 15
        case .yandex, .mailru, .custom: nil
        }
    }

    /// Bytes a day that the provider hands out over IMAP; nil where nothing is known.
    public var dailyDownloadBytes: Int? {
        switch self {
        case .gmail: 2_500 << 20
        case .yandex, .mailru, .custom: nil
        }
    }

    /// Whether what is sent over the provider's SMTP appears in its Sent folder without an APPEND.
    public var appendsSentItself: Bool { self == .gmail }

    /// Messages or recipients a day that may be sent, as the provider counts them; nil where nothing is
    /// known.
    public var dailySendLimit: Int? {
        switch self {
        case .gmail: 2_000
        case .yandex: 500
        case .mailru, .custom: nil
        }
    }

    /// Recipients of one SMTP message; nil where nothing is known.
    public var recipientsPerMessage: Int? {
        switch self {
        case .gmail: 100
        case .yandex: 35
        case .mailru, .custom: nil
        }
    }

    /// How a user gets a password that the provider accepts here; nil for `custom`.
    public var passwordHelp: String? {
        switch self {
        case .gmail:
            "Gmail accepts app passwords only: switch on 2-step verification, make one at"
                + " https://myaccount.google.com/apppasswords and enter it as the password."
        case .yandex:
            "Yandex accepts app passwords only: make one for mail at"
                + " https://id.yandex.ru/security/app-passwords, and allow IMAP under Settings, Email clients"
                + " in Yandex Mail."
        case .mailru:
            "Mail.ru accepts passwords for external applications only: make one at"
                + " https://account.mail.ru/user/2-step-auth/passwords and enter it as the password."
        case .custom: nil
        }
    }

    /// The same failure with the provider's own way out where the password is the trouble.
    public func explaining(_ failure: MailFailure) -> MailFailure {
        guard let passwordHelp, [.loginRefused, .appPasswordNeeded].contains(failure.code),
            failure.kind == .credential
        else { return failure }
        var explained = failure
        explained.remedy = "Check the login (the full address). \(passwordHelp)"
        return explained
    }
}
