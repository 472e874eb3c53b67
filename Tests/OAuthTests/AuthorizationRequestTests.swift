import MailModel
import Testing

@testable import OAuth

struct AuthorizationRequestTests {
    private func request(_ provider: OAuthProvider = .google) throws -> AuthorizationRequest {
        try AuthorizationRequest(
            client: OAuthClient(provider: provider, id: "client&id"), login: "anna@firma.example",
            redirectPort: 4_321)
    }

    /// A query parameter of the address, percent-encoded.
    private func parameter(_ name: String, of request: AuthorizationRequest) -> String? {
        request.address.split(separator: "?")[1].split(separator: "&")
            .first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    @Test func theProofKeyIsTheOneOfTheStandardsExample() {
        // RFC 7636, appendix B.
        let key = ProofKey(verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        #expect(key.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        #expect(ProofKey().verifier != ProofKey().verifier)
        #expect(ProofKey().verifier.utf8.count == 43)
    }

    @Test func theAddressHoldsTheChallengeAndNeverTheVerifier() throws {
        let request = try request()
        #expect(request.address.hasPrefix("https://accounts.google.com/o/oauth2/v2/auth?"))
        #expect(parameter("client_id", of: request) == "client%26id")
        #expect(parameter("redirect_uri", of: request) == "http%3A%2F%2F127.0.0.1%3A4321%2F")
        #expect(parameter("code_challenge", of: request) == request.proofKey.challenge)
        #expect(parameter("access_type", of: request) == "offline")
        #expect(!request.address.contains(request.proofKey.verifier))
    }

    @Test func aCodeWithoutTheStateOfTheRequestIsSomebodyElses() throws {
        let request = try request()
        let state = try #require(parameter("state", of: request))
        #expect(try request.code(in: "/?code=c") == nil)
        #expect(try request.code(in: "/?code=c&state=other") == nil)
        #expect(try request.code(in: "/favicon.ico") == nil)
        #expect(try request.code(in: "/?state=\(state)&code=") == nil)
        #expect(try request.code(in: "/?state=\(state)&code=a%2Fb") == Secret("a/b"))
        #expect(try request.code(in: "http://127.0.0.1:4321/?state=\(state)&code=c") == Secret("c"))
        let other = try self.request()
        #expect(try other.code(in: "/?state=\(state)&code=c") == nil)
    }

    @Test func aRefusalOfTheUserIsSaidSafely() throws {
        let request = try request()
        let state = try #require(parameter("state", of: request))
        let failure = #expect(throws: MailFailure.self) {
            try request.code(in: "/?error=access_denied&error_description=%1B%5B2J&state=\(state)")
        }
        #expect(failure?.code == .authorizationRefused)
        #expect(failure?.detail?.contains("\u{1B}") == false)
    }

    @Test func aProviderWithoutAnAddressIsAFaultOfTheConfiguration() {
        let failure = #expect(throws: MailFailure.self) { try request(.custom) }
        #expect(failure?.code == .oauthConfiguration)
        #expect(failure?.detail == "oauth.custom.authorization_url")
    }
}
