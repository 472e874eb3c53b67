import Archive
import Foundation
import MailModel
import MailTestKit
import Testing

@testable import Worker

/// What `run` does for an account that asks to be watched.
@Suite(.timeLimit(.minutes(2)))
struct MailboxWatchTests {
    typealias Scripts = PollScripts

    private static let idle: PollScripts.Steps = [.expect("IDLE"), .send("+ idling")]

    /// A session that opens INBOX, whatever is in it, and idles.
    private static func watching(_ parts: PollScripts.Steps...) -> IMAPScript {
        IMAPScript(
            [.opening(capabilities: "IMAP4rev1 IDLE")] + Scripts.folders("INBOX")
                + Scripts.examine("INBOX", exists: 3, next: 4) + parts.flatMap { $0 })
    }

    private func watch(
        _ scripts: [IMAPScript], _ body: (PollFixture, Notes) async throws -> Void
    ) async throws {
        try await PollFixture.watching([Scripts.firstSync] + scripts, body)
    }

    @Test func aServerThatCannotIdleIsOnlyPolled() async throws {
        try await watch([Scripts.inbox(exists: 3, next: 4)]) { fixture, notes in
            await fixture.server.wait { $0 == .ended }
            #expect(notes.all.isEmpty)
        }
    }

    @Test func aWatchThatIsLostIsBegunAnew() async throws {
        try await watch([
            Self.watching(Self.idle, [.send("* BYE bye"), .close]), Self.watching(Self.idle, [.stall]),
        ]) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all == ["lost server-closed"])
        }
    }

    @Test func aWatchThatIsRefusedTriesNothingMoreUntilAPollHasWorked() async throws {
        try await watch([
            Scripts.refusingLogin("[AUTHENTICATIONFAILED] not now"),
            Self.watching(Self.idle, [.stall]),
        ]) { fixture, notes in
            await notes.wait { $0 == ["lost login-refused"] }
            let asked = fixture.ticks.all.count
            await fixture.ticks.wait { $0.count > asked + 2 }
            #expect(notes.all.count == 1)
            // A poll, be it another process's, was let in.
            fixture.worker.clock.advance(60)
            try fixture.worker.archive.noteAttempt(
                fixture.worker.account, startedAt: fixture.worker.clock.now, failure: nil,
                nextPoll: fixture.worker.clock.now.advanced(bySeconds: 80_000))
            await fixture.server.wait { $0 == .stalled }
        }
    }

    @Test func whoseSignInIsRefusedOrNeverWorkedIsNotWatched() throws {
        let fixture = try PollFixture([Scripts.firstSync])
        let archive = fixture.worker.archive
        let account = fixture.worker.account
        var settings = try fixture.worker.polled().settings
        settings.isWatched = true
        try archive.editAccount(account, settings)
        func note(_ kind: FailureKind?) throws -> Bool {
            try archive.noteAttempt(
                account, startedAt: fixture.worker.clock.now,
                failure: kind.map { MailFailure(.accountBusy, kind: $0, "No") },
                nextPoll: fixture.worker.clock.now.advanced(bySeconds: 60))
            return try archive.watchedAccounts()[account] != nil
        }
        #expect(try archive.watchedAccounts().isEmpty)
        #expect(try !note(.transient) && note(nil))
        #expect(try note(.transient) && !note(.credential) && !note(.needsPerson) && note(nil))
    }

    @Test func newMailIsFiledWhenItComesOnTheSameConnection() async throws {
        try await watch([
            Self.watching(
                Self.idle, [.send("* 4 EXISTS"), .expectDone, Scripts.done],
                Scripts.examine("INBOX", exists: 4, next: 5), Scripts.metadata("4:*", [4]),
                Scripts.bodies("4", [4]), Self.idle, [.stall])
        ]) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all == ["fetched 1"])
            #expect(try fixture.worker.recorded() == "1:4")
            // Waiting, it keeps nobody from the account.
            guard case .granted = try fixture.worker.reopened().claim(fixture.worker.account) else {
                Issue.record("the watch holds the lease")
                return
            }
        }
    }

    @Test func aServerThatKeepsTellingOfWhatIsNotThereIsListenedToLessAndLess() async throws {
        let round: PollScripts.Steps =
            Self.idle + [.send("* 4 EXISTS"), .expectDone, Scripts.done]
            + Scripts.examine("INBOX", exists: 3, next: 4)
        try await watch([Self.watching(round, round, round, round, round, Self.idle, [.stall])]) {
            fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            let rests = fixture.sleeps.all.filter {
                ["1.0 seconds", "2.0 seconds", "4.0 seconds"].contains($0)
            }
            #expect(rests == ["1.0 seconds", "2.0 seconds", "4.0 seconds"])
            #expect(notes.all.isEmpty)
        }
    }

    @Test func aRestIsNeverLongerThanThePollIntervalOrThanServersWait() {
        #expect((0...5).map { MailboxWatch.rest(after: $0, interval: 300) } == [0, 0, 0, 1, 2, 4])
        #expect(MailboxWatch.rest(after: 1_000, interval: 300) == 300)
        #expect(MailboxWatch.rest(after: 1_000, interval: 86_400) == 540)
    }

    @Test func aServerThatEndsEveryIdleAtOnceIsOnlyPolled() async throws {
        let short: PollScripts.Steps = [.expect("IDLE"), .send("+ idling"), .send("$T OK enough")]
        try await watch([
            Self.watching(short, short, short, [.expect("LOGOUT"), .send("* BYE bye"), Scripts.done])
        ]) { fixture, notes in
            // The poll's, and the watch's.
            await until { fixture.server.received.count { $0.hasSuffix(" LOGOUT") } == 2 }
            let asked = fixture.ticks.all.count
            await fixture.ticks.wait { $0.count > asked + 2 }
            let connections = fixture.server.events.count { $0 == .accepted }
            #expect(connections == 2 && notes.all.isEmpty)
        }
    }

    @Test func aServerThatRefusesToIdleIsOnlyPolled() async throws {
        try await watch([
            Self.watching(
                [.expect("IDLE"), .send("$T BAD what")],
                [.expect("LOGOUT"), .send("* BYE bye"), Scripts.done])
        ]) { fixture, notes in
            await until { fixture.server.received.count { $0.hasSuffix(" LOGOUT") } == 2 }
            let asked = fixture.ticks.all.count
            await fixture.ticks.wait { $0.count > asked + 2 }
            let connections = fixture.server.events.count { $0 == .accepted }
            #expect(connections == 2 && notes.all.isEmpty)
        }
    }

    @Test(arguments: ["[SERVERBUG] Internal error occurred. Refer to server log", "not now"])
    func `an IDLE that is refused once is asked for again`(words: String) async throws {
        try await watch([
            Self.watching([.expect("IDLE"), .send("$T NO \(words)")]), Self.watching(Self.idle, [.stall]),
        ]) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all == ["lost command-refused"])
        }
    }

    @Test func `a server that cannot idle is asked again once a poll has worked an hour later`() async throws
    {
        try await watch([
            Scripts.script(
                Scripts.folders("INBOX"), [.expect("LOGOUT"), .send("* BYE bye"), Scripts.done]),
            Self.watching(Self.idle, [.stall]),
        ]) { fixture, notes in
            await until { fixture.server.received.count { $0.hasSuffix(" LOGOUT") } == 2 }
            for seconds: Int64 in [3_600, 1] {
                let asked = fixture.ticks.all.count
                await fixture.ticks.wait { $0.count > asked + 2 }
                #expect(fixture.server.events.count { $0 == .accepted } == 2)
                fixture.worker.clock.advance(seconds)
                try fixture.worker.archive.noteAttempt(
                    fixture.worker.account, startedAt: fixture.worker.clock.now, failure: nil,
                    nextPoll: fixture.worker.clock.now.advanced(bySeconds: 80_000))
            }
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all.isEmpty)
        }
    }

    @Test(arguments: [
        [IMAPScript.Step.send("* BYE enough"), .close], [.close], [.send("$T NO too many IDLE commands")],
    ])
    func aServerThatEndsEachSessionAtIdleIsComeBackToLessAndLess(end: [IMAPScript.Step]) async throws {
        let ended = Self.watching([.expect("IDLE")], end)
        try await watch([ended, ended, ended, Self.watching(Self.idle, [.stall])]) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all.count == 3)
            let pauses = fixture.sleeps.all.compactMap { Double($0.split(separator: " ")[0]) }
            for seconds in [4.0...6, 8...12, 16...24] { #expect(pauses.contains { seconds.contains($0) }) }
        }
    }

    @Test func anOutageOfTheNetworkEndsNoWatch() async throws {
        // What answers is no mail server, or a balancer whose servers are away.
        let nobody = IMAPScript([.send("* NO what"), .close])
        let away = IMAPScript([.send("* BYE no server is there"), .close])
        try await watch([nobody, away, Self.watching(Self.idle, [.stall])]) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            #expect(notes.all == ["lost not-a-mail-server", "lost connection-refused"])
        }
    }

    @Test func newMailThatComesWhileOtherMailIsFetchedIsFiledAtOnce() async throws {
        let told = Scripts.bodies("4", [4]).dropLast() + [.send("* 5 EXISTS"), Scripts.done]
        try await watch([
            Self.watching(
                Self.idle, [.send("* 4 EXISTS"), .expectDone, Scripts.done],
                Scripts.examine("INBOX", exists: 4, next: 5), Scripts.metadata("4:*", [4]), Array(told),
                // Of the fifth the server will not speak again.
                Scripts.examine("INBOX", exists: 5, next: 6), Scripts.metadata("5:*", [5]),
                Scripts.bodies("5", [5]), Self.idle, [.stall])
        ]) { fixture, notes in
            await fixture.server.wait { $0 == .stalled }
            let recorded = try fixture.worker.recorded()
            #expect(recorded == "1:5" && notes.all == ["fetched 1", "fetched 1"])
        }
    }

    @Test func whatAnotherProcessWatchesIsLeftToItUntilItEnds() async throws {
        let fixture = try PollFixture([Scripts.firstSync, Self.watching(Self.idle, [.stall])])
        try await fixture.poll()
        let archive = fixture.worker.archive
        var settings = try fixture.worker.polled().settings
        settings.isWatched = true
        try archive.editAccount(fixture.worker.account, settings)
        try archive.noteAttempt(
            fixture.worker.account, revision: try fixture.worker.polled().revision,
            startedAt: fixture.worker.clock.now, failure: nil,
            nextPoll: fixture.worker.clock.now.advanced(bySeconds: 86_400))
        var other: Archive? = try fixture.worker.reopened()
        _ = try other?.claimWatches(of: [fixture.worker.account])
        let running = Task {
            try? await fixture.daemon.run { _ in
            } failed: { _ in
            }
        }
        let asked = fixture.ticks.all.count
        await fixture.ticks.wait { $0.count > asked + 2 }
        #expect(fixture.server.events.count { $0 == .accepted } == 1, "the poll's connection alone")
        other = nil
        await fixture.server.wait { $0 == .stalled }
        running.cancel()
        await running.value
        // Whoever ends leaves them to the next one.
        let next = try fixture.worker.reopened()
        let claimed = try next.claimWatches(of: [fixture.worker.account])
        #expect(claimed == [fixture.worker.account])
    }

    @Test func anAccountThatIsNotToBeWatchedAnyMoreIsLeft() async throws {
        // What was changed is polled at once.
        try await watch([Self.watching(Self.idle, [.stall]), Scripts.inbox(exists: 3, next: 4)]) {
            fixture, _ in
            await fixture.server.wait { $0 == .stalled }
            var settings = try fixture.worker.polled().settings
            settings.isWatched = false
            try fixture.worker.archive.editAccount(fixture.worker.account, settings)
            let asked = fixture.ticks.all.count
            await fixture.ticks.wait { $0.count > asked + 2 }
            #expect(try fixture.worker.archive.watchedAccounts().isEmpty)
        }
    }

    @Test func theFirstRetriesComeSoonAndTheLastWithinAQuarterOfAnHour() {
        #expect(MailboxWatch.pause(after: 1, jitter: 0.5) == 5)
        #expect(MailboxWatch.pause(after: 4, jitter: 0.5) == 40)
        #expect(MailboxWatch.pause(after: 1000, jitter: 1) <= 1081)
        // What the server asks for is kept to, within reason.
        #expect(MailboxWatch.pause(after: 1, asked: 900, jitter: 0) == 900)
        #expect(MailboxWatch.pause(after: 6, asked: 30, jitter: 0.5) == 160)
        #expect(MailboxWatch.pause(after: 1, asked: .max, jitter: 0.5) == 86_400)
        #expect(MailboxWatch.pause(after: 1, asked: -5, jitter: 0.5) == 5)
    }
}
