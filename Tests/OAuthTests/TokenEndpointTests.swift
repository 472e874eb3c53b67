import Foundation
import MailModel
import MailTestKit
import MailTransport
import Synchronization
import Testing

@testable import OAuth

struct TokenEndpointTests {
    private let server: StubTokenServer
    private let loop: NetworkLoop

    init() throws {
        server = try StubTokenServer()
        loop = try NetworkLoop()
    }

    private func client(_ provider: OAuthProvider = .custom) -> OAuthClient {
        let endpoints = OAuthEndpoints(
            authorization: server.url("authorize"), token: server.url("token"),
            deviceAuthorization: server.url("device"), scope: "mail")
        return OAuthClient(
            provider: provider, id: "client", secret: Secret("marker-client"), endpoints: endpoints)
    }

    private func endpoint(
        _ client: OAuthClient? = nil, allow: [String] = ["127.0.0.0/8"]
    ) throws -> TokenEndpoint {
        TokenEndpoint(
            client: client ?? self.client(), loop: loop,
            path: .init(allowedNetworks: try NetworkAllowList(allow)))
    }

    private func failure(
        _ body: () async throws(MailFailure) -> IssuedToken
    ) async -> MailFailure? {
        do throws(MailFailure) {
            _ = try await body()
            return nil
        } catch {
            return error
        }
    }

    // MARK: What is refused

    @Test func aTokenEndpointInsideThePrivateNetworkIsNotReached() async throws {
        defer { server.stop() }
        let endpoint = try endpoint(allow: [])
        let failure = await failure { () throws(MailFailure) in try await endpoint.refresh(Secret("r")) }
        #expect(failure?.code == .addressNotAllowed)
        #expect(server.requests.isEmpty)
    }

    @Test func anAnswerBeyondTheLimitIsNotRead() async throws {
        defer { server.stop() }
        server.answer(200, String(repeating: " ", count: 65 << 10))
        let endpoint = try endpoint()
        let failure = await failure { () throws(MailFailure) in try await endpoint.refresh(Secret("r")) }
        #expect(failure?.code == .answerTooLarge)
    }

    @Test func aRedirectIsNotFollowed() async throws {
        defer { server.stop() }
        server.answer(302, "")
        let endpoint = try endpoint()
        let failure = await failure { () throws(MailFailure) in try await endpoint.refresh(Secret("r")) }
        #expect(failure?.code == .tokenServiceBusy)
        #expect(server.requests.count == 1)
    }

    @Test func noFailureShowsWhatWasSent() async throws {
        server.revoke("marker-refresh")
        let endpoint = try endpoint()
        let revoked = await failure { () throws(MailFailure) in
            try await endpoint.refresh(Secret("marker-refresh"))
        }
        #expect(revoked?.code == .authorizationRevoked)
        server.stop()
        let lost = await failure { () throws(MailFailure) in
            try await endpoint.refresh(Secret("marker-refresh"))
        }
        for failure in [revoked, lost] {
            #expect(failure?.revealed.contains("marker") == false)
            #expect(failure?.description.contains("127.0.0.1") == false)
        }
    }

    @Test func aUserWhoDoesNotAnswerEndsTheDeviceFlow() async throws {
        defer { server.stop() }
        server.keepDeviceWaiting(times: 10_000)
        let endpoint = try endpoint()
        let authorization = try await endpoint.beginDeviceFlow()
        let failure = await failure { () throws(MailFailure) in
            try await endpoint.finishDeviceFlow(authorization) { _ in }
        }
        #expect(failure?.code == .authorizationRefused)
        #expect(server.tokenRequests.count == 600)
    }

    // MARK: The flows

    @Test func aCodeIsExchangedWithItsProofKey() async throws {
        defer { server.stop() }
        let client = client()
        let request = try AuthorizationRequest(client: client, login: "anna", redirectPort: 1)
        let token = try await endpoint(client).exchange(code: Secret("c/+ d"), of: request)
        #expect(token.accessToken == Secret(server.lastAccessToken))
        #expect(token.refreshToken == Secret("marker-refresh-1"))
        #expect(
            server.tokenRequests == [
                [
                    "grant_type": "authorization_code", "code": "c/+ d",
                    "redirect_uri": "http://127.0.0.1:1/", "code_verifier": request.proofKey.verifier,
                    "client_id": "client", "client_secret": "marker-client",
                ]
            ])
    }

    @Test(arguments: [
        (OAuthProvider.custom, "urn:ietf:params:oauth:grant-type:device_code", "device_code"),
        (.yandex, "device_code", "code"),
    ])
    func theDeviceFlowWaitsForItsUser(provider: OAuthProvider, grant: String, parameter: String) async throws
    {
        defer { server.stop() }
        server.keepDeviceWaiting(times: 2)
        let endpoint = try endpoint(client(provider))
        let authorization = try await endpoint.beginDeviceFlow()
        #expect(authorization.userCode == "ABCD-EFGH")
        let pauses = Mutex<[Int]>([])
        let token = try await endpoint.finishDeviceFlow(authorization) { seconds in
            pauses.withLock { $0.append(seconds) }
        }
        #expect(token.refreshToken != nil)
        #expect(pauses.withLock { $0 } == [1, 1, 1])
        #expect(server.tokenRequests.last?["grant_type"] == grant)
        #expect(server.tokenRequests.last?[parameter] == "marker-device")
    }

    @Test func aServerThatAsksForItIsAskedMoreSlowly() async throws {
        defer { server.stop() }
        server.answer(400, #"{"error":"slow_down"}"#)
        server.answer(503, "")
        let endpoint = try endpoint()
        let pauses = Mutex<[Int]>([])
        _ = try await endpoint.finishDeviceFlow(try await endpoint.beginDeviceFlow()) { seconds in
            pauses.withLock { $0.append(seconds) }
        }
        #expect(pauses.withLock { $0 } == [1, 6, 12])
    }
}
