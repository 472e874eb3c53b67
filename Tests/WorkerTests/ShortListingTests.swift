import Archive
import MailFetch
import MailModel
import MailTestKit
import Testing

@testable import Worker

/// Servers that name fewer UIDs than they have messages.
@Suite(.timeLimit(.minutes(2)))
struct ShortListingTests {
    typealias Scripts = PollScripts

    private static let all = [1, 2, 3, 4, 5]

    private static func inbox(_ parts: PollScripts.Steps...) -> IMAPScript {
        Scripts.inbox(exists: 5, next: 6, parts.flatMap { $0 })
    }

    @Test func whatASearchLeavesOutIsAskedForByNumberAndFetched() async throws {
        for named in ["", "4 5", "1 2"] {
            let fixture = try PollFixture([
                Self.inbox(
                    Scripts.search(named), Scripts.askedByNumber(Self.all), Scripts.metadata("1:5", Self.all),
                    Scripts.bodies("1:5", Self.all)),
                // The folder is known to be whole, and not compared with each poll.
                Self.inbox(),
            ])
            for _ in 0..<2 { #expect(try await fixture.poll().failures.isEmpty) }
            #expect(try fixture.worker.present() == "1:5")
            #expect(try fixture.worker.historyCount() == 5)
            fixture.expectOnlyReading()
        }
    }

    @Test func whatIsListedIsFetchedAndTheAccountSaysThatTheRestIsNot() async throws {
        let short = Scripts.search("4 5") + Scripts.askedByNumber([3, 4, 5])
        let fixture = try PollFixture([
            Self.inbox(short, Scripts.metadata("3:5", [3, 4, 5]), Scripts.bodies("3:5", [3, 4, 5])),
            Self.inbox(short),
            // Of itself it names them all at last.
            Self.inbox(
                Scripts.search("1 2 3 4 5"), Scripts.metadata("1:2", [1, 2]), Scripts.bodies("1:2", [1, 2])),
            Self.inbox(),
        ])
        for fetched in [3, 0] {
            let report = try await fixture.poll()
            #expect(report.failures.map(\.code.rawValue) == ["listing-short"])
            #expect(report.failures.first?.detail == "INBOX: 3 of 5")
            #expect(report.counts.fetched == fetched)
            #expect(try fixture.worker.recorded() == "3:5")
            // It is shown, and the account keeps its interval.
            let status = try fixture.status()
            let now = fixture.worker.clock.now
            #expect(status.state == .failing && status.failures == 0 && !status.isPutOff(at: now))
            #expect(status.failure?.remedy != nil)
            #expect(status.nextPoll.map { $0 <= now.advanced(bySeconds: 420) } == true)
        }
        for _ in 0..<2 { #expect(try await fixture.poll().failures.isEmpty) }
        #expect(try fixture.status().state == .ok)
        #expect(try fixture.worker.present() == "1:5")
        #expect(try fixture.worker.historyCount() == 5)
        fixture.expectOnlyReading()
    }

    @Test func newMailAboveAShortListIsFetchedAtOnce() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 2, next: 4, Scripts.search("3"), Scripts.askedByNumber([3]),
                Scripts.metadata("3", [3]),
                Scripts.bodies("3", [3])),
            Scripts.inbox(
                exists: 3, next: 5, Scripts.search("3 4"), Scripts.askedByNumber([3, 4]),
                Scripts.metadata("4", [4]), Scripts.bodies("4", [4])),
        ])
        #expect(try await fixture.poll().counts.fetched == 1)
        #expect(try await fixture.poll().counts.fetched == 1)
        #expect(try fixture.worker.recorded() == "3:4")
        fixture.expectOnlyReading()
    }

    @Test func nothingHasVanishedByAListThatIsShort() async throws {
        let fixture = try PollFixture([
            Self.inbox(
                Scripts.search("1 2 3 4 5"), Scripts.metadata("1:5", Self.all),
                Scripts.bodies("1:5", [1, 2, 3, 4]), Scripts.search("1 2 3 4 5")),
            Self.inbox(Scripts.search("3"), Scripts.askedByNumber([3]), [.expect("LOGOUT")]),
            Scripts.inbox(exists: 4, next: 6, Scripts.search("1 2 3 4")),
        ])
        #expect(try await fixture.poll().withheld == 1)
        fixture.worker.clock.advance(86_400)
        // The one that is withheld is not due yet.
        let archive = fixture.worker.archive
        try archive.noteWithheld(
            archive.withheld(of: fixture.worker.account).map {
                FailedFetch(uid: $0.uid, failure: $0.failure)
            },
            in: fixture.worker.inbox, UIDValidity(7)
        ) { _, _ in 7 * 86_400 }
        let short = try await fixture.poll()
        #expect(short.failures.map(\.code) == [.listingShort])
        #expect(short.vanished == 0 && short.gone == 0 && short.withheld == 1)
        #expect(try fixture.worker.present() == "1:4")
        // A whole list tells what has gone.
        let whole = try await fixture.poll()
        #expect(whole.failures.isEmpty && whole.gone == 1 && whole.withheld == 0)
        #expect(try fixture.worker.present() == "1:4")
        fixture.expectOnlyReading()
    }

    @Test func aMessageThatIsNotHandedOutIsNotGoneByAListThatIsShort() async throws {
        let fixture = try PollFixture([
            Self.inbox(
                Scripts.search("1 2 3 4 5"), Scripts.metadata("1:5", Self.all),
                Scripts.bodies("1:5", [1, 3, 4, 5]), Scripts.search("1"), Scripts.askedByNumber([1, 4]))
        ])
        let report = try await fixture.poll()
        #expect(report.gone == 0 && report.withheld == 1)
        #expect(try fixture.worker.archive.withheld(of: fixture.worker.account).map(\.uid) == [UID(2)])
        fixture.expectOnlyReading()
    }

    @Test func aMarkIsNotMovedByAListThatIsShort() async throws {
        let opening = IMAPScript.Step.opening(capabilities: "IMAP4rev1 ENABLE CONDSTORE QRESYNC")
        func script(_ sequence: Int, _ parts: PollScripts.Steps...) -> IMAPScript {
            IMAPScript(
                [opening] + Scripts.folders("INBOX") + [
                    .expect("EXAMINE \"INBOX\" (CONDSTORE)"), .send("* 3 EXISTS"),
                    .send("* OK [UIDVALIDITY 7] valid"), .send("* OK [UIDNEXT 4] next"),
                    .send("* OK [HIGHESTMODSEQ \(sequence)] highest"), .send("$T OK done"),
                ] + parts.flatMap { $0 })
        }
        let fixture = try PollFixture([
            script(
                100, Scripts.search("1"), Scripts.askedByNumber([1, 2]), Scripts.metadata("1:2", [1, 2]),
                Scripts.bodies("1:2", [1, 2])),
            script(110, Scripts.search("1 2 3"), Scripts.metadata("3", [3]), Scripts.bodies("3", [3])),
            IMAPScript(
                [opening] + Scripts.folders("INBOX")
                    + Scripts.reexamine(since: 110, to: 120, exists: 2, uidNext: 4, vanished: "1")),
        ])
        #expect(try await fixture.poll().failures.map(\.code) == [.listingShort])
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(try await fixture.poll().vanished == 1)
        #expect(try fixture.worker.present() == "2:3")
        fixture.expectOnlyReading()
    }
}
