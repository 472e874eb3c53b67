import Archive
import Foundation
import MailModel
import MailTestKit
import MailTransport
import Testing

@testable import Worker

@Suite(.timeLimit(.minutes(2)))
struct PollingDaemonTests {
    typealias Scripts = PollScripts

    /// Runs the daemon as long as `body` does; what it reported is in the notes.
    private func withDaemon(
        of fixture: PollFixture, _ notes: Notes, _ body: () async throws -> Void
    ) async throws {
        let running = Task {
            try? await fixture.daemon.run { event in
                if case .finished(let report) = event {
                    let codes = report.failures.map(\.code.rawValue).joined(separator: " ")
                    notes.add("\(report.name) \(report.counts.fetched) \(codes)")
                }
            } failed: { failure in
                notes.add("archive \(failure.code.rawValue)")
            }
        }
        do {
            try await body()
        } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        await running.value
    }

    @Test func anAccountThatAnotherProcessPollsIsLeftAloneAndKeepsNobodyElseBack() async throws {
        let fixture = try PollFixture([Scripts.firstSync], concurrency: 1)
        let archive = fixture.worker.archive
        let other = try fixture.worker.reopened()
        guard case .granted(let lease) = try other.claim(fixture.worker.account) else {
            Issue.record("no lease")
            return
        }
        var settings = try fixture.worker.polled().settings
        settings.name = "berta"
        try archive.addAccount(settings, secret: Secret("x"))
        let notes = Notes()
        try await withDaemon(of: fixture, notes) {
            // The held account is due first each second, and there is room for one.
            await notes.wait { $0 == ["berta 3 "] }
            // The other one may have died: its accounts are not left alone for long.
            try other.release(lease)
            fixture.worker.clock.advance(5)
            await notes.wait { $0.count > 1 }
        }
        #expect(notes.all.count == 2)
        #expect(notes.all.last?.hasPrefix("anna ") == true)
    }

    @Test func anAccountIsPolledWhenItIsDueAndNotBefore() async throws {
        let fixture = try PollFixture([Scripts.firstSync, Scripts.inbox(exists: 3, next: 4)])
        let notes = Notes()
        try await withDaemon(of: fixture, notes) {
            await notes.wait { $0 == ["anna 3 "] }
            let asked = fixture.ticks.all.count
            await fixture.ticks.wait { $0.count > asked + 1 }
            #expect(notes.all.count == 1, "the interval has not passed")
            fixture.worker.clock.advance(406)
            await notes.wait { $0 == ["anna 3 ", "anna 0 "] }
        }
        fixture.expectOnlyReading()
    }

    @Test func anAccountAddedMeanwhileIsTakenUp() async throws {
        let fixture = try PollFixture([Scripts.firstSync])
        let notes = Notes()
        try await withDaemon(of: fixture, notes) {
            await notes.wait { !$0.isEmpty }
            var settings = try fixture.worker.polled().settings
            settings.name = "berta"
            try fixture.worker.archive.addAccount(settings, secret: Secret("x"))
            await notes.wait { $0.contains("berta 3 ") }
        }
    }

    @Test func stoppingEndsRunningPollsAndSaysNothingAgainstTheAccount() async throws {
        let fixture = try PollFixture([IMAPScript([.opening(capabilities: "IMAP4rev1"), .stall])])
        let notes = Notes()
        try await withDaemon(of: fixture, notes) { await fixture.server.wait { $0 == .stalled } }
        #expect(notes.all == ["anna 0 cancelled"])
        #expect(try fixture.status().state == .new)
    }
}
