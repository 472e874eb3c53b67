import Archive
import MailModel
import MailTestKit
import MailTransport
import Testing

/// A wrong password is tried as seldom as it can be: more tries lock a mailbox at most providers.
@Suite(.timeLimit(.minutes(2))) struct SignInRefusalTests {
    private static func refusing() throws -> ScriptedSMTPServer {
        try ScriptedSMTPServer(capabilities: ["AUTH PLAIN"], [.auth: .reply("535 5.7.8 wrong password")])
    }

    @Test func aWrongPasswordIsTriedByOneConnectionOnly() async throws {
        let server = try Self.refusing()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        for _ in 0..<8 { _ = try await fixture.send("Hello") }
        let (archive, account) = (fixture.archive, fixture.account)
        try await fixture.daemon { try archive.sendPause(of: account) != nil }
        #expect(server.lines.count { $0.uppercased().hasPrefix("AUTH") } == 1)
    }

    @Test func anOutageBeforeItIsNoRefusedPassword() async throws {
        let server = try Self.refusing()
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let now = fixture.clock.now
        let outage = MailFailure(.connectionLost, kind: .transient, "The server is away")
        var before = SendPause(until: now, failures: 4, failure: outage)
        before.refusedSignIns = 1
        try fixture.archive.pauseSending(fixture.account, before)
        _ = try await fixture.deliver(try await fixture.send("Hello"))
        let pause = try #require(try fixture.archive.sendPause(of: fixture.account))
        #expect(pause.failure.kind == .credential && pause.until == now.advanced(bySeconds: 4 * 3600))
        // And one that was refused before the outage still counts.
        #expect(pause.failures == 2 && pause.refusedSignIns == 2)
    }
}
