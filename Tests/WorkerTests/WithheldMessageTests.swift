import Archive
import MailFetch
import MailModel
import MailTestKit
import MailTransport
import Testing
import Worker

/// Messages that a server lists and does not hand out: each costs itself.
@Suite(.timeLimit(.minutes(2)))
struct WithheldMessageTests {
    typealias Scripts = PollScripts

    private static let three: PollScripts.Steps =
        Scripts.search("1 2 3") + Scripts.metadata("1:3", [1, 2, 3])
    private static let refused = IMAPScript.Step.send("$T NO cannot read the message")

    @Test func aRefusedMessageIsFoundByHalvingAndTheOthersGoOn() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Self.three, [Scripts.asked("1:3"), Self.refused],
                // Both halves are on the wire before the first is answered.
                [Scripts.asked("2:3"), Scripts.body(3), Self.refused, Scripts.asked("1")],
                [Scripts.body(1), Scripts.done], Scripts.search("1 2 3")),
            Scripts.inbox(exists: 3, next: 4),
        ])
        let report = try await fixture.poll()
        #expect(report.failures.isEmpty)
        #expect(report.counts.linked == 2)
        #expect(report.withheld == 1)
        #expect(try fixture.worker.recorded() == "1,3")
        #expect(try fixture.status().state == .ok)
        let withheld = try fixture.worker.archive.withheld(of: fixture.worker.account)
        #expect(withheld.map(\.uid) == [UID(2)])
        #expect(withheld.first?.attempts == 1)
        #expect(withheld.first?.failure.detail?.contains("cannot read the message") == true)
        // It is no reason to compare the folder with each poll.
        #expect(try await fixture.poll().failures.isEmpty)
        fixture.expectOnlyReading()
    }

    @Test func itIsAskedForAgainAfterAnHourSixADayAndEachWeek() async throws {
        func refusedAlone(_ parts: PollScripts.Steps...) -> IMAPScript {
            Scripts.inbox(
                exists: 1, next: 2, parts.flatMap { $0 }, [Scripts.askedPiece(1), Self.refused],
                Scripts.search("1"))
        }
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"), Scripts.metadata("1", [1]),
                [Scripts.asked("1"), Self.refused], Scripts.search("1")),
            refusedAlone(), refusedAlone(), refusedAlone(Scripts.search("1")),
            refusedAlone(Scripts.search("1")),
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"),
                [Scripts.askedPiece(1), Scripts.piece(1, of: WorkerFixture.mail(1)), Scripts.done]),
        ])
        try await fixture.poll()
        let archive = fixture.worker.archive
        for (attempt, hours) in [Int64(1), 6, 24, 168, 168].enumerated() {
            let withheld = try archive.withheld(of: fixture.worker.account)
            #expect(withheld.map(\.attempts) == [attempt + 1])
            #expect(withheld.map(\.nextTry) == [fixture.worker.clock.now.advanced(bySeconds: hours * 3600)])
            fixture.worker.clock.advance(hours * 3600)
            #expect(try await fixture.poll().failures.isEmpty)
        }
        // It came at last, and is no longer withheld.
        #expect(try archive.withheld(of: fixture.worker.account).isEmpty)
        #expect(try fixture.worker.recorded() == "1")
        #expect(try fixture.worker.historyCount() == 1)
        fixture.expectOnlyReading()
    }

    @Test func aMessageThatIsListedAndNotSentIsWithheldAndAPersonCanHastenIt() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Self.three, Scripts.bodies("1:3", [1, 3]), Scripts.search("1 2 3")),
            Scripts.inbox(
                exists: 3, next: 4,
                [Scripts.askedPiece(2), Scripts.piece(2, of: WorkerFixture.mail(2)), Scripts.done]),
        ])
        #expect(try await fixture.poll().withheld == 1)
        #expect(try fixture.worker.recorded() == "1,3")
        #expect(try fixture.worker.archive.hastenWithheld(of: fixture.worker.account) == 1)
        #expect(try await fixture.poll().withheld == 0)
        #expect(try fixture.worker.recorded() == "1:3")
        #expect(try fixture.worker.historyCount() == 3)
        fixture.expectOnlyReading()
    }

    @Test func aWithheldMessageThatTheUserDeletesIsGone() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Self.three, Scripts.bodies("1:3", [1, 3]), Scripts.search("1 2 3")),
            Scripts.inbox(exists: 2, next: 4, Scripts.search("1 3")),
            Scripts.inbox(exists: 2, next: 4),
        ])
        try await fixture.poll()
        #expect(try await fixture.poll().gone == 1)
        #expect(try fixture.worker.archive.withheld(of: fixture.worker.account).isEmpty)
        #expect(try fixture.worker.archive.ledgerCounts() == [.archived: 2, .gone: 1])
        #expect(try await fixture.poll().failures.isEmpty)
        fixture.expectOnlyReading()
    }

    @Test func aMessageThatVanishesBeforeItsSizeIsToldIsGone() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1:3", [1, 3]),
                Scripts.bodies("1,3", [1, 3]), [Scripts.asked("2"), Scripts.done],
                Scripts.search("1 3", gone: 2)),
            Scripts.inbox(exists: 2, next: 4),
        ])
        let report = try await fixture.poll()
        #expect(report.failures.isEmpty)
        #expect(report.gone == 1)
        #expect(try fixture.worker.recorded() == "1:3")
        #expect(try await fixture.poll().failures.isEmpty)
        fixture.expectOnlyReading()
    }

    @Test func aMessageWithoutASizeIsFetchedAllTheSame() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 2, next: 3, Scripts.search("1 2"), Scripts.metadata("1:2", [1]),
                Scripts.bodies("1", [1]), Scripts.bodies("2", [2]))
        ])
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(try fixture.worker.recorded() == "1:2")
        fixture.expectOnlyReading()
    }

    @Test func aLyingLiteralCostsOneConnectionAndItsMessageComesInPieces() async throws {
        // 4,000 bytes announced and not sent: whatever follows is taken for content.
        let mail = WorkerFixture.mail(2)
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Self.three,
                [
                    Scripts.asked("1:3"), Scripts.body(3), .sendBytes(Scripts.head(2, 4_000) + mail),
                    .close,
                ]),
            Scripts.inbox(
                exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1", [1]),
                Scripts.bodies("1", [1]),
                // All of it had come.
                [
                    Scripts.askedPiece(2, from: mail.count), Scripts.piece(2, from: mail.count, of: mail),
                    Scripts.done,
                ]),
        ])
        #expect(try await fixture.poll().failures.map(\.code) == [.connectionLost])
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(try fixture.worker.recorded() == "1:3")
        #expect(try fixture.worker.historyCount() == 3)
        fixture.expectOnlyReading()
    }

    @Test func aMessageThatComesFurtherWithEachConnectionIsFetchedInOneGo() async throws {
        let size = 2_000_000
        let mail = WorkerFixture.mail(1, padding: size)
        /// The first bytes of the message in one literal, and no more.
        func cut(_ count: Int) -> IMAPScript.Step {
            .sendBytes(Scripts.head(1, mail.count) + mail.prefix(count))
        }
        let megabyte = 1 << 20
        let half = megabyte / 2
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"), Scripts.metadata("1", [1], size: mail.count),
                [Scripts.asked("1"), cut(half), .close]),
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"),
                [
                    Scripts.askedPiece(1, from: half),
                    Scripts.piece(1, from: half, of: Array(mail.prefix(half + megabyte))), Scripts.done,
                    Scripts.askedPiece(1, from: half + megabyte), .close,
                ]),
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"),
                [
                    Scripts.askedPiece(1, from: half + megabyte),
                    Scripts.piece(1, from: half + megabyte, of: mail), Scripts.done,
                ]),
        ])
        let reports = await fixture.pass.run([try fixture.worker.polled()])
        #expect(reports.map(\.failures) == [[]])
        #expect(reports.map(\.counts.linked) == [1])
        #expect(try fixture.worker.archive.withheld(of: fixture.worker.account).isEmpty)
        #expect(fixture.server.events.count { $0 == .accepted } == 3)
        fixture.expectOnlyReading()
    }

    @Test func aMessageThatComesNoFurtherWaitsAndItsProgressCostNoTries() async throws {
        let mail = WorkerFixture.mail(1, padding: 600_000)
        let cut = IMAPScript.Step.sendBytes(Scripts.head(1, mail.count) + mail.prefix(400_000))
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"), Scripts.metadata("1", [1], size: mail.count),
                [Scripts.asked("1"), cut, .close]),
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"), [Scripts.askedPiece(1, from: 400_000), .close]),
        ])
        let reports = await fixture.pass.run([try fixture.worker.polled()])
        #expect(reports.map { $0.failures.map(\.code) } == [[.connectionLost]])
        let withheld = try fixture.worker.archive.withheld(of: fixture.worker.account)
        #expect(withheld.map(\.attempts) == [2])
        #expect(withheld.map(\.nextTry) == [fixture.worker.clock.now.advanced(bySeconds: 3600)])
        fixture.expectOnlyReading()
    }

    @Test func aMessageAtWhichTheServerDiesEachTimeKeepsNoOtherBack() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(exists: 3, next: 4, Self.three, [Scripts.asked("1:3"), Scripts.body(1), .close]),
            Scripts.inbox(
                exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("3", [3]),
                Scripts.bodies("3", [3]), [Scripts.askedPiece(2), .close]),
            Scripts.inbox(exists: 3, next: 4, Scripts.search("1 2 3")),
            Scripts.inbox(exists: 3, next: 4),
        ])
        #expect(try await fixture.poll().failures.map(\.code) == [.connectionLost])
        #expect(try await fixture.poll().failures.map(\.code) == [.connectionLost])
        #expect(try fixture.worker.recorded() == "1,3")
        for _ in 0..<2 { #expect(try await fixture.poll().failures.isEmpty) }
        #expect(try fixture.worker.archive.withheld(of: fixture.worker.account).map(\.attempts) == [2])
        fixture.expectOnlyReading()
    }

    @Test func aWithheldMessageOfAnEarlierEpochIsGoneAndFoundUnderItsNewUID() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Self.three, Scripts.bodies("1:3", [1, 3]), Scripts.search("1 2 3")),
            Scripts.inbox(
                validity: 8, exists: 1, next: 13, Scripts.search("12"), Scripts.metadata("12", [12]),
                Scripts.bodies("12", [12], numbers: [2])),
        ])
        #expect(try await fixture.poll().withheld == 1)
        let report = try await fixture.poll()
        #expect(report.withheld == 0 && report.failures.isEmpty)
        #expect(try fixture.worker.recorded(7) == "1:3")
        #expect(try fixture.worker.recorded(8) == "12")
        #expect(try fixture.worker.historyCount() == 3)
        fixture.expectOnlyReading()
    }

    @Test func aServerThatIsBusyIsNotAskedOneByOne() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Self.three,
                [Scripts.asked("1:3"), .send("$T NO [THROTTLED] Account exceeded bandwidth limits")])
        ])
        let report = try await fixture.poll()
        #expect(report.failures.map(\.code) == [.serverBusy])
        #expect(report.withheld == 0)
        #expect(fixture.server.received.count { $0.contains("BODY.PEEK") } == 1)
        fixture.expectOnlyReading()
    }

    @Test func aMessageCutShortByItsAnnouncementIsFetchedWhole() async throws {
        // The server says 300 bytes, announces 100, and has more when asked.
        let mail = WorkerFixture.mail(1)
        let short = Array(mail.prefix(100))
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"), Scripts.metadata("1", [1], size: mail.count),
                [
                    Scripts.asked("1"), Scripts.message(1, short),
                    .expect("UID FETCH 1 (UID INTERNALDATE BODY.PEEK[]<100.64>)"),
                    .sendBytes(
                        Array("* 1 FETCH (UID 1 BODY[]<100> {10}\r\n".utf8) + Array(mail[100..<110])
                            + Array(")\r\n".utf8)), .send("$5 OK done"), Scripts.done,
                    Scripts.askedPiece(1), Scripts.piece(1, of: mail), Scripts.done,
                ])
        ])
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(try fixture.worker.historyCount() == 1)
        let history = try fixture.worker.archive.history(of: fixture.worker.contact)
        let message = try #require(history.first?.message)
        let original = try fixture.worker.archive.original(of: message)
        #expect(original.withUnsafeBytes { Array($0) } == mail)
        fixture.expectOnlyReading()
    }

    @Test(arguments: [10_003, 10_004])
    func `sizes of more messages than a folder has are no answer`(last: Int) async throws {
        // Of a folder of two; ten thousand may just have come.
        let told = (2...last).map { "* \($0) FETCH (UID \($0) RFC822.SIZE 200000000)\r\n" }.joined()
        let sizes: PollScripts.Steps = [
            .expect("UID FETCH 2:* (UID RFC822.SIZE"), .sendBytes(Array(told.utf8)), Scripts.done,
        ]
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"), Scripts.metadata("1", [1]), Scripts.bodies("1", [1])),
            Scripts.inbox(exists: 2, next: 3, sizes),
        ])
        try await fixture.poll()
        let report = try await fixture.poll()
        let isAnswer = last == 10_003
        #expect(report.failures.map(\.code) == (isAnswer ? [] : [.protocolViolation]))
        #expect(report.tooLarge == (isAnswer ? 10_002 : 0))
    }

    @Test func `of one folder not more is withheld than each poll can read`() async throws {
        let fixture = try WorkerFixture()
        let failure = MailFailure(.timedOut, kind: .transient, "No")
        func note(_ uids: ClosedRange<UInt32>) throws -> Int {
            try fixture.archive.noteWithheld(
                uids.map { FailedFetch(uid: UID($0), size: nil, failure: failure) }, in: fixture.inbox,
                UIDValidity(7)
            ) { _, _ in 60 }
        }
        #expect(try note(1...9_999) == 0)
        #expect(try note(9_999...10_000) == 0)
        #expect(try note(10_000...10_003) == 3)
        #expect(try fixture.archive.withheldCount(of: fixture.account) == Archive.withheldInFolder)
    }
}
