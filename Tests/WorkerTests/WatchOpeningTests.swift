import Archive
import MailModel
import MailTestKit
import MailTransport
import Synchronization
import Testing

@testable import Worker

/// How many watches are opened at a time, in what order, and how many there may be.
@Suite(.timeLimit(.minutes(5)))
struct WatchOpeningTests {
    /// Accounts with these hosts, in their order.
    private func accounts(_ hosts: String...) throws -> [Account] {
        let fixture = try WorkerFixture()
        let settings = try fixture.polled().settings
        return try hosts.enumerated().map { index, host in
            var settings = settings
            settings.name = "\(host)-\(index + 1)"
            settings.imap = ServerEndpoint(host: host, port: 1, security: .none)
            return try fixture.archive.account(try fixture.archive.addAccount(settings, secret: Secret("x")))
        }
    }

    /// Turns with a clock that stands still, and openings that last until they are told to end.
    private final class Openings: Sendable {
        /// Milliseconds.
        final class Clock: Sendable {
            private let time = Mutex<Int64>(0)
            var now: Int64 { time.withLock(\.self) }
            func set(_ now: Int64) { time.withLock { $0 = now } }
        }

        let turns: PollTurns
        let clock: Clock
        let notes = Notes()
        private let closing = Notes()

        init(fresh: Int, host: Int) {
            let clock = Clock()
            self.clock = clock
            turns = PollTurns(
                PollPlaces.Limits(fresh: fresh, host: host, total: 100, patienceMilliseconds: 1_000),
                milliseconds: { clock.now })
        }

        /// Returns when it stands in the line.
        func want(_ account: Account) async -> Task<Void, any Error> {
            let before = turns.waitingOpenings
            let task = Task { [turns, notes, closing] in
                try await turns.open(account) { () throws(MailFailure) in
                    notes.add(account.settings.name)
                    await closing.wait { $0.contains(account.settings.name) }
                }
            }
            await until { turns.waitingOpenings == before + 1 }
            return task
        }

        func end(_ account: Account, _ task: Task<Void, any Error>) async throws {
            closing.add(account.settings.name)
            try await task.value
        }

        /// Lets those go on whose turn it is; their names so far.
        func admit(_ count: Int) async -> [String] {
            turns.admitOpenings()
            await notes.wait { $0.count >= count }
            return notes.all.sorted()
        }
    }

    @Test func atOneServerHalfOfItsPlacesAreOpenedAtATimeInTurn() async throws {
        let openings = Openings(fresh: 100, host: 4)
        let accounts = try accounts("h", "h", "h", "h", "other")
        var tasks: [Task<Void, any Error>] = []
        for account in accounts { tasks.append(await openings.want(account)) }
        #expect(await openings.admit(3) == ["h-1", "h-2", "other-5"])
        #expect(openings.turns.waitingOpenings == 2)
        // Time does not help: their server has not answered.
        openings.clock.set(60_000)
        openings.turns.admitOpenings()
        #expect(openings.turns.waitingOpenings == 2)
        try await openings.end(accounts[1], tasks[1])
        #expect(await openings.admit(4) == ["h-1", "h-2", "h-3", "other-5"])
        #expect(openings.turns.waitingOpenings == 1)
        for (account, task) in zip(accounts, tasks).dropLast(2) where account.settings.name != "h-2" {
            try await openings.end(account, task)
        }
        #expect(await openings.admit(5).count == 5)
        try await openings.end(accounts[3], tasks[3])
        try await openings.end(accounts[4], tasks[4])
        #expect(openings.turns.isIdle)
    }

