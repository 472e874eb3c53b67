import Archive
import MailModel
import MailTestKit
import MailTransport
import Testing

@testable import Worker

/// Messages that a server cannot read, and of which it says something else: that it is busy, nothing, or goodbye.
@Suite(.timeLimit(.minutes(2)))
struct RefusedMessageTests {
    typealias Scripts = PollScripts

    private static let three: PollScripts.Steps =
        Scripts.search("1 2 3") + Scripts.metadata("1:3", [1, 2, 3])
    private static let unavailable = IMAPScript.Step.send(
        "$T NO [UNAVAILABLE] UID FETCH Server error while fetching messages")
    private static let goodbye: PollScripts.Steps = [
        .send("* BYE FETCH failed: Internal error occurred. Refer to server log for more information."),
        .close,
    ]
    private static func askedSizes(_ set: String) -> IMAPScript.Step {
        .expect("UID FETCH \(set) (UID RFC822.SIZE")
    }

    // MARK: Said to be busy

    @Test func aMessageThatIsUnavailableCostsItself() async throws {
        func refusedAlone(_ parts: PollScripts.Steps...) -> IMAPScript {
            Scripts.inbox(
                exists: 3, next: 4, parts.flatMap { $0 }, [Scripts.askedPiece(2), Self.unavailable],
                Scripts.search("1 2 3"))
        }
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Self.three, [Scripts.asked("1:3"), Scripts.body(3), Self.unavailable],
                [Scripts.asked("2"), Self.unavailable], Scripts.bodies("1", [1]), Scripts.search("1 2 3")),
            // It may be innocent once, and is asked for on its own schedule from then on.
            refusedAlone(), Scripts.inbox(exists: 3, next: 4), refusedAlone(),
        ])
        for (attempts, hours) in [(1, Int64(0)), (2, 1)] {
            let report = try await fixture.poll()
            #expect(report.failures.isEmpty && report.withheld == 1)
            #expect(try fixture.worker.recorded() == "1,3")
            let withheld = try fixture.worker.archive.withheld(of: fixture.worker.account)
            #expect(withheld.map(\.uid) == [UID(2)] && withheld.map(\.attempts) == [attempts])
            #expect(withheld.map(\.nextTry) == [fixture.worker.clock.now.advanced(bySeconds: hours * 3600)])
            #expect(withheld.first?.failure.detail?.contains("Server error while") == true)
            #expect(try fixture.status().state == .ok)
        }
        #expect(try await fixture.poll().failures.isEmpty)
        fixture.worker.clock.advance(3600)
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(
            try fixture.worker.archive.withheld(of: fixture.worker.account).map(\.nextTry)
                == [fixture.worker.clock.now.advanced(bySeconds: 6 * 3600)])
        fixture.expectOnlyReading()
    }

    @Test func theOnlyNewMessageIsTakenForTheReasonAfterThreePolls() async throws {
        func refused(_ parts: PollScripts.Steps...) -> IMAPScript {
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"), Scripts.metadata("1", [1]),
                [Scripts.asked("1"), Self.unavailable], parts.flatMap { $0 })
        }
        let fixture = try PollFixture([refused(), refused(), refused(), refused(Scripts.search("1"))])
        for failures in 1...3 {
            #expect(try await fixture.poll().failures.map(\.code) == [.serverBusy])
            #expect(try fixture.status().failures == failures)
        }
        let report = try await fixture.poll()
        #expect(report.failures.isEmpty && report.withheld == 1)
        #expect(try fixture.status().state == .ok)
        fixture.expectOnlyReading()
    }

    @Test func aDelayThatTheServerAsksForIsKeptTo() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Self.three, Scripts.bodies("1:3", [1, 3]), Scripts.search("1 2 3")),
            Scripts.inbox(
                exists: 3, next: 4,
                [Scripts.askedPiece(2), .send("$T NO [UNAVAILABLE] try again in 5 hours")],
                Scripts.search("1 2 3")),
        ])
        try await fixture.poll()
        fixture.worker.clock.advance(3600)
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(
            try fixture.worker.archive.withheld(of: fixture.worker.account).map(\.nextTry)
                == [fixture.worker.clock.now.advanced(bySeconds: 5 * 3600)])
        fixture.expectOnlyReading()
    }

    @Test func ofManyThatAreDueABusyServerIsAskedForAFewOnly() async throws {
        func refused(_ uid: Int) -> PollScripts.Steps {
            [Scripts.askedPiece(uid), Self.unavailable] + Scripts.search("1 2 3 4 5")
        }
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 5, next: 6, Scripts.search("1 2 3 4 5"), Scripts.metadata("1:5", [1, 2, 3, 4, 5]),
                Scripts.bodies("1:5", []), Scripts.search("1 2 3 4 5")),
            Scripts.inbox(exists: 5, next: 6, refused(1), refused(2), refused(3)),
        ])
        try await fixture.poll()
        fixture.worker.clock.advance(3600)
        #expect(try await fixture.poll().failures.isEmpty)
        let withheld = try fixture.worker.archive.withheld(of: fixture.worker.account)
        #expect(withheld.map(\.attempts) == [2, 2, 2, 1, 1])
        fixture.expectOnlyReading()
    }

    // MARK: Sizes

    @Test func aMessageWhoseSizeEndsTheSessionKeepsNoOtherBack() async throws {
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 3, next: 4, Scripts.search("1 2 3"),
                [Self.askedSizes("1:3"), .send("* 1 FETCH (UID 1 RFC822.SIZE 10)")], Self.goodbye),
            Scripts.inbox(
                exists: 3, next: 4, Scripts.search("1 2 3"), Scripts.metadata("1,3", [1, 3]),
                Scripts.bodies("1,3", [1, 3]), [Scripts.askedPiece(2)], Self.goodbye),
            Scripts.inbox(exists: 3, next: 4, Scripts.search("1 2 3")),
            Scripts.inbox(exists: 3, next: 4),
        ])
        for _ in 0..<2 { #expect(try await fixture.poll().failures.count == 1) }
        #expect(try fixture.worker.recorded() == "1,3")
        for _ in 0..<2 { #expect(try await fixture.poll().failures.isEmpty) }
        #expect(try fixture.worker.archive.withheld(of: fixture.worker.account).map(\.uid) == [UID(2)])
        fixture.expectOnlyReading()
    }

    @Test func aNewMessageWhoseSizeEndsTheSessionKeepsNoOtherBackEither() async throws {
        let fixture = try PollFixture([
            Scripts.firstSync,
            Scripts.inbox(exists: 5, next: 6, [Self.askedSizes("4:*")], Self.goodbye),
            // Only a list tells which messages there are.
            Scripts.inbox(
                exists: 5, next: 6, Scripts.search("1 2 3 4 5"), [Self.askedSizes("4:5")], Self.goodbye),
            Scripts.inbox(
                exists: 5, next: 6, Scripts.search("1 2 3 4 5"), Scripts.metadata("5", [5]),
                Scripts.bodies("5", [5]),
                [Scripts.askedPiece(4), Scripts.piece(4, of: WorkerFixture.mail(4)), Scripts.done]),
        ])
        #expect(try await fixture.poll().failures.isEmpty)
        for _ in 0..<2 { #expect(try await fixture.poll().failures.count == 1) }
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(try fixture.worker.present() == "1:5")
        #expect(try fixture.worker.historyCount() == 5)
        fixture.expectOnlyReading()
    }

    @Test func aNewMessageWhoseSizeIsRefusedIsFetchedAllTheSame() async throws {
        let refused = IMAPScript.Step.send("$T NO cannot read a message")
        let fixture = try PollFixture([
            Scripts.firstSync,
            Scripts.inbox(
                exists: 5, next: 6, [Self.askedSizes("4:*"), refused], Scripts.search("1 2 3 4 5"),
                [
                    Self.askedSizes("4:5"), refused, Self.askedSizes("5"), Self.askedSizes("4"),
                    .send("* 5 FETCH (UID 5 RFC822.SIZE 10)"), .send("$6 OK done"), refused,
                ], Scripts.bodies("5", [5]), Scripts.bodies("4", [4])),
            Scripts.inbox(exists: 5, next: 6),
        ])
        for _ in 0..<3 { #expect(try await fixture.poll().failures.isEmpty) }
        #expect(try fixture.worker.present() == "1:5")
        fixture.expectOnlyReading()
    }

    @Test func aMessageFetchedAloneIsNoNewerThanTheAccountWants() async throws {
        let mail = WorkerFixture.mail(1)
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 2, next: 3, Scripts.search("1 2"), [Self.askedSizes("1:2")], Self.goodbye),
            Scripts.inbox(
                exists: 2, next: 3, Scripts.search("1 2"), Scripts.metadata("2", [2]),
                Scripts.bodies("2", [2]),
                [
                    Scripts.askedPiece(1),
                    .sendBytes(
                        Array(
                            "* 1 FETCH (UID 1 INTERNALDATE \"05-May-2024 23:59:59 +0000\" BODY[]<0> {\(mail.count)}\r\n"
                                .utf8) + mail + Array(")\r\n".utf8)), Scripts.done,
                ]),
        ]) { $0.since = UnixTime(1_714_953_600) }
        try await fixture.poll()
        let report = try await fixture.poll()
        #expect(report.failures.isEmpty && report.beforeSince == 1)
        #expect(try fixture.worker.archive.ledgerCounts() == [.archived: 1, .ignored: 1])
        fixture.expectOnlyReading()
    }

    // MARK: Not a byte, or a part

    @Test func emptyContentOfMessagesThatHaveASizeIsWithheldAndMadeNoDuplicates() async throws {
        let uids = Array(1...20)
        let listed = Scripts.search(uids.map(String.init).joined(separator: " "))
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 20, next: 21, listed, Scripts.metadata("1:20", uids, size: 400),
                [Scripts.asked("1:20")] + uids.map { Scripts.message($0, []) } + [Scripts.done], listed)
        ])
        let report = try await fixture.poll()
        #expect(report.counts.fetched == 0 && report.withheld == 20)
        #expect(try fixture.worker.recorded() == "")
        let withheld = try fixture.worker.archive.withheld(of: fixture.worker.account)
        #expect(withheld.allSatisfy { $0.size == 400 })
        fixture.expectOnlyReading()
    }

    @Test func whatCouldNotBeAskedForItsEndIsWithheldAndNotCutOff() async throws {
        let mail = WorkerFixture.mail(1)
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"), Scripts.metadata("1", [1], size: mail.count),
                [
                    Scripts.asked("1"), Scripts.message(1, Array(mail.prefix(100))),
                    .expect("UID FETCH 1 (UID INTERNALDATE BODY.PEEK[]<100.64>)"),
                    .send("$5 OK done"), .send("$T NO [SERVERBUG] not now"),
                ], Scripts.search("1")),
            // A part shorter than asked for is not the end either.
            Scripts.inbox(
                exists: 1, next: 2,
                [
                    Scripts.askedPiece(1), Scripts.piece(1, of: Array(mail.prefix(120))), Scripts.done,
                    Scripts.askedPiece(1, from: 120), Scripts.piece(1, from: 120, of: mail), Scripts.done,
                ]),
        ])
        #expect(try await fixture.poll().withheld == 1)
        #expect(try fixture.worker.recorded() == "")
        fixture.worker.clock.advance(3600)
        #expect(try await fixture.poll().failures.isEmpty)
        try expectWhole(mail, in: fixture)
    }

    @Test func aMessageAtWhichTheConnectionBrokeOffComesWholeInShortParts() async throws {
        let mail = WorkerFixture.mail(1)
        let fixture = try PollFixture([
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"), Scripts.metadata("1", [1], size: mail.count),
                [Scripts.asked("1"), .sendBytes(Scripts.head(1, mail.count) + mail.prefix(40)), .close]),
            Scripts.inbox(
                exists: 1, next: 2, Scripts.search("1"),
                [
                    Scripts.askedPiece(1, from: 40), Scripts.piece(1, from: 40, of: Array(mail.prefix(90))),
                    Scripts.done, Scripts.askedPiece(1, from: 90), Scripts.piece(1, from: 90, of: mail),
                    Scripts.done,
                ]),
        ])
        #expect(try await fixture.poll().failures.map(\.code) == [.connectionLost])
        #expect(try await fixture.poll().failures.isEmpty)
        try expectWhole(mail, in: fixture)
    }

    private func expectWhole(_ mail: [UInt8], in fixture: PollFixture) throws {
        let history = try fixture.worker.archive.history(of: fixture.worker.contact)
        let message = try #require(history.first?.message)
        let original = try fixture.worker.archive.original(of: message)
        #expect(original.withUnsafeBytes { Array($0) } == mail)
        fixture.expectOnlyReading()
    }
}
