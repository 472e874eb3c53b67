public import Archive
import MailFetch
public import MailModel
public import MailTransport
public import OAuth

/// How accounts get past their servers' doors: with the stored password, or with an access token that the
/// stored refresh token buys.
public struct AccountSignIn: Sendable {
    private let archive: Archive
    private let settings: PollSettings
    private let loop: NetworkLoop

    public init(archive: Archive, loop: NetworkLoop, settings: PollSettings) {
        self.archive = archive
        self.loop = loop
        self.settings = settings
    }

    /// Whether a session does something at once, or waits and can be done without.
    enum SessionUse: Sendable {
        case work, watch
    }

    /// Opens a session with the account's mailbox, as soon as this process has fewer than its provider allows.
    ///
    /// - Throws: `too-many-connections` for a watch that would take the last place but one; else as `open`.
    nonisolated(nonsending) func openMailbox(
        _ account: Account, for use: SessionUse = .work, compression: CompressionPolicy = .never
    ) async throws(MailFailure) -> IMAPSession {
        let limit = account.connectionLimit
        let place: MailboxConnections.Place
        switch use {
        case .work: place = try await settings.mailboxes.place(in: try account.mailbox, limit: limit)
        case .watch:
            guard let spare = settings.mailboxes.placeToSpare(in: try account.mailbox, limit: limit) else {
                throw MailFailure(
                    .tooManyConnections, kind: .transient,
                    "This process has as many connections with the mailbox as its provider allows",
                    detail: "\(account.settings.name): \(limit)", remedy: "It is tried again later by itself."
                )
            }
            place = spare
        }
        return try await open(account) { connection throws(MailFailure) in
            try await IMAPSession.connect(
                connection, loop: loop, limits: settings.limits, trace: settings.trace,
                compression: compression, holding: place)
        }
    }

    /// Opens a session with the account's IMAP server, or with another one of its servers.
    ///
    /// An access token that the server does not accept is replaced once by a new one: it may have been
    /// revoked before its time.
    nonisolated(nonsending) public func open<Session>(
        _ account: Account, to other: ServerEndpoint? = nil,
        _ connect: (ConnectionSettings) async throws(MailFailure) -> Session
    ) async throws(MailFailure) -> Session {
        let endpoint: ServerEndpoint
        if let other { endpoint = other } else { endpoint = try account.imapEndpoint }
        let connection = try await connection(to: endpoint, for: account)
        do throws(MailFailure) {
            return try await connect(connection)
        } catch {
            guard error.code == .tokenRefused else { throw error }
            await settings.tokens.forget(connection.secret, of: account.id)
        }
        do throws(MailFailure) {
            return try await connect(try await self.connection(to: endpoint, for: account))
        } catch {
            guard error.code == .tokenRefused else { throw error }
            var failure = error
            failure.remedy =
                "Check that its login is the mailbox that was authorized, and that IMAP is switched on there;"
                + " then authorize it again: mailworker account authorize \(account.settings.name)."
            throw failure
        }
    }

    /// How to reach and sign in to one of the account's servers.
    ///
    /// An SMTP server may have a sign-in of its own; else it is as for IMAP.
    ///
    /// - Throws: `login-refused` without a password, `authorization-revoked` without a refresh token that
    ///   is worth something, and what the provider's token endpoint leads to.
    nonisolated(nonsending) public func connection(
        to endpoint: ServerEndpoint, for account: Account
    ) async throws(MailFailure) -> ConnectionSettings {
        if endpoint == account.settings.smtp, let own = try archive.smtpSignIn(of: account.id) {
            return connection(
                to: endpoint, for: account.settings, login: own.login, own.password, .password)
        }
        let secret: Secret
        let authentication: Authentication
        switch try archive.credential(of: account.id) {
        case .password(let password):
            secret = password
            authentication = .password
        case .refreshToken(let refreshToken):
            let purchase = TokenPurchase(
                archive: archive, loop: loop, settings: settings, account: account,
                refreshToken: refreshToken)
            secret = try await settings.tokens.token(
                for: account.id, refreshToken: refreshToken, at: settings.now(), buy: purchase.run)
            authentication = .accessToken
        case nil where account.credentialKind == .refreshToken: throw .lacksAuthorization(account)
        case nil:
            throw MailFailure(
                .loginRefused, kind: .credential, "The account has no password",
                detail: account.settings.name,
                remedy: "Give it one: mailworker account edit \(account.settings.name) --password-file FILE.")
        }
        return connection(
            to: endpoint, for: account.settings, login: account.settings.login, secret, authentication)
    }

    private func connection(
        to endpoint: ServerEndpoint, for settings: AccountSettings, login: String, _ secret: Secret,
        _ authentication: Authentication
    ) -> ConnectionSettings {
        ConnectionSettings(
            endpoint: endpoint, login: login, secret: secret, authentication: authentication,
            caFile: settings.caFile, pins: settings.pins, proxy: settings.proxy,
            timeoutSeconds: settings.timeoutSeconds,
            allowedNetworks: self.settings.allowedNetworks)
    }
}

extension Account {
    /// - Throws: `bad-settings` for an account without one.
    var imapEndpoint: ServerEndpoint {
        get throws(MailFailure) {
            if let endpoint = settings.imap { return endpoint }
            throw MailFailure(
                .badSettings, kind: .needsPerson, "The account has no IMAP server",
                detail: settings.name,
                remedy: "Name one: mailworker account edit \(settings.name) --imap-host HOST.")
        }
    }

    /// Who hands out the tokens of this mailbox.
    public var oauthProvider: OAuthProvider {
        switch provider {
        case .gmail: .google
        case .yandex: .yandex
        case .mailru: .mailru
        case .rambler, .icloud, .fastmail, .outlook, .custom: .custom
        }
    }
}

extension MailFailure {
    static func lacksAuthorization(_ account: Account) -> MailFailure {
        MailFailure(
            .authorizationRevoked, kind: .credential, "The mailbox is not authorized",
            detail: account.settings.name,
            remedy: "Authorize it: mailworker account authorize \(account.settings.name).")
    }
}
