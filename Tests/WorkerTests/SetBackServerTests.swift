import Archive
import MailFetch
import MailModel
import MailTestKit
import MailTransport
import Testing

@testable import Worker

/// A server that was restored from a backup, and gives the UIDs that it lost to new mail under the same UIDVALIDITY.
@Suite(.timeLimit(.minutes(2)))
struct SetBackServerTests {
    typealias Scripts = PollScripts

    static let monday = "06-May-2024"
    private static let tuesday = "07-May-2024"

    /// Each message with its arrival, as whole servers tell it.
    static func bodies(_ set: String, _ uids: [Int], numbers: [Int], day: String) -> Scripts.Steps {
        [Scripts.asked(set)]
            + zip(uids, numbers).map { uid, number in
                let bytes = WorkerFixture.mail(number)
                return .sendBytes(
                    Array(
                        "* \(uid) FETCH (UID \(uid) INTERNALDATE \"\(day) 10:00:00 +0000\" BODY[] {\(bytes.count)}\r\n"
                            .utf8) + bytes + Array(")\r\n".utf8))
            } + [Scripts.done]
    }

    static func sizes(_ set: String, _ uids: [Int], numbers: [Int], day: String) -> Scripts.Steps {
        [.expect("UID FETCH \(set) (UID RFC822.SIZE")]
            + zip(uids, numbers).map { uid, number in
                .send(
                    "* \(uid) FETCH (UID \(uid) RFC822.SIZE \(WorkerFixture.mail(number).count)"
                        + " INTERNALDATE \"\(day) 10:00:00 +0000\")")
            } + [Scripts.done]
    }

    private static func opening(_ exists: Int, next: Int, modSequence: Int? = nil) -> Scripts.Steps {
        var steps = Scripts.examine("INBOX", exists: exists, next: next)
        if let modSequence { steps.insert(.send("* OK [HIGHESTMODSEQ \(modSequence)] highest"), at: 1) }
        return steps
    }

    static func inbox(
        _ exists: Int, next: Int, modSequence: Int? = nil, _ parts: Scripts.Steps...
    ) -> IMAPScript {
        Scripts.script(
            Scripts.folders("INBOX"), opening(exists, next: next, modSequence: modSequence),
            parts.flatMap { $0 })
    }

    static func five(modSequence: Int? = nil) -> IMAPScript {
        let all = [1, 2, 3, 4, 5]
        return inbox(
            5, next: 6, modSequence: modSequence, Scripts.search("1 2 3 4 5"),
            sizes("1:5", all, numbers: all, day: monday), bodies("1:5", all, numbers: all, day: monday))
    }

    private func expectWhole(_ fixture: PollFixture, displaced: String, history: Int) throws {
        #expect(try fixture.worker.recorded() == "1:5")
        #expect(try fixture.worker.recorded(0) == displaced)
        #expect(try fixture.worker.historyCount() == history)
        #expect(try fixture.worker.archive.verify().findings == [])
        fixture.expectOnlyReading()
    }

    @Test func newMailUnderUIDsThatHadVanishedIsFetched() async throws {
        let fixture = try PollFixture([
            Self.five(),
            Self.inbox(
                3, next: 4, Scripts.search("1 2 3"),
                Self.sizes("1:3", [1, 2, 3], numbers: [1, 2, 3], day: Self.monday)),
            Self.inbox(
                5, next: 6, Scripts.search("1 2 3 4 5"),
                Self.sizes("4:5", [4, 5], numbers: [14, 15], day: Self.tuesday),
                Self.bodies("4:5", [4, 5], numbers: [14, 15], day: Self.tuesday)),
            Self.inbox(5, next: 6),
        ])
        #expect(try await fixture.poll().counts.linked == 5)
        #expect(try await fixture.poll().vanished == 2)
        let third = try await fixture.poll()
        #expect(third.failures.isEmpty)
        #expect(third.counts.linked == 2)
        #expect(third.reused == 2)
        #expect(try fixture.worker.present() == "1:5")
        #expect(try await fixture.poll().counts.fetched == 0)
        try expectWhole(fixture, displaced: "1:2", history: 7)
    }

    @Test func newMailOfTheSameSizeAndArrivalIsToldByItsContent() async throws {
        let fixture = try PollFixture([
            Self.five(), Self.inbox(4, next: 6, Scripts.search("1 2 3 4")),
            Self.inbox(
                5, next: 6, Scripts.search("1 2 3 4 5"), Self.sizes("5", [5], numbers: [6], day: Self.monday),
                Self.bodies("5", [5], numbers: [6], day: Self.monday)),
            Self.inbox(5, next: 6),
        ])
        try await fixture.poll()
        try await fixture.poll()
        #expect(try await fixture.poll().counts.linked == 1)
        #expect(try fixture.worker.present() == "1:5")
        #expect(try await fixture.poll().counts.fetched == 0)
        try expectWhole(fixture, displaced: "1", history: 6)
    }

