import Archive
import Foundation
import MIMEParse
import MailModel
import MailTestKit
import Testing

@testable import Worker

@Suite(.timeLimit(.minutes(2)))
struct SpaceLimitTests {
    static let cases: [(limit: Int64?, free: Int64, total: Int64, isShort: Bool)] = [
        (nil, (500 << 20) - 1, 100 << 30, true), (nil, 500 << 20, 100 << 30, false),
        // On a small file system the default is a twentieth.
        (nil, (3 << 20) - 1, 60 << 20, true), (nil, 3 << 20, 60 << 20, false),
        (70 << 20, (70 << 20) - 1, 100 << 30, true), (70 << 20, 70 << 20, 100 << 30, false),
        (70 << 20, 69 << 20, 69 << 20, true), (0, 0, 100 << 30, false),
    ]

    @Test(arguments: cases)
    func tooLittleRoomIsAShortage(limit: Int64?, free: Int64, total: Int64, isShort: Bool) {
        let shortage = SpaceLimit(minimumFreeBytes: limit)
            .shortage(in: DiskSpace(freeBytes: free, totalBytes: total))
        #expect((shortage != nil) == isShort)
        if let shortage {
            #expect(shortage.code == .diskLow && shortage.kind == .needsPerson)
            #expect(shortage.remedy?.contains("archive.min_free_megabytes") == true)
        }
    }

    /// More than any disk has.
    static let unreachable = SpaceLimit(minimumFreeBytes: .max)

    @Test func withoutRoomNothingIsCommittedAndReadingGoesOn() async throws {
        let fixture = try WorkerFixture()
        var limits = IngestPipeline.Limits()
        limits.space = Self.unreachable
        let pipeline = IngestPipeline(archive: fixture.archive, parsing: InProcessParsing(), limits: limits)
        let tally = IngestTally()
        try await pipeline.submit(fixture.received(1), for: tally)
        let failure = await #expect(throws: MailFailure.self) { try await pipeline.flush(tally) }
        #expect(failure?.code == .diskLow)
        #expect(try fixture.recorded().isEmpty)
        #expect(try fixture.historyCount() == 0)
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func withoutRoomNoServerIsAskedAndTheAccountIsNotBlamed() async throws {
        let fixture = try PollFixture([PollScripts.firstSync], space: Self.unreachable)
        let report = try await fixture.poll()
        #expect(report.failures.map(\.code) == [.diskLow])
        #expect(fixture.server.events.isEmpty)
        #expect(try fixture.status().state == .new)
    }

    @Test func theDaemonSaysOnceThatItHoldsPolling() async throws {
        let fixture = try PollFixture([PollScripts.firstSync], space: Self.unreachable)
        let notes = Notes()
        let running = Task {
            try await fixture.daemon.run { event in
                if case .held(let failure) = event { notes.add(failure.code.rawValue) }
            } failed: {
                notes.add("\($0)")
            }
        }
        await fixture.ticks.wait { $0.count > 2 }
        running.cancel()
        try await running.value
        #expect(notes.all == ["archive.disk-low"])
        #expect(fixture.server.events.isEmpty)
    }
}
