import Archive
import Foundation
import MIMEParse
import MailModel
import Synchronization
import Testing

@testable import Worker

@Suite(.timeLimit(.minutes(2)))
struct IngestPipelineTests {
    let fixture: WorkerFixture

    init() throws { fixture = try WorkerFixture() }

    private func pipeline(_ change: (inout IngestPipeline.Limits) -> Void = { _ in }) -> IngestPipeline {
        var limits = IngestPipeline.Limits()
        change(&limits)
        return IngestPipeline(archive: fixture.archive, parsing: InProcessParsing(), limits: limits)
    }

    /// Makes every further commit fail, until it is put back.
    private func withOriginalsGone<Value>(_ body: () async throws -> Value) async throws -> Value {
        let (here, away) = (
            fixture.directory.path + "/data/originals", fixture.directory.path + "/data/originals-away"
        )
        try FileManager.default.moveItem(atPath: here, toPath: away)
        defer { try? FileManager.default.moveItem(atPath: away, toPath: here) }
        return try await body()
    }

    // MARK: An archive that fails

    @Test func aFailingArchiveStopsWhoeverSubmitsAndWhoeverWaits() async throws {
        let pipeline = pipeline { $0.receivingBytes = 2_000 }
        let tally = IngestTally()
        let thrown = try await withOriginalsGone {
            await #expect(throws: MailFailure.self) {
                // More than there is room for: somebody waits when the archive fails.
                for number in 1...50 { try await pipeline.submit(fixture.received(number), for: tally) }
                try await pipeline.flush(tally)
            }
        }
        let failure = try #require(thrown)
        #expect(failure.code == .archiveMissing)
        #expect(tally.counts == IngestTally.Counts())
        #expect(try fixture.recorded().isEmpty)
        await #expect(throws: failure) { try await pipeline.flush(tally) }
        await #expect(throws: failure) { try await pipeline.submit(fixture.received(51), for: tally) }
    }

    @Test func whenTheArchiveIsWellAgainTheNextPollGoesOnWithoutARestart() async throws {
        let pipeline = pipeline()
        let first = IngestTally()
        _ = try await withOriginalsGone {
            await #expect(throws: MailFailure.self) {
                for number in 1...3 { try await pipeline.submit(fixture.received(number), for: first) }
                try await pipeline.flush(first)
            }
        }
        let second = IngestTally()
        for number in 1...3 { try await pipeline.submit(fixture.received(number), for: second) }
        try await pipeline.flush(second)
        #expect(second.counts.linked == 3)
        #expect(try fixture.recorded() == "1:3")
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func everyAccountInTheFailedCommitIsToldAndNoneWaitsForEver() async throws {
        let pipeline = pipeline { $0.receivingBytes = 1_000 }
        let failures = try await withOriginalsGone {
            await withTaskGroup(of: MailFailure?.self) { group in
                for account in 0..<8 {
                    group.addTask {
                        let tally = IngestTally()
                        do {
                            for number in 1...20 {
                                try await pipeline.submit(
                                    fixture.received(account * 100 + number), for: tally)
                            }
                            try await pipeline.flush(tally)
                            return nil
                        } catch {
                            return error as? MailFailure
                        }
                    }
                }
                var failures: [MailFailure?] = []
                for await failure in group { failures.append(failure) }
                return failures
            }
        }
        #expect(failures.map(\.?.code) == Array(repeating: .archiveMissing, count: 8))
        // What a parser still has is let go when it comes back; the suite's time bounds the wait.
        while await pipeline.heldByteCount > 0 { await Task.yield() }
    }

    @Test func aMessageThatTheArchiveRefusesCostsItselfOnly() async throws {
        let pipeline = pipeline()
        let tally = IngestTally()
        var stray = fixture.received(2)
        stray.folder = FolderID(rawValue: 999)
        try await pipeline.submit(fixture.received(1), for: tally)
        try await pipeline.submit(stray, for: tally)
        try await pipeline.submit(fixture.received(3), for: tally)
        try await pipeline.flush(tally)
        #expect(tally.counts.fetched == 2)
        #expect(tally.failures.map(\.code) == [.archiveRefused])
        #expect(try fixture.recorded() == "1,3")
    }

    // MARK: Room

    @Test func submittingWaitsForRoomAndGoesOnWhenThereIsSome() async throws {
        let pipeline = pipeline { $0.receivingBytes = 1_500 }
        let tally = IngestTally()
        let submitted = Mutex(0)
        fixture.clock.close()
        let submitting = Task {
            for number in 1...30 {
                try await pipeline.submit(fixture.received(number, padding: 800), for: tally)
                submitted.withLock { $0 += 1 }
            }
            try await pipeline.flush(tally)
        }
        await until { await pipeline.submittersWaiting > 0 }
        await until { fixture.clock.isHoldingSomebody }
        #expect(submitted.withLock { $0 } == 1, "the second has no room beside the first")
        #expect(tally.counts.fetched == 0)
        fixture.clock.open()
        try await submitting.value
        #expect(tally.counts.fetched == 30)
        #expect(try fixture.recorded() == "1:30")
        #expect(await pipeline.heldByteCount == 0)
    }

    @Test func aMessageLargerThanAllRoomPassesAlone() async throws {
        let pipeline = pipeline { $0.receivingBytes = 100 }
        let tally = IngestTally()
        for number in 1...3 {
            try await pipeline.submit(fixture.received(number, padding: 200_000), for: tally)
        }
        try await pipeline.flush(tally)
        #expect(tally.counts.fetched == 3)
    }

    @Test func aLargeMessageIsNotOvertakenForEverBySmallOnes() async throws {
        let pipeline = pipeline { $0.receivingBytes = 10_000 }
        let order = Notes()
        fixture.clock.close()
        let first = IngestTally()
        try await pipeline.submit(fixture.received(1), for: first)
        // Alone it would have to wait until nothing is held.
        let large = Task {
            let tally = IngestTally()
            try await pipeline.submit(fixture.received(2, padding: 50_000), for: tally)
            order.add("large")
            try await pipeline.flush(tally)
        }
        await until { await pipeline.submittersWaiting == 1 }
        let small = Task {
            let tally = IngestTally()
            try await pipeline.submit(fixture.received(3), for: tally)
            order.add("small")
            try await pipeline.flush(tally)
        }
        await until { await pipeline.submittersWaiting == 2 || !order.all.isEmpty }
        #expect(order.all.isEmpty, "the small one waits behind the large one")
        fixture.clock.open()
        try await large.value
        try await small.value
        try await pipeline.flush(first)
        #expect(try fixture.recorded() == "1:3")
    }

    @Test func cancellingAWaitingSubmitterLosesNothingThatWasSubmitted() async throws {
        let pipeline = pipeline { $0.receivingBytes = 1_500 }
        let tally = IngestTally()
        fixture.clock.close()
        let submitting = Task {
            for number in 1...5 {
                try await pipeline.submit(fixture.received(number, padding: 800), for: tally)
            }
        }
        await until { await pipeline.submittersWaiting > 0 }
        submitting.cancel()
        fixture.clock.open()
        try await submitting.value
        try await pipeline.flush(tally)
        #expect(tally.counts.fetched == 5)
        #expect(await pipeline.submittersWaiting == 0)
    }

    // MARK: Counts

    @Test func flushingNothingReturnsAtOnce() async throws {
        try await pipeline().flush(IngestTally())
    }

    @Test func everyMessageIsCountedOnceUnderWhatBecameOfIt() async throws {
        let pipeline = pipeline { $0.commitMessages = 7 }
        let commits = Mutex(0)
        let tally = IngestTally { _ in commits.withLock { $0 += 1 } }
        for number in 1...40 { try await pipeline.submit(fixture.received(number), for: tally) }
        for number in 41...50 {
            try await pipeline.submit(
                fixture.received(number, from: "stranger\(number)@x.example"), for: tally)
        }
        // The same bytes under other UIDs: a second delivery.
        for number in 1...5 {
            var again = fixture.received(number)
            again.uid = UID(UInt32(100 + number))
            try await pipeline.submit(again, for: tally)
        }
        // Mail among colleagues.
        try await pipeline.submit(fixture.received(60, from: WorkerFixture.own), for: tally)
        try await pipeline.flush(tally)
        var expected = IngestTally.Counts()
        expected.fetched = 56
        expected.linked = 40
        expected.review = 10
        expected.duplicates = 5
        expected.ignored = 1
        #expect(tally.counts == expected)
        #expect(commits.withLock { $0 } == 56)
        #expect(try fixture.historyCount() == 40)
        #expect(try fixture.archive.openReviewCount() == 10)
        #expect(try fixture.archive.ledgerCounts().values.reduce(0, +) == 56)
    }

    @Test func aUIDThatTheLedgerHasIsCountedAsKnownAndChangesNothing() async throws {
        let pipeline = pipeline()
        for pass in 0..<2 {
            let tally = IngestTally()
            try await pipeline.submit(fixture.received(1), for: tally)
            try await pipeline.flush(tally)
            #expect(tally.counts.alreadyKnown == pass)
        }
        #expect(try fixture.historyCount() == 1)
    }

    @Test func talliesOfSeveralAccountsAreKeptApart() async throws {
        let pipeline = pipeline {
            $0.receivingBytes = 20_000
            $0.commitMessages = 10
            $0.parseMessages = 3
        }
        let counts = try await withThrowingTaskGroup(of: (Int, IngestTally.Counts).self) { group in
            for account in 1...6 {
                group.addTask {
                    let tally = IngestTally()
                    for number in 1...(account * 10) {
                        try await pipeline.submit(fixture.received(account * 1000 + number), for: tally)
                    }
                    try await pipeline.flush(tally)
                    return (account, tally.counts)
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for account in 1...6 { #expect(counts[account]?.linked == account * 10) }
        #expect(try fixture.archive.ledgerCounts() == [.archived: 210])
        #expect(try fixture.archive.verify().isClean)
    }
}
