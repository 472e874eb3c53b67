import Foundation
public import MailModel
import MailTransport

/// One request for a user's consent (RFC 6749, 4.1) with its proof key and its state, and the reading of
/// what the browser brings back.
public struct AuthorizationRequest: Sendable {
    private let client: OAuthClient
    /// Where the browser is sent back to (RFC 8252, 7.3).
    let redirectURI: String
    let proofKey = ProofKey()
    private let state = ProofKey.randomText(bytes: 16)
    private let url: String

    /// - Parameter login: shown to the provider, so that it offers the right user.
    /// - Throws: `oauth-configuration` when the provider's address is not known.
    public init(client: OAuthClient, login: String, redirectPort: UInt16) throws(MailFailure) {
        self.client = client
        redirectURI = "http://127.0.0.1:\(redirectPort)/"
        let endpoint = try client.endpoint(client.endpoints.authorization, "authorization_url")
        var parameters: [(name: String, value: String)] = [
            ("response_type", "code"), ("client_id", client.id), ("redirect_uri", redirectURI),
            ("state", state), ("code_challenge", proofKey.challenge), ("code_challenge_method", "S256"),
            ("login_hint", login),
        ]
        if let scope = client.endpoints.scope { parameters.append(("scope", scope)) }
        parameters += client.provider.authorizationParameters
        let query = parameters.map { "\($0.name)=\(HTTPRequest.escaped($0.value))" }.joined(separator: "&")
        url = endpoint + (endpoint.contains("?") ? "&" : "?") + query
    }

    /// The address for the user's browser. It holds no secret: the proof key stays here.
    public var address: String { url }

    /// The code in what the browser was sent to.
    ///
    /// - Parameter target: the whole address, or its path and query.
    /// - Returns: nil for a request that has nothing to do with this authorization.
    /// - Throws: `authorization-refused` when the user, or the provider, said no.
    public func code(in target: String) throws(MailFailure) -> Secret? {
        guard target.utf8.count <= 16 << 10, let components = URLComponents(string: target) else {
            return nil
        }
        func value(_ name: String) -> String? {
            // A form's plus is a space; codes and states of ours have none.
            components.queryItems?.first { $0.name == name }?.value
        }
        // Whoever does not know the state was not sent by this request (RFC 6749, 10.12).
        guard value("state") == state else { return nil }
        if let error = value("error") {
            throw MailFailure(
                .authorizationRefused, kind: .needsPerson, "The mailbox was not authorized",
                detail: TokenAnswer.printable(
                    [error, value("error_description")].compactMap { $0 }.joined(separator: ": ")),
                remedy: "Run the command again and allow the access in the browser.")
        }
        return value("code").flatMap { $0.isEmpty ? nil : Secret($0) }
    }
}
