import Archive
import Foundation
import MailFetch
import MailModel
import MailTestKit
import MailTransport
import Synchronization
import Testing

@testable import Worker

/// What a poll leaves behind for the next one: lease, state, time.
@Suite(.timeLimit(.minutes(2)))
struct SyncPassTests {
    typealias Scripts = PollScripts

    // MARK: Passwords

    @Test func aRefusedPasswordIsTriedFiveTimesAndThenWaitsForItsUser() async throws {
        let fixture = try PollFixture([Scripts.refusingLogin("[AUTHENTICATIONFAILED] wrong")])
        for attempt in 1...5 {
            let report = try await fixture.poll()
            #expect(report.failures.map(\.code) == [.loginRefused])
            let status = try fixture.status()
            #expect(status.failures == attempt)
            #expect(status.failure?.code == .loginRefused)
            #expect(status.state == (attempt < 5 ? .failing : .stopped))
            let now = fixture.worker.clock.now
            #expect(status.nextPoll == (attempt < 5 ? now.advanced(bySeconds: 17_280) : nil))
            fixture.worker.clock.advance(17_280)
        }
        #expect(try fixture.worker.archive.dueAccounts(at: UnixTime(.max)).isEmpty)
        // The user's new password is tried at once.
        try fixture.worker.archive.setSecret(Secret("neu"), of: fixture.worker.account)
        #expect(try fixture.worker.archive.dueAccounts(at: fixture.worker.clock.now).count == 1)
        fixture.expectOnlyReading()
    }

    @Test func anOutageBeforeARefusedPasswordCostsItNoTries() async throws {
        let busy = Scripts.script([.expect("LIST"), .send("$T NO [UNAVAILABLE] later")])
        let fixture = try PollFixture(
            Array(repeating: busy, count: 6) + [Scripts.refusingLogin("[AUTHENTICATIONFAILED] wrong")])
        for _ in 1...6 { try await fixture.poll() }
        #expect(try fixture.status().failure?.kind == .transient)
        try await fixture.poll()
        let status = try fixture.status()
        #expect(status.failure?.kind == .credential)
        #expect(status.state == .failing, "one refusal does not stop the account")
        #expect(status.nextPoll == fixture.worker.clock.now.advanced(bySeconds: 17_280))
    }

    @Test func anOutageBetweenRefusalsForgetsNoneOfThem() async throws {
        let refusing = Scripts.refusingLogin("[AUTHENTICATIONFAILED] wrong")
        let away = IMAPScript([.send("* BYE not now"), .close])
        let fixture = try PollFixture([refusing, refusing, away, refusing, refusing, away, refusing])
        for _ in 1...6 { try await fixture.poll() }
        #expect(try fixture.status().state == .failing)
        try await fixture.poll()
        #expect(try fixture.status().state == .stopped)
        #expect(try fixture.status().refusedSignIns == 5)
    }

    @Test(arguments: [
        "[LIMIT] Too many logins, try again in 90 minutes", "Слишком много попыток, повторите через 90 минут",
    ]) func aDelayThatTheServerStatesIsKeptTo(_ words: String) async throws {
        let fixture = try PollFixture([Scripts.refusingLogin(words)])
        let report = try await fixture.poll()
        #expect(report.failures.first?.retryAfterSeconds == 5_400)
        let status = try fixture.status()
        let asked = fixture.worker.clock.now.advanced(bySeconds: 5_400)
        #expect(status.state == .failing && (status.nextPoll.map { $0 >= asked } ?? false))
        #expect(try fixture.worker.archive.dueAccounts(at: asked.advanced(bySeconds: -1)).isEmpty)
    }

    @Test func anAccountWithoutAPasswordNeverReachesTheServer() async throws {
        let fixture = try PollFixture([Scripts.firstSync])
        try fixture.worker.archive.setSecret(nil, of: fixture.worker.account)
        let report = try await fixture.poll()
        #expect(report.failures.map(\.kind) == [.credential])
        #expect(report.failures[0].remedy?.contains("account edit anna --password-file") == true)
        #expect(fixture.server.events.isEmpty)
    }

    @Test func aProvidersRefusalNamesItsWayToAnAppPassword() async throws {
        let fixture = try PollFixture([Scripts.refusingLogin("[AUTHENTICATIONFAILED] wrong")]) {
            $0.preset = "yandex"
        }
        let report = try await fixture.poll()
        #expect(report.failures.first?.remedy?.contains("id.yandex.ru") == true)
        #expect(try fixture.status().failure?.remedy?.contains("id.yandex.ru") == true)
    }

    // MARK: Leases

    @Test func anAccountThatAnotherProcessPollsIsBusyAndLeftAlone() async throws {
        let fixture = try PollFixture([Scripts.firstSync])
        let other = try fixture.worker.reopened()
        guard case .granted(let lease) = try other.claim(fixture.worker.account) else {
            Issue.record("the other process got no lease")
            return
        }
        let finished = Mutex(0)
        let report = try await fixture.poll { event in
            if case .finished = event { finished.withLock { $0 += 1 } }
        }
        #expect(report.failures.map(\.code) == [.accountBusy])
        #expect(finished.withLock { $0 } == 1)
        #expect(fixture.server.events.isEmpty)
        #expect(try fixture.status().state == .new)
        try other.release(lease)
        #expect(try await fixture.poll().counts.fetched == 3)
    }

