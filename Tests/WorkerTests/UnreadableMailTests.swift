import Archive
import MIMEParse
import MailModel
import Testing

@testable import Worker

/// What becomes of messages when the process that reads them is lost.
@Suite(.timeLimit(.minutes(2)))
struct UnreadableMailTests {
    /// Reads all but the second of every batch.
    private struct Stumbling: MessageParsing {
        func parse(_ batch: [MessageBytes]) async throws(MailFailure) -> [ParseOutcome] {
            let parser = MIMEParser()
            return batch.enumerated().map { $0 == 1 ? .unreadable(.crashed) : .read(parser.parse($1)) }
        }

        func attachmentContent(
            _ index: Int, of message: MessageBytes
        ) async throws(MailFailure) -> [UInt8]? {
            throw .parserLost(.crashed)
        }
    }

    private struct Unavailable: MessageParsing {
        static let failure = MailFailure(.parserLost, kind: .transient, "nobody reads")

        func parse(_ batch: [MessageBytes]) async throws(MailFailure) -> [ParseOutcome] { throw Self.failure }

        func attachmentContent(
            _ index: Int, of message: MessageBytes
        ) async throws(MailFailure) -> [UInt8]? {
            throw Self.failure
        }
    }

    private let fixture: WorkerFixture

    init() throws { fixture = try WorkerFixture() }

    private func ingest(_ messages: ClosedRange<Int>, _ parsing: any MessageParsing) async throws
        -> IngestTally
    {
        let pipeline = IngestPipeline(archive: fixture.archive, parsing: parsing)
        let tally = IngestTally()
        for number in messages { try await pipeline.submit(fixture.received(number), for: tally) }
        try await pipeline.flush(tally)
        return tally
    }

    @Test func whileNobodyReadsNothingIsRecordedAndTheNextPollGoesOn() async throws {
        await #expect(throws: Unavailable.failure) { try await ingest(1...3, Unavailable()) }
        #expect(try fixture.recorded().isEmpty)
        #expect(try await ingest(1...3, InProcessParsing()).counts.fetched == 3)
    }

    @Test func oneUnreadableMessageIsQuarantinedAndCounted() async throws {
        let counts = try await ingest(1...3, Stumbling()).counts
        #expect(counts.fetched == 3)
        #expect(counts.quarantined == 1)
        #expect(counts.parserLosses == 1)
        #expect(try fixture.recorded() == "1:3")
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func aParserThatReadsItLaterFilesIt() async throws {
        _ = try await ingest(1...3, Stumbling())
        let same = try await Rereading(archive: fixture.archive, parsing: InProcessParsing()).run()
        #expect(same == (0, 0))
        let later = Rereading(
            archive: fixture.archive, parsing: InProcessParsing(), version: MIMEParser.version + 1)
        #expect(try await later.run() == (1, 1))
        #expect(try await later.run() == (0, 0))
        #expect(try fixture.archive.ledgerCounts()[.quarantined] == nil)
        #expect(try fixture.historyCount() == 3)
        #expect(try fixture.archive.verify().isClean)
    }
}
