import MailFetch
import MailModel
import MailTestKit
import MailTransport
import Testing

/// IDLE (RFC 2177).
@Suite(.timeLimit(.minutes(1))) struct IdleTests {
    private func session(_ server: ScriptedIMAPServer, timeout: Int = 20) async throws -> IMAPSession {
        let session = try await IMAPSession.connect(
            ConnectionSettings(
                endpoint: ServerEndpoint(host: "127.0.0.1", port: server.port, security: .none),
                login: "anna", secret: Secret("geheim"), timeoutSeconds: timeout,
                allowedNetworks: NetworkAllowList(["127.0.0.0/8"])), loop: try NetworkLoop())
        _ = try await session.examine(.inbox)
        return session
    }

    private static func script(_ steps: [IMAPScript.Step]) -> IMAPScript {
        .examined(capabilities: "IMAP4rev1 IDLE", steps)
    }

    @Test func aServerThatRefusesIsLeftInPeace() async throws {
        let server = try ScriptedIMAPServer(
            Self.script([.expect("IDLE"), .send("$T BAD what"), .expect("NOOP"), .send("$T OK done")]))
        defer { server.stop() }
        let session = try await session(server)
        await #expect { _ = try await session.idle() } throws: {
            ($0 as? MailFailure)?.code == .commandRefused
        }
        try await session.noop()
        #expect(server.violations.isEmpty)
    }

    @Test func aServerThatNeverGivesLeaveTimesOut() async throws {
        let server = try ScriptedIMAPServer(Self.script([.expect("IDLE"), .stall]))
        defer { server.stop() }
        let session = try await session(server, timeout: 1)
        await #expect { _ = try await session.idle() } throws: { ($0 as? MailFailure)?.code == .timedOut }
    }

    @Test func aGoodbyeEndsTheSession() async throws {
        let server = try ScriptedIMAPServer(
            Self.script([.expect("IDLE"), .send("+ idling"), .send("* BYE going down"), .close]))
        defer { server.stop() }
        let session = try await session(server)
        await #expect { _ = try await session.idle() } throws: { ($0 as? MailFailure)?.code == .serverClosed }
    }

    @Test(arguments: ["* 4 EXISTS", "* 2 EXPUNGE"])
    func newsEndsTheWait(_ news: String) async throws {
        let server = try ScriptedIMAPServer(
            Self.script([
                .expect("IDLE"), .send("+ idling"), .send("* OK Still here"),
                .send("* 1 FETCH (FLAGS (\\Seen))"), .send(news), .expectDone, .send("$T OK done"),
                .expect("NOOP"), .send("$T OK done"),
            ]))
        defer { server.stop() }
        let session = try await session(server)
        #expect(try await !session.idle().isEmpty)
        try await session.noop()
        #expect(server.violations.isEmpty)
    }

    @Test func newsBeforeTheLeaveAndAfterTheEndCounts() async throws {
        let server = try ScriptedIMAPServer(
            Self.script([
                .expect("IDLE"), .send("* 4 EXISTS"), .send("+ idling"), .expectDone, .send("$T OK done"),
                .expect("IDLE"), .send("+ idling"), .expectDone, .send("* 5 EXISTS"), .send("$T OK done"),
            ]))
        defer { server.stop() }
        let session = try await session(server)
        #expect(try await !session.idle().isEmpty)
        #expect(try await !session.idle(for: 1).isEmpty)
        #expect(server.violations.isEmpty)
    }

    @Test func withoutNewsTheSessionGoesOnAfterTheGivenTime() async throws {
        let server = try ScriptedIMAPServer(
            Self.script([
                .expect("IDLE"), .send("+ idling"), .expectDone, .send("$T OK done"), .expect("NOOP"),
                .send("$T OK done"),
            ]))
        defer { server.stop() }
        // Waiting for news is not the silence that the timeout is about.
        let session = try await session(server, timeout: 1)
        #expect(try await session.idle(for: 2).isEmpty)
        try await session.noop()
        #expect(server.violations.isEmpty)
    }
}
