import MailFetch
import MailModel
import Synchronization
import Testing

@testable import Archive
@testable import Worker

/// What must get onto the disk while the disk takes nothing, for however long.
@Suite(.timeLimit(.minutes(2))) struct OutboxJournalTests {
    private static func fixture() throws -> (WorkerFixture, OutboxClaim) {
        let fixture = try WorkerFixture()
        _ = try fixture.archive.queueMail(
            OutboxDraft(
                account: fixture.account, requestedBy: "anna",
                messageID: MessageID(rawValue: "m@firma.example"), sender: EmailAddress(WorkerFixture.own),
                recipients: [.init(EmailAddress(WorkerFixture.client)!)],
                content: MessageBytes(Array("Subject: 1\r\n\r\nText\r\n".utf8)),
                notBefore: fixture.clock.now))
        let claim = try #require(
            try fixture.archive.claimOutbox(fixture.account) { facts, _ in facts.due.map(\.id) }.first)
        return (fixture, claim)
    }

    /// A disk that is full for so many writes.
    private final class FullDisk: Sendable {
        private let left: Mutex<Int>
        init(writes: Int) { left = Mutex(writes) }

        func journal(_ archive: Archive, firstPause: Duration = .zero) -> OutboxJournal {
            OutboxJournal(archive: archive, firstPause: firstPause) { notes throws(MailFailure) in
                let isFull = self.left.withLock { left in
                    left -= 1
                    return left >= 0
                }
                if isFull {
                    throw MailFailure(MailFailure.Code("archive.disk-full"), kind: .transient, "full")
                }
                return try archive.noteOutbox(notes)
            }
        }
    }

    private static func accepted(_ claim: OutboxClaim, _ fixture: WorkerFixture) -> OutboxEnding {
        var ending = OutboxEnding(item: claim.id, attempt: claim.attempt, nextTry: fixture.clock.now)
        for recipient in claim.recipients { ending.outcomes[recipient.position] = .sent }
        return ending
    }

    private static func begin(_ claim: OutboxClaim, _ fixture: WorkerFixture) throws {
        #expect(try fixture.archive.noteOutbox([.begins(claim.id, recipients: [0])]) == [true])
    }

    @Test func anAnswerIsStoredHoweverOftenTheDiskHasRefusedIt() async throws {
        let (fixture, claim) = try Self.fixture()
        try Self.begin(claim, fixture)
        let failures = Mutex(0)
        let isHeld = await FullDisk(writes: 200).journal(fixture.archive).end(Self.accepted(claim, fixture)) {
            _ in failures.withLock { $0 += 1 }
        }
        #expect(isHeld == true && failures.withLock { $0 } == 200)
        #expect(try fixture.archive.outboxItem(claim.id).state == .sent)
    }

    @Test func nothingMoreIsHandedOverWhileTheAnswerBeforeIsNotStored() async throws {
        let (fixture, claim) = try Self.fixture()
        try Self.begin(claim, fixture)
        let (isOurs, tell) = AsyncStream<Bool?>.makeStream()
        let failures = Mutex(0)
        let ending = FullDisk(writes: 3).journal(fixture.archive).startEnding(
            Self.accepted(claim, fixture), failed: { _ in failures.withLock { $0 += 1 } },
            done: {
                tell.yield($0)
                tell.finish()
            })
        var refusal: MailFailure?
        do throws(MailFailure) { try await ending.demandStored() } catch { refusal = error }
        #expect(refusal?.summary == "full")
        await ending.finish()
        #expect(await isOurs.first { _ in true } == true)
        #expect(failures.withLock { $0 } == 3)
        #expect(try fixture.archive.outboxItem(claim.id).state == .sent)
    }

    @Test func anAnswerIsOnTheDiskBeforeWhatIsBegunBehindIt() async throws {
        let (fixture, claim) = try Self.fixture()
        try Self.begin(claim, fixture)
        let written = Mutex<[String]>([])
        let archive = fixture.archive
        let journal = OutboxJournal(archive: archive) { notes throws(MailFailure) in
            written.withLock { written in
                for note in notes {
                    if case .ended = note { written.append("ended") } else { written.append("begins") }
                }
            }
            return try archive.noteOutbox(notes)
        }
        let ending = journal.startEnding(
            Self.accepted(claim, fixture), failed: { _ in }, done: { _ in })
        // Nobody's any more: what counts is the order.
        #expect(try await journal.note(.begins(claim.id, recipients: [0])) == false)
        try await ending.demandStored()
        await ending.finish()
        #expect(written.withLock { $0 } == ["ended", "begins"])
    }

    @Test func theEndOfTheDaemonLeavesTheMailToTheNextOne() async throws {
        let (fixture, claim) = try Self.fixture()
        try Self.begin(claim, fixture)
        let journal = FullDisk(writes: .max).journal(fixture.archive, firstPause: .seconds(3600))
        let (failed, tell) = AsyncStream<Void>.makeStream()
        let ending = Self.accepted(claim, fixture)
        let task = Task { await journal.end(ending) { _ in tell.yield() } }
        for await _ in failed { break }
        task.cancel()
        #expect(await task.value == nil)
        #expect(try fixture.archive.outboxItem(claim.id).state == .sending)
    }

    @Test func whatWasClaimedAheadIsGivenBackWhenTheDiskTakesItAgain() async throws {
        let (fixture, claim) = try Self.fixture()
        let archive = fixture.archive
        var ahead = OutboxEnding(item: claim.id, attempt: claim.attempt, nextTry: fixture.clock.now)
        ahead.weight = .nothing
        _ = try archive.noteOutbox([.ended(ahead)])
        let failures = Mutex(0)
        let source = ClaimSource(
            archive: archive, journal: FullDisk(writes: 100).journal(archive),
            account: try archive.account(fixture.account),
            rules: SendRules(preset: .custom, limits: SendLimits()), only: nil,
            failed: { _ in failures.withLock { $0 += 1 } })
        #expect(await source.prepare() == 1)
        await source.end()
        #expect(failures.withLock { $0 } == 100)
        #expect(try archive.outboxCounts() == [.queued: 1])
    }

    @Test func anEndThatTheArchiveWillNeverTakeLeavesNothingUnsaid() async throws {
        let (fixture, claim) = try Self.fixture()
        let journal = OutboxJournal(archive: fixture.archive, firstPause: .zero)
        #expect(try await journal.note(.begins(claim.id, recipients: [0])))
        var ending = Self.accepted(claim, fixture)
        ending.replies = [.init(position: 0, stage: .endOfData, code: 7, status: nil, text: "what?")]
        let failures = Mutex(0)
        #expect(await journal.end(ending) { _ in failures.withLock { $0 += 1 } } == true)
        #expect(failures.withLock { $0 } == 1)
        let item = try fixture.archive.outboxItem(claim.id)
        #expect(item.state == .uncertain && item.remedy != nil)
    }

    @Test func theSameTroubleIsToldOnceAMinuteAndSlowsTheLoop() {
        let clock = TurnedClock()
        let troubles = ArchiveTroubles(now: { clock.now })
        let full = MailFailure(MailFailure.Code("archive.disk-full"), kind: .transient, "full")
        let other = MailFailure(MailFailure.Code("archive.other"), kind: .transient, "other")
        #expect(troubles.note(full) && !troubles.note(full) && troubles.note(other))
        #expect(
            (0..<6).map { _ in
                _ = troubles.note(full); return troubles.pause()
            }.last == .seconds(4))
        #expect(troubles.pause() == .milliseconds(250))
        clock.advance(60)
        #expect(troubles.note(full))
        clock.advance(-3600)
        #expect(troubles.note(full))
    }
}