    @Test func newMailThatCameBeforeTheNextPollIsFetchedToo() async throws {
        let fixture = try PollFixture([
            Self.five(),
            Self.inbox(
                4, next: 5, Scripts.search("1 2 3 4"),
                Self.sizes("1:4", [1, 2, 3], numbers: [1, 2, 3], day: Self.monday).dropLast()
                    + Self.sizes("1:4", [4], numbers: [14], day: Self.tuesday).dropFirst(),
                Self.bodies("4", [4], numbers: [14], day: Self.tuesday)),
        ])
        try await fixture.poll()
        let second = try await fixture.poll()
        #expect(second.failures.isEmpty)
        #expect(second.counts.linked == 1)
        #expect(second.reused == 1)
        #expect(try fixture.worker.present() == "1:4")
        try expectWhole(fixture, displaced: "1", history: 6)
    }

    @Test func aModSequenceThatFellIsEnoughWhereNoCountDiffers() async throws {
        let fixture = try PollFixture([
            Self.five(modSequence: 50),
            Self.inbox(
                5, next: 6, modSequence: 44, Scripts.search("1 2 3 4 5"),
                Self.sizes("1:5", [1, 2, 3], numbers: [1, 2, 3], day: Self.monday).dropLast()
                    + Self.sizes("1:5", [4, 5], numbers: [14, 15], day: Self.tuesday).dropFirst(),
                Self.bodies("4:5", [4, 5], numbers: [14, 15], day: Self.tuesday)),
            Self.inbox(5, next: 6, modSequence: 44),
        ])
        try await fixture.poll()
        let second = try await fixture.poll()
        #expect(second.failures.isEmpty)
        #expect(second.counts.linked == 2)
        #expect(try await fixture.poll().failures.isEmpty)
        #expect(try fixture.worker.present() == "1:5")
        try expectWhole(fixture, displaced: "1:2", history: 7)
    }

    @Test func aConnectionThatBreaksOffBeforeTheNewMailIsThereLosesNothing() async throws {
        let fixture = try PollFixture([
            Self.five(modSequence: 50),
            Self.inbox(
                5, next: 6, modSequence: 44, Scripts.search("1 2 3 4 5"),
                Self.sizes("1:5", [1, 2, 3, 4, 5], numbers: [1, 2, 3, 4, 15], day: Self.monday),
                [Scripts.asked("5"), .close]),
            Self.inbox(
                5, next: 6, modSequence: 44, Scripts.search("1 2 3 4 5"),
                [Scripts.askedPiece(5), Scripts.piece(5, of: WorkerFixture.mail(15)), Scripts.done]),
        ])
        try await fixture.poll()
        #expect(try await fixture.poll().failures.map(\.code) == [.connectionLost])
        #expect(try fixture.worker.recorded() == "1:4")
        #expect(try await fixture.poll().failures.isEmpty)
        try expectWhole(fixture, displaced: "1", history: 6)
    }

    @Test func aMessageWhoseSizeEndsTheSessionWhenItIsComparedKeepsNoOtherBack() async throws {
        let fixture = try PollFixture([
            Self.five(), Self.inbox(3, next: 6, Scripts.search("1 2 3")),
            Self.inbox(
                6, next: 7, Scripts.search("1 2 3 4 5 6"),
                [
                    .expect("UID FETCH 4:5 (UID RFC822.SIZE"),
                    .send(
                        "* 4 FETCH (UID 4 RFC822.SIZE \(WorkerFixture.mail(4).count)"
                            + " INTERNALDATE \"\(Self.monday) 10:00:00 +0000\")"), .close,
                ]),
            Self.inbox(
                6, next: 7, Scripts.search("1 2 3 4 5 6"),
                Self.sizes("4", [4], numbers: [4], day: Self.monday),
                Self.sizes("6", [6], numbers: [6], day: Self.monday),
                Self.bodies("4,6", [4, 6], numbers: [4, 6], day: Self.monday),
                [Scripts.askedPiece(5), Scripts.piece(5, of: WorkerFixture.mail(5)), Scripts.done]),
            Self.inbox(6, next: 7),
        ])
        try await fixture.poll()
        #expect(try await fixture.poll().vanished == 2)
        #expect(try await fixture.poll().failures.map(\.code) == [.connectionLost])
        for _ in 0..<2 { #expect(try await fixture.poll().failures.isEmpty) }
        #expect(try fixture.worker.present() == "1:6")
        #expect(try fixture.worker.historyCount() == 6)
        #expect(try fixture.worker.archive.verify().findings == [])
        fixture.expectOnlyReading()
    }

    @Test func aUIDThatAnAnswerHadLeftOutStaysTheMessageThatItWas() async throws {
        let fixture = try PollFixture([
            Self.five(), Self.inbox(4, next: 6, Scripts.search("1 2 3 4")),
            Self.inbox(
                5, next: 6, Scripts.search("1 2 3 4 5"),
                Self.sizes("5", [5], numbers: [5], day: Self.monday),
                Self.bodies("5", [5], numbers: [5], day: Self.monday)),
            Self.inbox(5, next: 6),
        ])
        try await fixture.poll()
        #expect(try await fixture.poll().vanished == 1)
        let third = try await fixture.poll()
        #expect(third.failures.isEmpty)
        #expect(third.counts.alreadyKnown == 1 && third.counts.duplicates == 0)
        #expect(third.reused == 0)
        #expect(try fixture.worker.present() == "1:5")
        #expect(try await fixture.poll().counts.fetched == 0)
        try expectWhole(fixture, displaced: "", history: 5)
    }
}