    @Test func anAccountThatAnotherProcessHasPolledMeanwhileIsNotPolledAgain() async throws {
        let fixture = try PollFixture([Scripts.firstSync])
        let due = try fixture.worker.polled()
        #expect(try await fixture.poll().counts.fetched == 3)
        let report = await fixture.pass.poll(due, onlyIfDue: true)
        #expect(report.failures.map(\.code) == [.accountBusy])
        #expect(fixture.server.events.count { $0 == .accepted } == 1)
        let other = try fixture.worker.reopened()
        guard case .granted = try other.claim(fixture.worker.account) else {
            Issue.record("the lease was kept")
            return
        }
    }

    @Test func theLeaseIsGivenBackAfterSuccessAndAfterFailure() async throws {
        let fixture = try PollFixture([Scripts.refusingLogin("no"), Scripts.firstSync])
        let other = try fixture.worker.reopened()
        for _ in 0..<2 {
            try await fixture.poll()
            guard case .granted(let lease) = try other.claim(fixture.worker.account) else {
                Issue.record("the lease was kept")
                return
            }
            try other.release(lease)
        }
    }

    @Test func aPollWhoseEndCannotBeRecordedIsReportedOnceWithBothFailures() async throws {
        let fixture = try PollFixture([
            IMAPScript([
                .send("* OK hi"), .expect("CAPABILITY"), .stall, .send("* CAPABILITY IMAP4rev1"),
                Scripts.done, .expect("LOGIN"), .send("$T NO [AUTHENTICATIONFAILED] wrong"),
            ])
        ])
        let archive = fixture.worker.archive
        var settings = try fixture.worker.polled().settings
        settings.name = "berta"
        let id = try archive.addAccount(settings, secret: Secret("x"))
        let account = try archive.account(id)
        let finished = Mutex<[[MailFailure.Code]]>([])
        let polling = Task {
            await fixture.pass.poll(account) { event in
                if case .finished(let report) = event {
                    finished.withLock { $0.append(report.failures.map(\.code)) }
                }
            }
        }
        await fixture.server.wait { $0 == .stalled }
        #expect(try archive.removeAccount(id).isGone)
        fixture.server.release()
        let report = await polling.value
        #expect(report.failures.map(\.code) == [.loginRefused, .unknownAccount])
        #expect(finished.withLock { $0 } == [[.loginRefused, .unknownAccount]])
    }

    @Test func aLeaseIsRenewedDuringALongTransferAndALostOneStopsIt() throws {
        let worker = try WorkerFixture()
        guard case .granted(let lease) = try worker.archive.claim(worker.account) else {
            Issue.record("no lease")
            return
        }
        let uptime = Mutex<UInt64>(5_000_000_000)
        var renewal = LeaseRenewal(lease: lease, forSeconds: 300) { uptime.withLock { $0 } }
        func pass(_ seconds: Int64) {
            worker.clock.advance(seconds)
            uptime.withLock { $0 += UInt64(seconds) * 1_000_000_000 }
        }
        let other = try worker.reopened()
        for _ in 0..<100 {
            pass(10)
            try renewal.renewIfDue(in: worker.archive)
        }
        guard case .held = try other.claim(worker.account) else {
            Issue.record("the lease ran out although it was renewed")
            return
        }
        pass(301)
        guard case .granted = try other.claim(worker.account) else {
            Issue.record("a lease that was not renewed is void")
            return
        }
        let failure = #expect(throws: MailFailure.self) { try renewal.renewIfDue(in: worker.archive) }
        #expect(failure?.code == .leaseLost)
    }

    // MARK: The archive, and the way out

    @Test func anArchiveThatFailsEndsThePollAndIsWellAgainForTheNext() async throws {
        let fixture = try PollFixture([Scripts.firstSync])
        let data = fixture.worker.directory.path + "/data"
        try FileManager.default.moveItem(atPath: data + "/originals", toPath: data + "/away")
        let failed = try await fixture.poll()
        #expect(failed.failures.map(\.code) == [.archiveMissing])
        #expect(failed.counts.fetched == 0)
        #expect(try fixture.worker.recorded().isEmpty)
        #expect(try fixture.status().state == .failing)
        try FileManager.default.moveItem(atPath: data + "/away", toPath: data + "/originals")
        let mended = try await fixture.poll()
        #expect(mended.failures.isEmpty)
        #expect(mended.counts.linked == 3)
        #expect(try fixture.status().state == .ok)
    }

