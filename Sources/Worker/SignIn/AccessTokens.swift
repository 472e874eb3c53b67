import Archive
import MailModel
import MailTransport
import OAuth

/// The access tokens of accounts, bought with their refresh tokens and kept in memory only.
///
/// Sessions that want one account's token at the same time share one request to the provider, which may
/// accept each refresh token only once.
actor AccessTokens {
    private struct Purchase {
        /// What it was bought with, and what came with it: with any other the account has been
        /// authorized anew.
        var refreshTokens: Set<Secret>
        var token: IssuedToken
        var expiresAt: UnixTime
    }

    private let archive: Archive
    private let loop: NetworkLoop
    private let settings: PollSettings
    private var purchases: [AccountID: Purchase] = [:]
    private var pending: [AccountID: Task<Result<Purchase, MailFailure>, Never>] = [:]

    /// A token is renewed this long before it expires: it has to outlast the sign-in.
    private static let marginSeconds: Int64 = 60

    init(archive: Archive, loop: NetworkLoop, settings: PollSettings) {
        self.archive = archive
        self.loop = loop
        self.settings = settings
    }

    /// A token that is good for a while.
    func token(for account: Account, refreshToken: Secret) async throws(MailFailure) -> Secret {
        if let purchase = purchases[account.id], purchase.refreshTokens.contains(refreshToken),
            settings.now().advanced(bySeconds: Self.marginSeconds) < purchase.expiresAt
        {
            return purchase.token.accessToken
        }
        if let task = pending[account.id] { return try await task.value.get().token.accessToken }
        let task = Task { await purchase(for: account, refreshToken) }
        pending[account.id] = task
        let result = await task.value
        pending[account.id] = nil
        let bought = try result.get()
        purchases[account.id] = bought
        return bought.token.accessToken
    }

    /// Keeps a token that was refused from being used again.
    func forget(_ token: Secret, of id: AccountID) {
        if purchases[id]?.token.accessToken == token { purchases[id] = nil }
    }

    private nonisolated func purchase(
        for account: Account, _ refreshToken: Secret
    ) async -> Result<Purchase, MailFailure> {
        do throws(MailFailure) {
            return .success(try await buy(account, refreshToken))
        } catch {
            return .failure(error)
        }
    }

    private nonisolated func buy(
        _ account: Account, _ refreshToken: Secret
    ) async throws(MailFailure) -> Purchase {
        let endpoint = try settings.tokenEndpoint(for: account, loop: loop)
        var used = refreshToken
        let token: IssuedToken
        do throws(MailFailure) {
            token = try await endpoint.refresh(used)
        } catch {
            guard error.code == .authorizationRevoked else { throw error }
            var failure = error
            failure.remedy = "Authorize it again: mailworker account authorize \(account.settings.name)."
            // Another process may have spent it, and stored the one that came back.
            guard case .refreshToken(let present) = try archive.credential(of: account.id), present != used
            else { throw failure }
            used = present
            token = try await endpoint.refresh(used)
        }
        var refreshTokens: Set = [refreshToken, used]
        if let renewed = token.refreshToken, renewed != used {
            // Before anything else: the old one may be worthless already.
            try archive.renewRefreshToken(of: account.id, from: used, to: renewed)
            refreshTokens.insert(renewed)
        }
        return Purchase(
            refreshTokens: refreshTokens, token: token,
            expiresAt: settings.now().advanced(bySeconds: Int64(token.lifetimeSeconds)))
    }
}

extension PollSettings {
    /// The token endpoint of the account's provider, reached as the account's servers are.
    /// - Throws: `oauth-configuration` when this program is not registered with the provider.
    func tokenEndpoint(for account: Account, loop: NetworkLoop) throws(MailFailure) -> TokenEndpoint {
        TokenEndpoint(
            client: try oauthClient(for: account), loop: loop,
            path: TokenEndpoint.NetworkPath(
                caFile: account.settings.caFile, proxy: account.settings.proxy,
                allowedNetworks: allowedNetworks))
    }

    func oauthClient(for account: Account) throws(MailFailure) -> OAuthClient {
        let provider = account.oauthProvider
        if let client = oauthClients[provider] { return client }
        let help = provider.registrationHelp.map { "\($0), and set" } ?? "Set"
        throw MailFailure(
            .oauthConfiguration, kind: .needsPerson, "This program is not registered with the OAuth provider",
            detail: provider.rawValue,
            remedy: "\(help) client_id in the configuration, under [oauth.\(provider.rawValue)].")
    }
}
