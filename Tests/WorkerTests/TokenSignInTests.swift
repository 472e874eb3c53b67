import Archive
import Foundation
import MailModel
import MailTestKit
import MailTransport
import OAuth
import Testing
import Worker

/// Polls of an account that signs in with OAuth 2.0.
struct TokenSignInTests {
    private let server: StubTokenServer

    init() throws { server = try StubTokenServer() }

    private func fixture(_ scripts: [IMAPScript]) throws -> PollFixture {
        var endpoints = OAuthProvider.custom.endpoints
        endpoints.token = server.url("token")
        let fixture = try PollFixture(
            scripts,
            oauthClients: [.custom: OAuthClient(provider: .custom, id: "client", endpoints: endpoints)])
        let archive = fixture.worker.archive
        try archive.setCredential(.refreshToken(Secret("marker-refresh")), of: fixture.worker.account)
        return fixture
    }

    private typealias Steps = [IMAPScript.Step]

    /// Up to the answer to AUTHENTICATE; libcurl asks for capabilities too, before it hands over.
    private static func door(_ capabilities: String, _ answer: Steps) -> Steps {
        let capability: Steps = [
            .expect("CAPABILITY"), .send("* CAPABILITY \(capabilities)"), .send("$T OK done"),
        ]
        return [.send("* OK hi")] + capability + capability + answer
    }

    private static func initial(_ mechanism: String, _ text: String) -> IMAPScript.Step {
        .expect("AUTHENTICATE \(mechanism) \(Data(text.utf8).base64EncodedString())")
    }

    private static let emptyMailbox = knownMailbox + PollScripts.search("")

    private static let knownMailbox: Steps =
        [
            .expect("CAPABILITY"), .send("* CAPABILITY IMAP4rev1"), .send("$T OK done"),
        ] + PollScripts.folders("INBOX") + PollScripts.examine("INBOX", exists: 0, next: 1)

    private static func welcome(_ number: Int, isFirst: Bool = true) -> IMAPScript {
        IMAPScript(
            door(
                "IMAP4rev1 SASL-IR AUTH=XOAUTH2",
                [
                    initial("XOAUTH2", "user=anna\u{1}auth=Bearer marker-access-\(number)\u{1}\u{1}"),
                    .send("$T OK welcome"),
                ]) + (isFirst ? emptyMailbox : knownMailbox))
    }

    private static func refusal(_ words: String) -> IMAPScript {
        IMAPScript(
            door(
                "IMAP4rev1 SASL-IR AUTH=XOAUTH2",
                [
                    .expect("AUTHENTICATE XOAUTH2"), .send("+ eyJzdGF0dXMiOiI0MDAifQ=="), .expect(""),
                    .send("$3 NO \(words)"),
                ]))
    }

    private func expectNoSecrets(_ report: AccountReport, _ fixture: PollFixture) throws {
        for failure in report.failures {
            #expect(!failure.revealed.contains("marker"))
        }
        #expect(try fixture.status().failure?.revealed.contains("marker") != true)
    }

    // MARK: What is refused

    @Test func aRevokedAuthorizationWaitsForItsUserAtOnce() async throws {
        defer { server.stop() }
        server.revoke("marker-refresh")
        let fixture = try fixture([IMAPScript([.stall])])
        let report = try await fixture.poll()
        #expect(report.failures.map(\.code.rawValue) == ["authorization-revoked"])
        let status = try fixture.status()
        #expect(status.state == .stopped)
        #expect(status.failure?.remedy?.contains("mailworker account authorize anna") == true)
        #expect(try fixture.worker.archive.dueAccounts(at: UnixTime(.max)).isEmpty)
        #expect(fixture.server.events.isEmpty)
        try expectNoSecrets(report, fixture)
        // Authorized again, it is due at once.
        try fixture.worker.archive.setCredential(.refreshToken(Secret("n")), of: fixture.worker.account)
        #expect(try fixture.worker.archive.dueAccounts(at: fixture.worker.clock.now).count == 1)
    }