    @Test func cancellingKeepsWhatWasReceivedAndSaysNothingAgainstTheAccount() async throws {
        let fixture = try PollFixture(
            [
                Scripts.inbox(
                    exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1:3", [1, 2, 3]),
                    [Scripts.asked("1:3"), Scripts.body(3), Scripts.body(2), .stall]),
                Scripts.inbox(
                    exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1", [1]),
                    Scripts.bodies("1", [1])),
            ], parseMessages: 1)
        let commits = Notes()
        let polling = Task {
            try await fixture.poll { event in
                if case .committed = event { commits.add("one") }
            }
        }
        await commits.wait { $0.count == 2 }
        polling.cancel()
        let report = try await polling.value
        #expect(report.failures.map(\.code) == [.cancelled])
        #expect(try fixture.status().state == .new)
        #expect(try fixture.status().failure == nil)
        fixture.server.release()
        let next = try await fixture.poll()
        #expect(next.failures.isEmpty)
        #expect(try fixture.worker.recorded() == "1:3")
    }

    @Test func afterASuccessTheNextPollIsDueAtTheAccountsMoment() async throws {
        let fixture = try PollFixture([Scripts.firstSync]) { $0.pollMinutes = 13 }
        try await fixture.poll()
        let status = try fixture.status()
        let now = fixture.worker.clock.now
        #expect(status.state == .ok && status.failures == 0 && status.failure == nil)
        #expect(status.lastSuccess == now && status.lastAttempt == now)
        let pause = try #require(status.nextPoll).rawValue - now.rawValue
        // 382 seconds to the first account's moment by the fixture's clock, and a tenth of the interval of jitter.
        #expect((304...460).contains(pause))
    }

    @Test func oneAccountsTroubleIsItsOwnAndTheReportsKeepTheirOrder() async throws {
        let fixture = try PollFixture([Scripts.firstSync])
        let refusing = try ScriptedIMAPServer(Scripts.refusingLogin("[AUTHENTICATIONFAILED] wrong"))
        defer { refusing.stop() }
        var settings = try fixture.worker.polled().settings
        for name in ["berta", "clara"] {
            settings.name = name
            settings.email = EmailAddress("\(name)@firma.example")
            settings.imap?.port = refusing.port
            try fixture.worker.archive.addAccount(settings, secret: Secret("x"))
        }
        let names = ["berta", "anna", "clara"]
        let accounts = try names.map { try fixture.worker.archive.account(named: $0) }
        let reports = await fixture.pass.run(accounts)
        #expect(reports.map(\.name) == names)
        #expect(reports.map { $0.failures.first?.code } == [.loginRefused, nil, .loginRefused])
        #expect(reports[1].counts.linked == 3)
    }

    // MARK: Large mailboxes

    private static let inSlices = [
        Scripts.inbox(
            exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1:3", [1, 2, 3], size: 400),
            Scripts.bodies("2:3", [3, 2], padding: 400)),
        Scripts.inbox(
            exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1", [1], size: 400),
            Scripts.bodies("1", [1], padding: 400)),
    ]

    @Test func aLargeMailboxComesInSlicesAndIsDueAtOnceAfterEach() async throws {
        let fixture = try PollFixture(Self.inSlices, sliceBytes: 900)
        let first = try await fixture.poll()
        #expect(first.hasMore && first.failures.isEmpty)
        #expect(try fixture.worker.recorded() == "2:3")
        #expect(try fixture.worker.archive.dueAccounts(at: fixture.worker.clock.now).count == 1)
        let second = try await fixture.poll()
        #expect(!second.hasMore)
        #expect(try fixture.worker.recorded() == "1:3")
        #expect(try fixture.worker.archive.dueAccounts(at: fixture.worker.clock.now).isEmpty)
        fixture.expectOnlyReading()
    }

    @Test func whatAProviderAllowsInADayIsNotExceededAndTheNextDayGoesOn() async throws {
        let old = Scripts.inbox(
            exists: 2, next: 3, Scripts.search("1 2"),
            Scripts.metadata("1:2", [1, 2], size: 400, day: "06-May-2020"))
        let new = Scripts.inbox(
            exists: 2, next: 3, Scripts.search("1 2"),
            Scripts.metadata("1:2", [1, 2], size: 400, day: "06-May-2020"),
            Scripts.bodies("1:2", [1, 2], padding: 400))
        let fixture = try PollFixture([old, new]) { $0.preset = "gmail" }
        let archive = fixture.worker.archive
        try archive.noteFetched(2_000 << 20, of: try fixture.worker.polled().id)
        let first = try await fixture.poll()
        #expect(first.isDayUsedUp && first.failures.isEmpty && first.counts.fetched == 0)
        // It is no reason to ask again at once.
        #expect(try archive.dueAccounts(at: fixture.worker.clock.now).isEmpty)
        fixture.worker.clock.advance(86_400)
        let second = try await fixture.poll()
        #expect(!second.isDayUsedUp && second.counts.fetched == 2)
        #expect(try archive.fetchedBytes(of: try fixture.worker.polled().id) == second.receivedBytes)
        fixture.expectOnlyReading()
    }

    @Test func onePassTakesAllSlicesAndTellsOfThemTogether() async throws {
        let fixture = try PollFixture(Self.inSlices, sliceBytes: 900)
        let reports = await fixture.pass.run([try fixture.worker.polled()])
        #expect(reports.map(\.counts.fetched) == [3])
        #expect(reports[0].receivedBytes > 0 && reports[0].failures.isEmpty)
        fixture.expectOnlyReading()
    }
}
