import Archive
import MailModel
import MailTransport
import OAuth

/// The access tokens of accounts, bought with their refresh tokens and kept in memory only: those of this process.
///
/// Sessions that want one account's token at the same time, for whatever purpose, share one request to the provider,
/// which may accept each refresh token only once.
actor AccessTokens {
    struct Purchase: Sendable {
        /// What it was bought with, and what came with it: with any other the account has been
        /// authorized anew.
        var refreshTokens: Set<Secret>
        var token: IssuedToken
        var expiresAt: UnixTime
    }

    private var purchases: [AccountID: Purchase] = [:]
    private var pending: [AccountID: Task<Result<Purchase, MailFailure>, Never>] = [:]

    /// A token is renewed this long before it expires: it has to outlast the sign-in.
    private static let marginSeconds: Int64 = 60

    /// A token that is good for a while.
    func token(
        for account: AccountID, refreshToken: Secret, at now: UnixTime,
        buy: @escaping @Sendable () async -> Result<Purchase, MailFailure>
    ) async throws(MailFailure) -> Secret {
        if let purchase = purchases[account], purchase.refreshTokens.contains(refreshToken),
            now.advanced(bySeconds: Self.marginSeconds) < purchase.expiresAt
        {
            return purchase.token.accessToken
        }
        if let task = pending[account] { return try await task.value.get().token.accessToken }
        let task = Task { await buy() }
        pending[account] = task
        let result = await task.value
        pending[account] = nil
        let bought = try result.get()
        purchases[account] = bought
        return bought.token.accessToken
    }

    /// Keeps a token that was refused from being used again.
    func forget(_ token: Secret, of id: AccountID) {
        if purchases[id]?.token.accessToken == token { purchases[id] = nil }
    }
}

/// Buys an access token with a refresh token.
struct TokenPurchase: Sendable {
    let archive: Archive
    let loop: NetworkLoop
    let settings: PollSettings
    let account: Account
    let refreshToken: Secret

    func run() async -> Result<AccessTokens.Purchase, MailFailure> {
        do throws(MailFailure) {
            return .success(try await buy())
        } catch {
            return .failure(error)
        }
    }

    private func buy() async throws(MailFailure) -> AccessTokens.Purchase {
        let endpoint = try settings.tokenEndpoint(for: account, loop: loop)
        let turn = try await turn()
        defer { turn?.end() }
        var used = refreshToken
        // Whoever had the turn before may have spent it.
        if case .refreshToken(let present) = try archive.credential(of: account.id) { used = present }
        let token: IssuedToken
        do throws(MailFailure) {
            token = try await endpoint.refresh(used)
        } catch {
            guard error.code == .authorizationRevoked else { throw error }
            var failure = error
            failure.remedy = "Authorize it again: mailworker account authorize \(account.settings.name)."
            guard let present = try await newerToken(than: used) else { throw failure }
            used = present
            token = try await endpoint.refresh(used)
        }
        var refreshTokens: Set = [refreshToken, used]
        if let renewed = token.refreshToken, renewed != used {
            // Before anything else: the old one may be worthless already.
            try archive.renewRefreshToken(of: account.id, from: used, to: renewed)
            refreshTokens.insert(renewed)
        }
        return AccessTokens.Purchase(
            refreshTokens: refreshTokens, token: token,
            expiresAt: settings.now().advanced(bySeconds: Int64(token.lifetimeSeconds)))
    }

    /// Seconds for which the turn is waited for: longer than a request of another process can take.
    private static let turnSeconds = 45

    /// The right to spend the account's refresh token, which its provider may accept only once: other processes wait for
    /// what comes back. Nil where that has taken too long to be true.
    private func turn() async throws(MailFailure) -> SignInTurn? {
        for second in 0...Self.turnSeconds {
            if let turn = try archive.takeSignInTurn(of: account.id) { return turn }
            guard second < Self.turnSeconds else { break }
            do {
                try await settings.sleep(.seconds(1))
            } catch {
                throw MailFailure(.cancelled, kind: .transient, "The sign-in was cancelled")
            }
        }
        return nil
    }

    /// Seconds between the looks for a newer token.
    private static let patience = [1, 2]

    /// Another process may have spent the token, and stored the one that came back, or be about to.
    private func newerToken(than used: Secret) async throws(MailFailure) -> Secret? {
        for seconds in [0] + Self.patience {
            if seconds > 0 { try? await settings.sleep(.seconds(seconds)) }
            if case .refreshToken(let present) = try archive.credential(of: account.id),
                present != used
            {
                return present
            }
        }
        return nil
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
