public import Archive
public import MailModel
import MailTransport
import OAuth

/// Lets a user authorize this program to read a mailbox, and keeps the refresh token, encrypted.
public struct AccountAuthorization: Sendable {
    private let archive: Archive
    private let settings: PollSettings

    /// How the user's consent comes back.
    public enum Flow: Sendable {
        /// The browser runs on this machine and is sent to a loopback port (RFC 8252).
        case redirect
        /// A person enters a code on any device (RFC 8628).
        case device
        /// The browser runs elsewhere; the person copies the address that it could not open.
        case paste(readLine: @Sendable () -> String?)
    }

    /// What the user has to do now.
    public enum Request: Sendable {
        case open(address: String)
        case openAndPaste(address: String)
        case enter(code: String, address: String)
    }

    /// As long as providers let a consent wait.
    private static let patienceSeconds = 600

    public init(archive: Archive, settings: PollSettings) {
        self.archive = archive
        self.settings = settings
    }

    /// Runs one flow to its end. What the account signed in with before stays until it has succeeded.
    ///
    /// - Parameter tell: called once, before the wait.
    /// - Throws: `authorization-refused` when the user said no or nothing; `oauth-configuration`.
    public func run(
        _ account: Account, by flow: Flow, tell: @Sendable (Request) -> Void
    ) async throws(MailFailure) {
        let client = try settings.oauthClient(for: account)
        let endpoint = try settings.tokenEndpoint(for: account, loop: try NetworkLoop())
        let token: IssuedToken
        switch flow {
        case .redirect:
            let redirect = try LoopbackRedirect(port: client.redirectPort)
            let request = try AuthorizationRequest(
                client: client, login: account.settings.login, redirectPort: redirect.port)
            tell(.open(address: request.address))
            let code = try await redirect.wait(seconds: Self.patienceSeconds) {
                target throws(MailFailure) in try request.code(in: target)
            }
            token = try await endpoint.exchange(code: code, of: request)
        case .paste(let readLine):
            // Nobody listens there; any port that the provider accepts will do.
            let port = client.redirectPort == 0 ? 8_765 : client.redirectPort
            let request = try AuthorizationRequest(
                client: client, login: account.settings.login, redirectPort: port)
            tell(.openAndPaste(address: request.address))
            guard let line = readLine(), let code = try request.code(in: line.trimmed) else {
                throw MailFailure(
                    .authorizationRefused, kind: .needsPerson,
                    "This is not the address that the browser was sent to",
                    remedy: "Run the command again, and copy the whole address, from http:// on.")
            }
            token = try await endpoint.exchange(code: code, of: request)
        case .device:
            let authorization = try await endpoint.beginDeviceFlow()
            tell(.enter(code: authorization.userCode, address: authorization.address))
            token = try await endpoint.finishDeviceFlow(authorization) { seconds in
                try await Task.sleep(for: .seconds(seconds))
            }
        }
        guard let refreshToken = token.refreshToken else {
            throw MailFailure(
                .oauthConfiguration, kind: .needsPerson, "The provider gave no refresh token",
                detail: client.provider.rawValue,
                remedy: "Allow offline access to the application at the provider, and authorize again.")
        }
        try archive.setCredential(.refreshToken(refreshToken), of: account.id)
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
