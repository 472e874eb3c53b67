import MailModel
import Testing

@testable import OAuth

struct TokenAnswerTests {
    private func token(_ status: Int, _ body: String) throws(MailFailure) -> IssuedToken {
        try TokenAnswer.token(status, Array(body.utf8), sent: [Secret("marker-secret")])
    }

    private func failure(_ status: Int, _ body: String) -> MailFailure? {
        #expect(throws: MailFailure.self) { try token(status, body) }
    }

    @Test(arguments: [
        (400, #"{"error":"invalid_grant"}"#, "authorization-revoked", FailureKind.credential),
        (400, #"{"error":"expired_token"}"#, "authorization-revoked", .credential),
        (400, #"{"error":"access_denied"}"#, "authorization-refused", .needsPerson),
        (401, #"{"error":"invalid_client"}"#, "oauth-configuration", .needsPerson),
        (400, #"{"error":"unauthorized_client"}"#, "oauth-configuration", .needsPerson),
        (400, #"{"error":"invalid_scope"}"#, "oauth-configuration", .needsPerson),
        (400, #"{"error":"something_new"}"#, "oauth-configuration", .needsPerson),
        (400, #"{"error":"authorization_pending"}"#, "authorization-pending", .transient),
        (503, #"{"error":"temporarily_unavailable"}"#, "token-service-busy", .transient),
        (429, #"{"error":"rate_limited"}"#, "token-service-busy", .transient),
        (500, "<html>", "token-service-busy", .transient),
        (302, "", "token-service-busy", .transient),
        (200, "[]", "token-service-busy", .transient),
        (200, "{}", "token-service-busy", .transient),
        (200, #"{"access_token":""}"#, "token-service-busy", .transient),
        (200, #"{"access_token":"a b"}"#, "token-service-busy", .transient),
        (200, #"{"access_token":"a\r\nb"}"#, "token-service-busy", .transient),
        (200, #"{"access_token":"a","error":"invalid_grant"}"#, "authorization-revoked", .credential),
    ])
    func aRefusalIsRead(status: Int, body: String, code: String, kind: FailureKind) {
        let failure = failure(status, body)
        #expect(failure?.code.rawValue == code)
        #expect(failure?.kind == kind)
    }

    @Test func aServerThatQuotesASecretIsNotQuoted() {
        let failure = failure(400, #"{"error":"invalid_grant","error_description":"marker-secret is bad"}"#)
        #expect(failure?.revealed.contains("marker-secret") == false)
        #expect(failure?.code == .authorizationRevoked)
    }

    @Test func numbersMayBeTextAndLifetimesAreBounded() throws {
        let usual = try token(
            200, #"{"access_token":"a","refresh_token":"r","expires_in":3599,"scope":["x"]}"#)
        #expect(
            usual
                == IssuedToken(
                    accessToken: Secret("a"), refreshToken: Secret("r"), lifetimeSeconds: 3_599))
        #expect(try token(200, #"{"access_token":"a","expires_in":"90"}"#).lifetimeSeconds == 90)
        #expect(try token(200, #"{"access_token":"a","expires_in":-5}"#).lifetimeSeconds == 0)
        #expect(try token(200, #"{"access_token":"a","expires_in":1e300}"#).lifetimeSeconds == 86_400)
        #expect(try token(200, #"{"access_token":"a","expires_in":"nan"}"#).lifetimeSeconds >= 0)
        #expect(try token(200, #"{"access_token":"a"}"#).lifetimeSeconds == 600)
        #expect("\(usual)".contains("(secret)"))
    }
}
