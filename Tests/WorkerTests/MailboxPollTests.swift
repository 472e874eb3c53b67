import Archive
import MailFetch
import MailModel
import MailTestKit
import MailTransport
import Matcher
import Testing

@testable import Worker

/// What a poll makes of a mailbox: the ledger, the history and the report.
@Suite(.timeLimit(.minutes(2)))
struct MailboxPollTests {
    typealias Scripts = PollScripts

    // MARK: What goes wrong

    @Test func aConnectionCutInsideAMessageKeepsTheWholeOnesAndTheNextPollCompletes() async throws {
        let half = Array(WorkerFixture.mail(2).prefix(40))
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1:3", [1, 2, 3]),
                [Scripts.asked("1:3"), Scripts.body(3), .sendBytes(Scripts.head(2, 4_000) + half), .close]),
            // The message that broke off comes last, and from where it stopped.
            Scripts.inbox(
                exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1", [1]),
                Scripts.bodies("1", [1]),
                [
                    Scripts.askedPiece(2, from: 40),
                    Scripts.piece(2, from: 40, of: WorkerFixture.mail(2)), Scripts.done,
                ]),
        ])
        let cut = try await fixture.poll()
        #expect(cut.failures.map(\.code) == [.connectionLost])
        #expect(cut.counts.linked == 1)
        #expect(try fixture.worker.recorded() == "3")
        #expect(try fixture.status().state == .failing)
        let whole = try await fixture.poll()
        #expect(whole.failures.isEmpty)
        #expect(whole.counts.linked == 2)
        #expect(try fixture.worker.recorded() == "1:3")
        #expect(try fixture.status().state == .ok)
        fixture.expectOnlyReading()
    }

    @Test func aGapThatAnInterruptedFetchLeftIsFoundThoughTheCountsAgree() async throws {
        let fixture = try PollFixture(
            [
                Scripts.firstSync,
                // Of three new messages the second has not come when the connection breaks off.
                Scripts.inbox(
                    exists: 6, next: 7, Scripts.metadata("4:*", [4, 5, 6]),
                    [Scripts.asked("4:6"), Scripts.body(4), Scripts.body(6), .close]),
                // Meanwhile the first message was removed: five are there, and five are known.
                Scripts.inbox(
                    exists: 5, next: 7, Scripts.search("2 3 4 5 6"),
                    [Scripts.askedPiece(5), Scripts.piece(5, of: WorkerFixture.mail(5)), Scripts.done]),
                Scripts.inbox(exists: 5, next: 7),
            ], parseMessages: 1)
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(try await fixture.poll().failures.map(\.code) == [.connectionLost])
        #expect(try fixture.worker.recorded() == "1:4,6")
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(try fixture.worker.recorded() == "1:6")
        #expect(try fixture.worker.present() == "2:6")
        // Complete again, it is not compared with each poll.
        #expect(try await fixture.poll().failures.isEmpty)
        fixture.expectOnlyReading()
    }

    @Test func aMessageExpungedBeforeItsFetchIsRecordedAsGone() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1:3", [1, 2, 3]),
                Scripts.bodies("1:3", [1, 3]), Scripts.search("1 3", gone: 2)),
            Scripts.inbox(exists: 2, next: 4),
        ])
        let report = try await fixture.poll()
        #expect(report.failures.isEmpty)
        #expect(report.gone == 1)
        #expect(try fixture.worker.recorded() == "1:3")
        #expect(try fixture.worker.archive.ledgerCounts() == [.archived: 2, .gone: 1])
        #expect(try fixture.worker.present() == "1,3")
        // It is not missed by the next poll.
        #expect(try await fixture.poll().failures.isEmpty)
        fixture.expectOnlyReading()
    }

    @Test func aFolderThatIsMissingDoesNotStopTheInbox() async throws {
        let fixture = try PollFixture([Scripts.firstSync]) {
            $0.sentFolder = FolderName("Gesendet")
            $0.furtherFolders = [FolderName("Клиенты")]
        }
        var settings = try fixture.worker.polled().settings
        settings.isWatched = true
        try fixture.worker.archive.editAccount(fixture.worker.account, settings)
        let report = try await fixture.poll()
        #expect(report.failures.map(\.code) == [.folderMissing, .folderMissing])
        #expect(report.failures.map(\.detail) == ["Gesendet", "Клиенты"])
        #expect(report.counts.linked == 3)
        // It is shown, and the account keeps its interval and its watch.
        let status = try fixture.status()
        let now = fixture.worker.clock.now
        #expect(status.state == .failing && status.failure?.code == .folderMissing)
        #expect(status.failure?.remedy != nil)
        #expect(status.failures == 0 && status.lastSuccess == now && !status.isPutOff(at: now))
        #expect(status.nextPoll.map { $0 <= now.advanced(bySeconds: 420) } == true)
        #expect(try fixture.worker.archive.watchedAccounts()[fixture.worker.account] != nil)
        #expect(try fixture.worker.recorded() == "1:3")
        fixture.expectOnlyReading()
    }

    static let refusals = [
        "NO [NONEXISTENT] no such folder", "NO not now", "BAD what", "NO [SERVERBUG] broken index",
        "NO [UNAVAILABLE] try later",
    ]

    @Test(arguments: refusals)
    func aFolderThatCannotBeOpenedDoesNotStopTheOthers(words: String) async throws {
        let fixture = try PollFixture([
            Scripts.script(
                Scripts.folders("INBOX", "Sent"), [.expect("EXAMINE \"INBOX\""), .send("$T \(words)")],
                [.expect("UID SEARCH ALL"), .send("$T BAD no folder is open")],
                Scripts.examine("Sent", exists: 1, next: 2), Scripts.search("1"), Scripts.metadata("1", [1]),
                Scripts.bodies("1", [1]))
        ])
        let report = try await fixture.poll()
        #expect(report.failures.count == 1)
        #expect(report.counts.fetched == 1)
        #expect(try fixture.worker.recorded(7, "Sent") == "1")
        // Without INBOX it is no success.
        #expect(try fixture.status().failures == 1 && fixture.status().lastSuccess == nil)
        #expect(try fixture.status().isPutOff(at: fixture.worker.clock.now))
        fixture.expectOnlyReading()
    }

    @Test func aSentFolderThatIsRefusedDoesNotPutTheInboxOff() async throws {
        func script(_ words: String) -> IMAPScript {
            Scripts.script(
                Scripts.folders("INBOX", "Sent"), Scripts.examine("INBOX", exists: 0, next: 1),
                Scripts.search(""), [.expect("EXAMINE \"Sent\""), .send("$T NO \(words)")],
                [.expect("UID SEARCH ALL"), .send("$T BAD no folder is open")])
        }
        for (words, isPutOff) in [("not now", false), ("[UNAVAILABLE] try again in 2 hours", true)] {
            let fixture = try PollFixture([script(words)])
            #expect(try await fixture.poll().failures.count == 1)
            // A delay that is named is kept to, whatever it was about.
            #expect(try fixture.status().isPutOff(at: fixture.worker.clock.now) == isPutOff)
            fixture.expectOnlyReading()
        }
    }

    @Test(arguments: refusals)
    func aFolderWhoseListIsRefusedDoesNotStopTheOthers(words: String) async throws {
        let fixture = try PollFixture([
            Scripts.script(
                Scripts.folders("INBOX", "Sent"), Scripts.examine("INBOX", exists: 3, next: 4),
                [.expect("UID SEARCH"), .send("$T \(words)")],
                Scripts.examine("Sent", exists: 1, next: 2), Scripts.search("1"), Scripts.metadata("1", [1]),
                Scripts.bodies("1", [1]))
        ])
        let report = try await fixture.poll()
        #expect(report.failures.count == 1)
        #expect(report.counts.fetched == 1)
        #expect(try fixture.worker.recorded().isEmpty)
        #expect(try fixture.worker.recorded(7, "Sent") == "1")
        fixture.expectOnlyReading()
    }

    @Test func aGoodbyeEndsThePollWithOneFailure() async throws {
        let fixture = try PollFixture([
            Scripts.script(
                Scripts.folders("INBOX", "Sent"), Scripts.examine("INBOX", exists: 3, next: 4),
                [.expect("UID SEARCH"), .send("* BYE [UNAVAILABLE] maintenance"), .close])
        ])
        let report = try await fixture.poll()
        #expect(report.failures.map(\.code) == [.serverBusy])
        fixture.expectOnlyReading()
    }

    // MARK: What is not fetched

    @Test func aMessageBeyondTheLimitGetsItsRowWithoutBeingFetched() async throws {
        var limits = MailLimits.standard
        limits.messageBytes = 1_000
        let fixture = try PollFixture(
            [
                Scripts.inbox(
                    exists: 3, next: 4, Scripts.search("1 2 3"),
                    [
                        .expect("UID FETCH 1:3 (UID RFC822.SIZE"),
                        .send("* 1 FETCH (UID 1 RFC822.SIZE 1000)"),
                        .send("* 2 FETCH (UID 2 RFC822.SIZE 1001)"),
                        .send("* 3 FETCH (UID 3 RFC822.SIZE 10)"), Scripts.done,
                    ],
                    // The third is not what its metadata said.
                    [
                        Scripts.asked("1,3"), Scripts.body(1, padding: 1_000 - WorkerFixture.mail(1).count),
                        Scripts.body(3, padding: 1_500), Scripts.done,
                    ]),
                Scripts.inbox(exists: 3, next: 4),
            ], limits: limits)
        let report = try await fixture.poll()
        #expect(report.failures.isEmpty)
        #expect(report.tooLarge == 2)
        #expect(try fixture.worker.archive.ledgerCounts() == [.archived: 1, .tooLarge: 2])
        #expect(try await fixture.poll().tooLarge == 0)
        fixture.expectOnlyReading()
    }

    @Test func aMessageThatWasTooLargeIsFetchedWhenTheLimitWasRaised() async throws {
        var limits = MailLimits.standard
        limits.messageBytes = 1_000
        let fixture = try PollFixture(
            [
                Scripts.inbox(
                    exists: 2, next: 3, Scripts.search("1 2"),
                    [
                        .expect("UID FETCH 1:2 (UID RFC822.SIZE"),
                        .send("* 1 FETCH (UID 1 RFC822.SIZE 1500)"),
                        .send("* 2 FETCH (UID 2 RFC822.SIZE 2500)"), Scripts.done,
                    ]),
                Scripts.inbox(
                    exists: 2, next: 3, Scripts.search("1 2"), Scripts.metadata("1", [1], size: 1_500),
                    [Scripts.asked("1"), Scripts.body(1, padding: 1_500 - WorkerFixture.mail(1).count)],
                    [Scripts.done]),
                Scripts.inbox(exists: 2, next: 3),
            ], limits: limits)
        #expect(try await fixture.poll().tooLarge == 2)
        limits.messageBytes = 2_000
        let raised = try fixture.pass(limits: limits)
        fixture.worker.clock.advance(86_400)
        let report = await raised.poll(try fixture.worker.polled())
        #expect(report.failures.isEmpty && report.tooLarge == 0 && report.counts.linked == 1)
        #expect(try fixture.worker.archive.ledgerCounts() == [.archived: 1, .tooLarge: 1])
        #expect(await raised.poll(try fixture.worker.polled()).failures.isEmpty)
        fixture.expectOnlyReading()
    }

    @Test func mailOlderThanTheStartingDateGetsItsRowWithoutBeingFetched() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Scripts.search("1 2 3"),
                [
                    .expect("UID FETCH 1:3 (UID RFC822.SIZE"),
                    .send(
                        "* 1 FETCH (UID 1 RFC822.SIZE 9 INTERNALDATE \"05-May-2024 23:59:59 +0000\")"),
                    .send(
                        "* 2 FETCH (UID 2 RFC822.SIZE 9 INTERNALDATE \"06-May-2024 00:00:00 +0000\")"),
                    // Without a date it is not known to be old.
                    .send("* 3 FETCH (UID 3 RFC822.SIZE 9)"), Scripts.done,
                ], Scripts.bodies("2:3", [2, 3])),
            Scripts.inbox(exists: 3, next: 4),
        ]) { $0.since = UnixTime(1_714_953_600) }
        let report = try await fixture.poll()
        #expect(report.failures.isEmpty)
        #expect(report.beforeSince == 1)
        #expect(report.counts.linked == 2)
        #expect(try fixture.worker.archive.ledgerCounts() == [.archived: 2, .ignored: 1])
        #expect(try await fixture.poll().beforeSince == 0)
        fixture.expectOnlyReading()
    }

    @Test func `a starting date that is changed during a poll leaves no message out`() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1:3", [1, 2, 3])),
            Scripts.firstSync,
        ]) { $0.since = UnixTime(1_800_000_000) }
        // What the poll has read before a person changed it.
        let before = try fixture.worker.polled()
        var settings = before.settings
        settings.since = nil
        try fixture.worker.archive.editAccount(fixture.worker.account, settings)
        let report = await fixture.pass.poll(before)
        #expect(report.failures.map(\.code) == [.settingsChanged] && report.beforeSince == 0)
        #expect(try fixture.status().state == .new)
        #expect(try fixture.worker.recorded() == "")
        #expect(try await fixture.poll().counts.fetched == 3)
        fixture.expectOnlyReading()
    }

    @Test func `what an earlier starting date has left out is found by the next comparison`() async throws {
        let fixture = try PollFixture([Scripts.firstSync])
        try fixture.worker.archive.recordUnfetched(
            [
                UnfetchedUID(
                    uid: UID(2), reason: .beforeSince, size: 10, internalDate: UnixTime(1_700_000_000))
            ],
            in: fixture.worker.inbox, UIDValidity(7))
        let report = try await fixture.poll()
        #expect(report.failures.isEmpty && report.counts.fetched == 3)
        #expect(try fixture.worker.archive.ledgerCounts() == [.archived: 3])
        fixture.expectOnlyReading()
    }

    // MARK: One poll after another

    @Test func aMailboxIsFetchedOnceAndTheNextPollAsksForNothing() async throws {
        let fixture = try PollFixture([Scripts.firstSync, Scripts.inbox(exists: 3, next: 4)])
        let first = try await fixture.poll()
        #expect(first.failures.isEmpty)
        #expect(first.counts.fetched == 3)
        #expect(try fixture.worker.historyCount() == 3)
        let asked = fixture.server.received.count
        let second = try await fixture.poll()
        #expect(second.failures.isEmpty)
        #expect(second.counts.fetched == 0)
        #expect(!fixture.server.received.dropFirst(asked).contains { $0.contains("UID ") })
        fixture.expectOnlyReading()
    }

    @Test func ofNewMailOnlyWhatIsNewIsFetched() async throws {
        let fixture = try PollFixture([
            Scripts.firstSync,
            Scripts.inbox(
                exists: 5, next: 6, Scripts.metadata("4:*", [4, 5]), Scripts.bodies("4:5", [4, 5])),
        ])
        try await fixture.poll()
        let second = try await fixture.poll()
        #expect(second.failures.isEmpty)
        #expect(second.counts.fetched == 2)
        #expect(try fixture.worker.recorded() == "1:5")
        fixture.expectOnlyReading()
    }

    @Test func aNewUIDVALIDITYFetchesAgainAndDoublesNothing() async throws {
        let fixture = try PollFixture([
            Scripts.firstSync,
            Scripts.inbox(
                validity: 8, exists: 3, next: 14, Scripts.search("11 12 13"),
                Scripts.metadata("11:13", [11, 12, 13]),
                Scripts.bodies("11:13", [11, 12, 13], numbers: [1, 2, 3])),
            Scripts.inbox(validity: 8, exists: 3, next: 14),
        ])
        try await fixture.poll()
        let second = try await fixture.poll()
        #expect(second.failures.isEmpty)
        #expect(second.counts.duplicates == 3)
        #expect(second.counts.linked == 0)
        #expect(try fixture.worker.historyCount() == 3)
        #expect(try fixture.worker.recorded(7) == "1:3")
        #expect(try fixture.worker.recorded(8) == "11:13")
        let third = try await fixture.poll()
        #expect(third.counts.fetched == 0 && third.failures.isEmpty)
        fixture.expectOnlyReading()
    }

    @Test func aServerThatNumbersAnewWithEachSessionIsAskedForAllMailAFewTimesADay() async throws {
        func script(_ validity: Int, isRead: Bool = true) -> IMAPScript {
            Scripts.inbox(
                validity: validity, exists: 1, next: 2,
                isRead ? Scripts.search("1") + Scripts.metadata("1", [1]) + Scripts.bodies("1", [1]) : [])
        }
        let most = FolderPoll.epochsADay
        let fixture = try PollFixture(
            (0..<most).map { script(10 + $0) } + [script(90, isRead: false), script(91)])
        for _ in 0..<most { #expect(try await fixture.poll().failures.isEmpty) }
        let refused = try await fixture.poll()
        #expect(refused.failures.map(\.code) == [.uidValidityRestless])
        #expect(try fixture.status().failure?.remedy?.contains("UIDVALIDITY") == true)
        fixture.worker.clock.advance(86_401)
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(try fixture.worker.historyCount() == 1)
        fixture.expectOnlyReading()
    }

    @Test func mailThatTheUserDeletesStaysInHistoryAndIsMarked() async throws {
        let fixture = try PollFixture([
            Scripts.firstSync, Scripts.inbox(exists: 2, next: 4, Scripts.search("1 3")),
            Scripts.inbox(exists: 2, next: 4),
        ])
        try await fixture.poll()
        let second = try await fixture.poll()
        #expect(second.failures.isEmpty)
        #expect(second.vanished == 1)
        #expect(try fixture.worker.present() == "1,3")
        #expect(try fixture.worker.recorded() == "1:3")
        #expect(try fixture.worker.historyCount() == 3)
        #expect(try await fixture.poll().vanished == 0)
        fixture.expectOnlyReading()
    }

    @Test func aDayLaterAllUIDsAreComparedThoughNothingSeemsAmiss() async throws {
        let fixture = try PollFixture([
            Scripts.firstSync, Scripts.inbox(exists: 3, next: 4, Scripts.search("1 2 3")),
            Scripts.inbox(exists: 3, next: 4),
        ])
        try await fixture.poll()
        fixture.worker.clock.advance(86_400)
        for _ in 0..<2 {
            let report = try await fixture.poll()
            #expect(report.failures.isEmpty)
            #expect(report.counts.fetched == 0)
        }
        #expect(fixture.server.received.count { $0.contains("UID SEARCH") } == 2)
        fixture.expectOnlyReading()
    }

    @Test func anEmptyMailboxIsAskedOnceAndNothingIsFetched() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(exists: 0, next: 1, Scripts.search("")), Scripts.inbox(exists: 0, next: 1),
        ])
        for _ in 0..<2 {
            let report = try await fixture.poll()
            #expect(report.failures.isEmpty)
            #expect(report.counts.fetched == 0)
        }
        fixture.expectOnlyReading()
    }

    @Test func sentMailIsFiledAsOutgoing() async throws {
        let sent = Array(
            """
            From: \(WorkerFixture.own)\r
            To: \(WorkerFixture.client)\r
            Message-ID: <answer@firma.example>\r
            \r
            Answer\r\n
            """.utf8)
        let fixture = try PollFixture([
            Scripts.script(
                Scripts.folders("INBOX", "Sent"), Scripts.examine("INBOX", exists: 0, next: 1),
                Scripts.search(""), Scripts.examine("Sent", exists: 1, next: 2), Scripts.search("1"),
                Scripts.metadata("1", [1]),
                [Scripts.asked("1"), Scripts.message(1, sent), Scripts.done])
        ])
        let report = try await fixture.poll()
        #expect(report.failures.isEmpty)
        #expect(report.counts.linked == 1)
        let history = try fixture.worker.archive.history(of: fixture.worker.contact)
        #expect(history.map(\.direction) == [.outgoing])
        fixture.expectOnlyReading()
    }
}
