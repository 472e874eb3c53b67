import Archive
import MailModel
import MailTestKit
import Testing

@testable import Worker

/// Mails that follow each other on connections that stay open: what becomes of one is no matter of the next.
@Suite(.timeLimit(.minutes(5))) struct BusyConnectionTests {
    private static let unknown = "unknown@client.example"

    /// A server keeps a mail that came to no end, and takes the next one's recipients for it.
    @Test(arguments: [false, true])
    func aMailThatNobodyMayHaveLeavesTheNextOneAlone(isPipelined: Bool) async throws {
        let server = try ScriptedSMTPServer(
            capabilities: ["AUTH PLAIN"] + (isPipelined ? ["PIPELINING"] : []),
            refusals: [Self.unknown: "550 5.1.1 no such user"])
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let archive = fixture.archive
        try archive.setSendLimits(SendLimits(connections: 1), of: fixture.account)
        for number in 0..<3 {
            _ = try await fixture.send("Lost", to: Self.unknown)
            _ = try await fixture.send("Mail \(number)")
        }
        try await fixture.daemon { try archive.outboxCounts() == [.sent: 3, .failed: 3] }
        #expect(server.received.map(\.recipients) == Array(repeating: [WorkerFixture.client], count: 3))
        #expect(server.received.allSatisfy { !$0.content.isEmpty })
        #expect(server.lines.count { $0.hasPrefix("EHLO") } == 2, "one connection: \(server.lines)")
    }

    @Test(arguments: [ScriptedSMTPServer.Stage.data, .endOfData], [false, true])
    func refusedDataLeaveTheNextMailAlone(
        _ stage: ScriptedSMTPServer.Stage, isPipelined: Bool
    ) async throws {
        let server = try ScriptedSMTPServer(
            capabilities: ["AUTH PLAIN"] + (isPipelined ? ["PIPELINING"] : []),
            [stage: .reply("550 5.6.0 its content is not wanted")])
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let archive = fixture.archive
        try archive.setSendLimits(SendLimits(connections: 1), of: fixture.account)
        let first = try await fixture.send("Refused")
        #expect(try await fixture.deliver(first).state == .failed)
        let second = try await fixture.send("Mail")
        #expect(try await fixture.deliver(second).state == .sent)
        #expect(server.received.allSatisfy { !$0.content.isEmpty })
    }

    /// Three connections of four are not to be had.
    @Test func aServerThatAllowsFewerConnectionsGetsItsMailThroughThose() async throws {
        let server = try ScriptedSMTPServer(mostConnections: 1)
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let archive = fixture.archive
        for number in 0..<40 { _ = try await fixture.send("Mail \(number)") }
        let account = fixture.account
        try await fixture.daemon {
            try archive.outboxCounts() == [.sent: 40] || archive.sendPause(of: account) != nil
        }
        #expect(try archive.outboxCounts() == [.sent: 40])
        #expect(server.received.count == 40)
    }

    /// Each mail that goes on its way there is one more for a person to look into.
    @Test func aServerThatBreaksOffAtTheEndIsNotGivenMoreAndMore() async throws {
        let server = try ScriptedSMTPServer([.endOfData: .drop], isAlwaysSo: true)
        defer { server.stop() }
        let fixture = try SendFixture(server)
        let (archive, account) = (fixture.archive, fixture.account)
        for number in 0..<40 { _ = try await fixture.send("Mail \(number)") }
        try await fixture.daemon { try archive.sendPause(of: account) != nil }
        let first = try archive.outboxCounts()[.uncertain] ?? 0
        #expect((1...4).contains(first))
        // Then one mail by itself, after ever longer times.
        for (round, seconds) in [60, 120, 240].enumerated() {
            let pause = try #require(try archive.sendPause(of: account))
            #expect(pause.failure.code == .sendUnanswered)
            #expect(pause.until == fixture.clock.now.advanced(bySeconds: Int64(seconds)))
            fixture.clock.advance(Int64(seconds) + 1)
            let uncertain = first + round + 1
            try await fixture.daemon { try archive.sendPause(of: account) != nil }
            #expect(try archive.outboxCounts()[.uncertain] == uncertain)
        }
    }
}
