import Archive
import MailModel
import MailTestKit
import Testing

@testable import Worker

/// A server that is dead in one of the phases of a poll takes nothing from the accounts of others.
@Suite(.timeLimit(.minutes(2)))
struct DeadHostTests {
    typealias Steps = [IMAPScript.Step]

    private static let door: Steps = [
        .send("* OK hi"), .expect("CAPABILITY"), .send("* CAPABILITY IMAP4rev1"), PollScripts.done,
    ]

    static let phases: [(phase: String, security: TransportSecurity, steps: Steps)] = [
        ("TLS", .tls, []),
        ("STARTTLS", .starttls, [.send("* OK hi"), .expect("CAPABILITY")]),
        ("greeting", .none, []),
        ("capabilities", .none, [.send("* OK hi"), .expect("CAPABILITY")]),
        ("login", .none, door + [.expect("LOGIN")]),
        ("list", .none, [.opening(capabilities: "IMAP4rev1"), .expect("LIST")]),
        (
            "examine", .none,
            [.opening(capabilities: "IMAP4rev1")] + PollScripts.folders("INBOX") + [.expect("EXAMINE")]
        ),
        (
            "fetch", .none,
            PollScripts.inbox(
                exists: 1, next: 2, PollScripts.search("1"), PollScripts.metadata("1", [1]),
                [
                    PollScripts.asked("1"),
                    .sendBytes(PollScripts.head(1, 4_000) + WorkerFixture.mail(1).prefix(40)),
                ]
            ).steps
        ),
    ]

    /// There is one place for polls that are in their first seconds, and the dead server's account is due first.
    @Test(arguments: phases.indices)
    func aServerThatStallsKeepsNoAccountBackThatDoesWell(index: Int) async throws {
        let (phase, security, steps) = Self.phases[index]
        let fixture = try PollFixture(
            [PollScripts.firstSync, PollScripts.inbox(exists: 3, next: 4)], concurrency: 1)
        #expect(try await fixture.poll().counts.fetched == 3)

        let dead = try ScriptedIMAPServer(IMAPScript(steps + [.stall]))
        defer { dead.stop() }
        let archive = fixture.worker.archive
        var settings = try fixture.worker.polled().settings
        settings.name = "dead"
        settings.imap = ServerEndpoint(host: "127.0.0.1", port: dead.port, security: security)
        settings.timeoutSeconds = 3_600
        try archive.addAccount(settings, secret: Secret("x"))

        let notes = Notes()
        let running = Task {
            try? await fixture.daemon.run { event in
                if case .finished(let report) = event {
                    notes.add("\(report.name) \(report.failures.map(\.code.rawValue))")
                }
            } failed: { failure in
                notes.add("archive \(failure.code.rawValue)")
            }
        }
        await dead.wait { $0 == .stalled }
        fixture.worker.clock.advance(1_000)
        await notes.wait { !$0.isEmpty }
        #expect(notes.all == ["anna []"], "stalled in \(phase)")
        running.cancel()
        await running.value
        #expect(notes.all.last == "dead [\"cancelled\"]")
        #expect(try fixture.status().state == .ok)
    }

    @Test func aHundredAccountsOfDeadServersKeepNoneBackThatDoesWell() async throws {
        let fixture = try PollFixture(
            [PollScripts.firstSync, PollScripts.inbox(exists: 3, next: 4)], concurrency: 2)
        #expect(try await fixture.poll().counts.fetched == 3)
        let archive = fixture.worker.archive
        for number in 1...100 {
            var settings = try fixture.worker.polled().settings
            settings.name = "dead\(number)"
            // Each a server of its own. None is asked: only whose turn it is is decided here.
            settings.imap = ServerEndpoint(host: "127.0.1.\(number)", port: 1, security: .none)
            try archive.addAccount(settings, secret: Secret("x"))
        }
        fixture.worker.clock.advance(1_000)
        let due = try archive.dueAccounts(at: fixture.worker.clock.now)
        #expect(due.count == 101)
        #expect(due.last?.settings.name == "anna", "all the dead ones are due before")

        let turns = PollTurns(
            PollPlaces.Limits(fresh: 2, host: 32, total: 512, patienceMilliseconds: .max / 2))
        let begun = due.filter { turns.begin($0) }.map(\.settings.name)
        #expect(begun == ["dead1", "dead2", "anna"])
    }
}