    @Test func anUnregisteredProgramIsNoFaultOfTheUser() async throws {
        defer { server.stop() }
        let fixture = try PollFixture([IMAPScript([.stall])])
        try fixture.worker.archive.setCredential(.refreshToken(Secret("r")), of: fixture.worker.account)
        let report = try await fixture.poll()
        #expect(report.failures.map(\.code.rawValue) == ["oauth-configuration"])
        #expect(report.failures.first?.remedy?.contains("[oauth.custom]") == true)
        #expect(try fixture.status().state == .failing)
    }

    @Test func aProviderThatIsDownIsAskedAgainLater() async throws {
        defer { server.stop() }
        server.answer(503, "")
        let fixture = try fixture([IMAPScript([.stall])])
        let report = try await fixture.poll()
        #expect(report.failures.map(\.kind) == [.transient])
        #expect(try fixture.status().state == .failing)
    }

    @Test func aRefusedTokenIsReplacedOnceAndNotMore() async throws {
        defer { server.stop() }
        let fixture = try fixture([Self.refusal("[AUTHENTICATIONFAILED] Invalid credentials")])
        let report = try await fixture.poll()
        #expect(report.failures.map(\.code.rawValue) == ["token-refused"])
        #expect(report.failures.first?.remedy?.contains("mailworker account authorize anna") == true)
        #expect(server.tokenRequests.count == 2)
        #expect(fixture.server.violations.isEmpty)
        #expect(try fixture.status().state == .failing)
        try expectNoSecrets(report, fixture)
    }

    @Test func aBusyServerIsNotTakenForARefusedToken() async throws {
        defer { server.stop() }
        let fixture = try fixture([Self.refusal("[UNAVAILABLE] Try again later")])
        let report = try await fixture.poll()
        #expect(report.failures.map(\.code.rawValue) == ["server-busy"])
        #expect(server.tokenRequests.count == 1)
    }

