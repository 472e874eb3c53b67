public import MailModel
public import MailTransport

/// Asks one provider's token endpoint (RFC 6749, 3.2) on behalf of one mailbox.
public struct TokenEndpoint: Sendable {
    private let client: OAuthClient
    private let loop: NetworkLoop
    private let path: NetworkPath

    /// How the provider is reached: as the mailbox's own servers are.
    public struct NetworkPath: Sendable {
        public var caFile: String?
        public var proxy: String?
        public var allowedNetworks: NetworkAllowList

        public init(caFile: String? = nil, proxy: String? = nil, allowedNetworks: NetworkAllowList) {
            self.caFile = caFile
            self.proxy = proxy
            self.allowedNetworks = allowedNetworks
        }
    }

    public init(client: OAuthClient, loop: NetworkLoop, path: NetworkPath) {
        self.client = client
        self.loop = loop
        self.path = path
    }

    /// Exchanges the code of an authorization (RFC 6749, 4.1.3; RFC 7636, 4.5).
    /// - Throws: failures of `TokenAnswer`'s table, and what `NetworkLoop.send` throws.
    public func exchange(
        code: Secret, of request: AuthorizationRequest
    ) async throws(MailFailure) -> IssuedToken {
        try await ask([
            ("grant_type", Secret("authorization_code")), ("code", code),
            ("redirect_uri", Secret(request.redirectURI)),
            ("code_verifier", Secret(request.proofKey.verifier)),
        ])
    }

    /// A new access token (RFC 6749, 6).
    /// - Throws: `authorization-revoked` when only the user can help; otherwise as `exchange`.
    public func refresh(_ refreshToken: Secret) async throws(MailFailure) -> IssuedToken {
        try await ask([("grant_type", Secret("refresh_token")), ("refresh_token", refreshToken)])
    }

    /// Begins a device flow (RFC 8628, 3.1).
    /// - Throws: `oauth-configuration` when the provider offers none.
    public func beginDeviceFlow() async throws(MailFailure) -> DeviceAuthorization {
        guard let url = client.endpoints.deviceAuthorization else {
            throw MailFailure(
                .oauthConfiguration, kind: .needsPerson, "The provider has no device flow for mail",
                detail: client.provider.rawValue,
                remedy: "Authorize without --device; add --paste when the browser runs on another machine.")
        }
        var form = client.identification
        if let scope = client.endpoints.scope { form.append(("scope", Secret(scope))) }
        let response = try await post(url, form)
        guard let fields = TokenAnswer.fields(response.body), fields["error"] == nil, response.status == 200
        else {
            throw TokenAnswer.failure(
                response.status, TokenAnswer.fields(response.body), sent: form.dropFirst().map(\.value))
        }
        guard let authorization = DeviceAuthorization(fields) else {
            throw TokenAnswer.unreadable(response.status)
        }
        return authorization
    }

    /// Waits until the user has allowed the access with the code shown (RFC 8628, 3.4 and 3.5).
    ///
    /// - Parameter pause: waits that many seconds; tests do not.
    /// - Throws: `authorization-refused`, also when the code expired; otherwise as `exchange`.
    public func finishDeviceFlow(
        _ authorization: DeviceAuthorization, pause: (Int) async throws -> Void
    ) async throws(MailFailure) -> IssuedToken {
        var pace = DevicePace(authorization)
        let grant = client.provider.deviceGrant
        while let seconds = pace.nextPause() {
            do { try await pause(seconds) } catch {
                throw MailFailure(.cancelled, kind: .transient, "The wait was cancelled")
            }
            do throws(MailFailure) {
                return try await ask([
                    ("grant_type", Secret(grant.type)), (grant.codeParameter, authorization.deviceCode),
                ])
            } catch {
                guard pace.goesOn(after: error) else { throw error }
            }
        }
        throw MailFailure(
            .authorizationRefused, kind: .needsPerson, "Nobody has entered the code in time",
            remedy: "Run the command again.")
    }

    private func ask(_ parameters: [(name: String, value: Secret)]) async throws(MailFailure) -> IssuedToken {
        let url = try client.endpoint(client.endpoints.token, "token_url")
        let form = parameters + client.identification
        let response = try await post(url, form)
        // The first parameter is the kind of grant; the provider may name that as it likes.
        var secrets = parameters.dropFirst().map(\.value)
        if let secret = client.secret { secrets.append(secret) }
        return try TokenAnswer.token(response.status, response.body, sent: secrets)
    }

    private func post(
        _ url: String, _ form: [(name: String, value: Secret)]
    ) async throws(MailFailure) -> HTTPResponse {
        var request = HTTPRequest(url: url, form: form)
        request.caFile = path.caFile
        request.proxy = path.proxy
        request.allowedNetworks = path.allowedNetworks
        return try await loop.send(request)
    }
}
