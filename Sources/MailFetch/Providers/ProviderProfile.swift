public import MailModel

/// What is known of one provider beforehand: data, which code reads and tests check row by row.
///
/// docs/QUIRKS.md says where each fact comes from. Nil and empty mean that nothing is known, and that the
/// general rule holds.
public struct ProviderProfile: Sendable, Hashable {
    /// As people know it.
    public var title: String
    /// Whose addresses are its own, lower case, A-labels.
    public var domains: [String] = []
    /// The mail servers of domains that companies brought along: these hosts, and all below them.
    public var mailExchangers: [String] = []
    public var imap: ServerEndpoint?
    public var smtp: ServerEndpoint?
    /// What its servers call themselves in the Authentication-Results fields that they write (RFC 8601): a name, or
    /// `*.NAME` for all below one.
    public var authorities: [String] = []
    /// How a user gets a password that the provider accepts.
    public var passwordHelp: String?

    /// Simultaneous IMAP connections that it allows an account.
    public var connectionLimit: Int?
    /// What holds where that is not known: what Dovecot allows a user, as it comes.
    public static let usualConnectionLimit = 10
    /// Seconds after which IDLE is renewed there.
    public var idleSeconds = IMAPSession.idleSeconds
    /// Bytes a day that it hands out over IMAP.
    public var dailyDownloadBytes: Int?
    /// Whether one message stands in several folders, because they are labels.
    public var hasLabels = false
    /// What stands between the levels of its folder names, where that is not the usual slash.
    public var delimiter: Character = "/"

    /// Whether what is sent over its SMTP appears in its Sent folder without an APPEND.
    public var filesSentItself = false
    /// Messages or recipients a day that may be sent, as it counts them.
    public var dailySendLimit: Int?
    /// Recipients of one SMTP message.
    public var recipientsPerMessage: Int?
    /// Messages that it takes of an account in a minute.
    public var messagesPerMinute: Int?
    /// For how long an account may stay shut after it has sent too much.
    public var sendBlockSeconds: Int64?
    /// SMTP connections at the same time.
    public var sendConnections: Int?
}

extension ProviderProfile {
    static let gmail = ProviderProfile(
        title: "Gmail and Google Workspace", domains: ProviderDomains.gmail,
        // The names of domains set up before and after 2023.
        mailExchangers: ["l.google.com", "googlemail.com", "smtp.google.com"],
        imap: ServerEndpoint(host: "imap.gmail.com", port: 993, security: .tls),
        smtp: ServerEndpoint(host: "smtp.gmail.com", port: 465, security: .tls),
        authorities: ["mx.google.com"],
        passwordHelp: "Gmail accepts app passwords only: switch on 2-step verification, make one at"
            + " https://myaccount.google.com/apppasswords and enter it as the password.",
        connectionLimit: 15, dailyDownloadBytes: 2_500 << 20, hasLabels: true, filesSentItself: true,
        dailySendLimit: 2_000, recipientsPerMessage: 100, sendBlockSeconds: 86_400, sendConnections: 2)

    static let yandex = ProviderProfile(
        title: "Yandex and Yandex 360", domains: ProviderDomains.yandex,
        mailExchangers: ["mx.yandex.net", "mx.yandex.ru"],
        imap: ServerEndpoint(host: "imap.yandex.ru", port: 993, security: .tls),
        smtp: ServerEndpoint(host: "smtp.yandex.ru", port: 465, security: .tls),
        // Each of its servers has a name of its own.
        authorities: ["*.mail.yandex.net", "*.qloud-c.yandex.net", "*.yp-c.yandex.net"],
        passwordHelp: "Yandex accepts app passwords only: make one for mail at"
            + " https://id.yandex.ru/security/app-passwords, and allow IMAP under Settings, Email clients"
            + " in Yandex Mail.",
        delimiter: "|", dailySendLimit: 500, recipientsPerMessage: 35,
        // Trying while it blocks prolongs the block by a day.
        sendBlockSeconds: 86_400 + 1_800, sendConnections: 1)

    static let mailru = ProviderProfile(
        title: "Mail.ru and Mail.ru for business", domains: ProviderDomains.mailru,
        mailExchangers: ["emx.mail.ru", "mxs.mail.ru"],
        imap: ServerEndpoint(host: "imap.mail.ru", port: 993, security: .tls),
        smtp: ServerEndpoint(host: "smtp.mail.ru", port: 465, security: .tls),
        authorities: ["mxs.mail.ru"],
        passwordHelp: "Mail.ru accepts passwords for external applications only: make one at"
            + " https://account.mail.ru/user/2-step-auth/passwords and enter it as the password.",
        sendBlockSeconds: 86_400, sendConnections: 1)

    static let rambler = ProviderProfile(
        title: "Rambler", domains: ProviderDomains.rambler, mailExchangers: ["inmx.rambler.ru"],
        imap: ServerEndpoint(host: "imap.rambler.ru", port: 993, security: .tls),
        smtp: ServerEndpoint(host: "smtp.rambler.ru", port: 465, security: .tls),
        passwordHelp: "Rambler lets mail programs in only when its user has allowed them: in Rambler Mail"
            + " under Settings, Programs.",
        sendBlockSeconds: 86_400, sendConnections: 1)

    static let icloud = ProviderProfile(
        title: "iCloud", domains: ProviderDomains.icloud, mailExchangers: ["mail.icloud.com"],
        imap: ServerEndpoint(host: "imap.mail.me.com", port: 993, security: .tls),
        smtp: ServerEndpoint(host: "smtp.mail.me.com", port: 587, security: .starttls),
        passwordHelp: "iCloud accepts app-specific passwords only: make one at https://account.apple.com"
            + " under Sign-In and Security.",
        sendBlockSeconds: 86_400, sendConnections: 1)

    static let fastmail = ProviderProfile(
        title: "Fastmail", domains: ProviderDomains.fastmail, mailExchangers: ["messagingengine.com"],
        imap: ServerEndpoint(host: "imap.fastmail.com", port: 993, security: .tls),
        smtp: ServerEndpoint(host: "smtp.fastmail.com", port: 465, security: .tls),
        passwordHelp: "Fastmail accepts app passwords only: make one under Settings, Privacy and Security.",
        sendBlockSeconds: 86_400, sendConnections: 2)

    static let outlook = ProviderProfile(
        title: "Outlook.com and Microsoft 365", domains: ProviderDomains.outlook,
        mailExchangers: ["protection.outlook.com", "mx.microsoft"],
        imap: ServerEndpoint(host: "outlook.office365.com", port: 993, security: .tls),
        smtp: ServerEndpoint(host: "smtp.office365.com", port: 587, security: .starttls),
        passwordHelp:
            "Microsoft accepts no passwords from mail programs any more: register this program there,"
            + " enter it under [oauth.custom], and authorize the account.",
        filesSentItself: true, messagesPerMinute: 30, sendBlockSeconds: 86_400, sendConnections: 2)

    static let custom = ProviderProfile(title: "another server")
}
