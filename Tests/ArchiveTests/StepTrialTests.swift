import Foundation
import MailModel
import Synchronization
import Testing

@testable import Archive

@Suite struct StepTrialTests {
    @Test(arguments: [
        "", "1", "0:before", "-1:after", "x:before", "1:between", "1:before:2", ":after", "never",
    ])
    func `what does not name a side of a step is no place to stop`(text: String) {
        #expect(StepTrial.StopPoint(text) == nil)
    }

    @Test func `a place to stop is a number and a side`() throws {
        let point = try #require(StepTrial.StopPoint("12:after"))
        #expect(point.number == 12 && point.side == .after)
        #expect(StepTrial.StopPoint("1:before")?.side == .before)
    }

    @Test func `the durable steps of an ingest are numbered in their order`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        let steps = Mutex<[String]>([])
        var options = ArchiveOptions(clock: { UnixTime(1_700_001_000) })
        options.packBytes = 300
        options.trial = StepTrial(stopAt: nil) { number, step in
            steps.withLock { $0.append("\(number) \(step.rawValue)") }
        }
        let archive = try Archive.open(directory: fixture.directory, key: fixture.key, options: options)
        for number in 2...4 {
            _ = try archive.ingest([fixture.arrival(UInt32(number), text: "Number \(number)")])
        }
        #expect(
            steps.withLock { $0 } == [
                "1 log-copied",
                // Another process has the first pack.
                "2 pack-created", "3 directory-synced", "4 pack-registered", "5 originals-appended",
                "6 originals-synced", "7 batch-committed",
                "8 originals-appended", "9 originals-synced", "10 batch-committed",
                "11 pack-sealed", "12 pack-created", "13 directory-synced", "14 pack-registered",
                "15 originals-appended", "16 originals-synced", "17 batch-committed",
            ])
    }
}
