import MailModel
import OAuth

/// An `[oauth.PROVIDER]` of the configuration: how this program is registered there.
struct DeclaredOAuthClient: Equatable {
    var provider: OAuthProvider
    var id: String
    var secretFile: String?
    var redirectPort: UInt16
    var endpoints: OAuthEndpoints

    /// - Parameter absolute: makes a path independent of the working directory.
    init(
        _ provider: OAuthProvider, _ entry: ConfigurationReader, absolute: (String) -> String
    ) throws(MailFailure) {
        self.provider = provider
        guard let id = try entry.string(.oauthClientID), !id.isEmpty else {
            throw entry.complaint(
                .oauthClientID, "is missing",
                remedy: "Give the client id that the provider gave for this program, or remove the table.")
        }
        self.id = id
        secretFile = try entry.string(.oauthClientSecretFile).map(absolute)
        redirectPort = UInt16(try entry.integer(.oauthRedirectPort, in: 0...65_535) ?? 0)
        endpoints = provider.endpoints
        if let url = try entry.webAddress(.oauthAuthorizationURL) { endpoints.authorization = url }
        if let url = try entry.webAddress(.oauthTokenURL) { endpoints.token = url }
        if let url = try entry.webAddress(.oauthDeviceURL) {
            endpoints.deviceAuthorization = url.isEmpty ? nil : url
        }
        if let scope = try entry.string(.oauthScope) { endpoints.scope = scope }
    }

    /// Reads the secret, which is kept out of the configuration as passwords are.
    func client() throws(MailFailure) -> OAuthClient {
        OAuthClient(
            provider: provider, id: id,
            secret: try secretFile.map { path throws(MailFailure) in
                try PasswordInput.read(path)
            }, endpoints: endpoints, redirectPort: redirectPort)
    }
}