    @Test func aTokenThatAnotherProcessHasJustSpentIsWaitedFor() async throws {
        defer { server.stop() }
        server.revoke("marker-refresh")
        let fixture = try fixture([IMAPScript([.stall])])
        let archive = fixture.worker.archive
        let account = try fixture.worker.polled()
        var settings = try self.settings()
        settings.sleep = { _ in
            try archive.renewRefreshToken(
                of: account.id, from: Secret("marker-refresh"), to: Secret("marker-newer"))
        }
        let signIn = AccountSignIn(archive: archive, loop: try NetworkLoop(), settings: settings)
        let connection = try await signIn.connection(
            to: try #require(account.settings.imap), for: account)
        #expect(connection.authentication == .accessToken)
        #expect(server.tokenRequests.map { $0["refresh_token"] } == ["marker-refresh", "marker-newer"])
    }

    @Test func `a token that another process is spending is not spent as well`() async throws {
        defer { server.stop() }
        server.revoke("marker-refresh")
        let fixture = try fixture([IMAPScript([.stall])])
        let archive = fixture.worker.archive
        let account = try fixture.worker.polled()
        let turn = try #require(try fixture.worker.reopened().takeSignInTurn(of: account.id))
        #expect(try archive.takeSignInTurn(of: account.id) == nil)
        let sleeps = Notes()
        var settings = try self.settings()
        settings.sleep = { _ in
            sleeps.add("slept")
            // Its provider answers slowly.
            guard sleeps.all.count == 20 else { return }
            try archive.renewRefreshToken(
                of: account.id, from: Secret("marker-refresh"), to: Secret("marker-newer"))
            turn.end()
        }
        let signIn = AccountSignIn(archive: archive, loop: try NetworkLoop(), settings: settings)
        let connection = try await signIn.connection(
            to: try #require(account.settings.imap), for: account)
        #expect(connection.authentication == .accessToken)
        #expect(server.tokenRequests.map { $0["refresh_token"] } == ["marker-newer"])
        // It has not kept the turn.
        let next = try #require(try archive.takeSignInTurn(of: account.id))
        next.end()
    }

    @Test func allSignInsOfAProcessShareOneToken() async throws {
        defer { server.stop() }
        server.rotateRefreshTokens()
        let fixture = try fixture([IMAPScript([.stall])])
        let account = try fixture.worker.polled()
        let endpoint = try #require(account.settings.imap)
        let settings = try settings()
        let loop = try NetworkLoop()
        let secrets = try await withThrowingTaskGroup(of: Secret.self) { group in
            for _ in 0..<4 {
                let signIn = AccountSignIn(archive: fixture.worker.archive, loop: loop, settings: settings)
                group.addTask { try await signIn.connection(to: endpoint, for: account).secret }
            }
            return try await group.reduce(into: Set<Secret>()) { $0.insert($1) }
        }
        #expect(secrets.count == 1 && server.tokenRequests.count == 1)
    }

    private func settings() throws -> PollSettings {
        var endpoints = OAuthProvider.custom.endpoints
        endpoints.token = server.url("token")
        var settings = PollSettings(allowedNetworks: try NetworkAllowList(["127.0.0.0/8"]))
        settings.oauthClients = [.custom: OAuthClient(provider: .custom, id: "client", endpoints: endpoints)]
        return settings
    }

    // MARK: What works

    @Test func aTokenThatWasRevokedEarlyIsReplaced() async throws {
        defer { server.stop() }
        let fixture = try fixture([Self.refusal("[AUTHENTICATIONFAILED] expired"), Self.welcome(2)])
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(fixture.server.violations.isEmpty)
        #expect(try fixture.status().state == .ok)
    }

    @Test func aTokenIsUsedUntilItIsAboutToExpire() async throws {
        defer { server.stop() }
        let fixture = try fixture([
            Self.welcome(1), Self.welcome(1, isFirst: false), Self.welcome(2, isFirst: false),
        ])
        #expect(try await fixture.poll().failures.isEmpty)
        fixture.worker.clock.advance(3_500)
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(server.tokenRequests.count == 1)
        fixture.worker.clock.advance(50)
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(
            server.tokenRequests.last == [
                "grant_type": "refresh_token", "refresh_token": "marker-refresh", "client_id": "client",
            ])
        #expect(server.tokenRequests.count == 2)
        #expect(fixture.server.violations.isEmpty)
    }

    @Test func aRenewedRefreshTokenTakesThePlaceOfTheOldOne() async throws {
        defer { server.stop() }
        server.rotateRefreshTokens()
        let fixture = try fixture([Self.welcome(1), Self.welcome(2, isFirst: false)])
        let before = try fixture.worker.polled()
        #expect(try await fixture.poll().failures.isEmpty)
        let stored = try fixture.worker.archive.credential(of: fixture.worker.account)
        #expect(stored == .refreshToken(Secret("marker-refresh-1")))
        // No change of the account that would make a running poll's outcome worthless.
        #expect(try fixture.worker.polled().revision == before.revision)
        fixture.worker.clock.advance(3_600)
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(server.tokenRequests.last?["refresh_token"] == "marker-refresh-1")
    }

    @Test func theStandardMechanismIsPreferredAndWaitsForItsTurnWithoutInitialResponse() async throws {
        defer { server.stop() }
        let response = Data(
            ("n,a=anna,\u{1}host=127.0.0.1\u{1}port=PORT\u{1}auth=Bearer marker-access-1\u{1}\u{1}").utf8)
        let fixture = try fixture([
            IMAPScript(
                Self.door(
                    "IMAP4rev1 AUTH=XOAUTH2 AUTH=OAUTHBEARER",
                    [
                        .expect("AUTHENTICATE OAUTHBEARER"), .send("+ "), .expect(""),
                        .send("$3 OK welcome"),
                    ]) + Self.emptyMailbox)
        ])
        #expect(try await fixture.poll().failures.isEmpty)
        let sent = fixture.server.received.compactMap { Data(base64Encoded: $0) }
            .map { String(decoding: $0, as: UTF8.self) }
        let expected = String(decoding: response, as: UTF8.self)
            .replacingOccurrences(of: "PORT", with: "\(fixture.server.port)")
        #expect(sent.contains(expected))
    }
}