    @Test func serversThatDoNotAnswerKeepOthersBackForTheirFirstSecondOnly() async throws {
        let openings = Openings(fresh: 2, host: 100)
        let accounts = try accounts("dead", "dead", "well")
        var tasks: [Task<Void, any Error>] = []
        for account in accounts { tasks.append(await openings.want(account)) }
        #expect(await openings.admit(2) == ["dead-1", "dead-2"])
        openings.clock.set(999)
        openings.turns.admitOpenings()
        #expect(openings.turns.waitingOpenings == 1)
        openings.clock.set(1_000)
        #expect(await openings.admit(3) == ["dead-1", "dead-2", "well-3"])
        for (account, task) in zip(accounts, tasks) { try await openings.end(account, task) }
    }

    @Test func oneThatIsCancelledLeavesTheLine() async throws {
        let openings = Openings(fresh: 2, host: 100)
        let task = await openings.want(try accounts("h")[0])
        task.cancel()
        await #expect { try await task.value } throws: { ($0 as? MailFailure)?.code == .cancelled }
        #expect(openings.turns.waitingOpenings == 0 && openings.turns.isIdle)
    }

    @Test func manyBeginSpreadOverSomeSecondsAndOneAtOnce() {
        #expect(MailboxWatches.spreadSeconds(of: 0) == 0)
        #expect(MailboxWatches.spreadSeconds(of: 1) == 0)
        #expect((15...25).contains(MailboxWatches.spreadSeconds(of: 1_000)))
        #expect(MailboxWatches.spreadSeconds(of: 1_000_000) == 30)
    }

    @Test func theOldestAccountsAreWatchedWhereThereIsNoRoomForAll() {
        func id(_ number: Int) -> AccountID { AccountID(rawValue: Int64(number)) }
        var wanted: [AccountID: WatchedAccount] = [:]
        for number in 1...6 {
            wanted[id(number)] = WatchedAccount(
                revision: 1, lastSuccess: UnixTime(0), host: number == 4 ? "other" : "h")
        }
        func choice(_ atHosts: [String: Int], host: Int, total: Int) -> String {
            let (begun, left) = MailboxWatches.choice(
                among: wanted, atHosts: atHosts, MailboxWatches.Limits(host: host, total: total))
            let out = left.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            return (begun.map { "\($0.0.rawValue)" } + out).joined(separator: ", ")
        }
        #expect(choice([:], host: 6, total: 6) == "1, 2, 3, 4, 5, 6")
        #expect(choice([:], host: 2, total: 6) == "1, 2, 4, h 3")
        #expect(choice(["h": 1], host: 2, total: 6) == "1, 4, h 4")
        #expect(choice(["h": 1, "third": 3], host: 10, total: 6) == "1, 2, h 3, other 1")
        #expect(choice([:], host: 0, total: 6) == "h 5, other 1")
    }

    @Test func accountsBeyondAServersLimitAreOnlyPolledAndNamedOnce() async throws {
        let watching = IMAPScript(
            [.opening(capabilities: "IMAP4rev1 IDLE")] + PollScripts.folders("INBOX")
                + PollScripts.examine("INBOX", exists: 3, next: 4)
                + [.expect("IDLE"), .send("+ idling"), .stall])
        let fixture = try PollFixture(
            [PollScripts.firstSync, PollScripts.firstSync, watching], hostWatches: 1)
        let archive = fixture.worker.archive
        var settings = try fixture.worker.polled().settings
        settings.isWatched = true
        try archive.editAccount(fixture.worker.account, settings)
        settings.name = "berta"
        try archive.addAccount(settings, secret: Secret("x"))
        for account in try archive.accounts() { _ = await fixture.pass.poll(account) }
        let notes = Notes()
        let running = Task {
            try? await fixture.daemon.run { event in
                if case .notWatched(let host, let accounts) = event { notes.add("\(host) \(accounts)") }
            } failed: {
                notes.add("archive \($0.code.rawValue)")
            }
        }
        await fixture.server.wait { $0 == .stalled }
        let asked = fixture.ticks.all.count
        await fixture.ticks.wait { $0.count > asked + 2 }
        running.cancel()
        await running.value
        #expect(notes.all == ["127.0.0.1 1"])
        #expect(fixture.server.events.count { $0 == .stalled } == 1)
    }
}
