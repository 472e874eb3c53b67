import Archive
import Foundation
import MailFetch
import MailModel
import MailTestKit
import MailTransport
import Testing
import Worker

/// The ledger against what a server lists.
@Suite(.timeLimit(.minutes(2)))
struct ServerCoverageTests {
    typealias Scripts = PollScripts

    @Test func aUIDThatTheLedgerLacksIsNamedAndTheAccountIsNotComplete() async throws {
        let fixture = try PollFixture([
            Scripts.firstSync, Scripts.inbox(exists: 5, next: 8, Scripts.search("1 2 3 6 7")),
        ])
        try await fixture.poll()
        let coverage = try fixture.coverage()
        let report = await coverage.compare(try fixture.worker.polled())
        #expect(report.failures == [])
        #expect(report.folders.map(\.missing) == ["6:7"])
        #expect(report.folders.map(\.percent) == [60])
        #expect(!report.isComplete)
        // Asking has changed nothing.
        #expect(try fixture.worker.recorded() == "1:3")
        fixture.expectOnlyReading()
    }

    @Test func aUIDThatHadVanishedAndIsListedAgainIsNotComplete() async throws {
        let fixture = try PollFixture([
            Scripts.firstSync, Scripts.inbox(exists: 2, next: 4, Scripts.search("1 2")),
            Scripts.inbox(exists: 3, next: 4, Scripts.search("1 2 3")),
        ])
        try await fixture.poll()
        try await fixture.poll()
        let report = await (try fixture.coverage()).compare(try fixture.worker.polled())
        #expect(report.folders.map(\.missing) == ["3"])
        #expect(!report.isComplete)
    }

    @Test func anotherUIDValidityCoversNothing() async throws {
        let fixture = try PollFixture([
            Scripts.firstSync, Scripts.inbox(validity: 8, exists: 3, next: 4, Scripts.search("1 2 3")),
        ])
        try await fixture.poll()
        let report = await (try fixture.coverage()).compare(try fixture.worker.polled())
        #expect(report.folders.map(\.recorded) == [0])
        #expect(!report.isComplete)
    }

    @Test func aFolderThatTheServerRefusesLeavesTheAccountIncompleteAndTheOthersCompared() async throws {
        let fixture = try PollFixture([
            Scripts.firstSync,
            Scripts.script(
                Scripts.folders("INBOX", "Sent"), [.expect("EXAMINE \"INBOX\""), .send("$T NO not now")],
                Scripts.examine("Sent", exists: 1, next: 2), Scripts.search("1")),
        ])
        try await fixture.poll()
        let report = await (try fixture.coverage()).compare(try fixture.worker.polled())
        #expect(report.failures.map(\.code) == [.commandRefused])
        #expect(report.folders.map(\.folder) == ["Sent"])
        #expect(!report.isComplete)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let document = String(decoding: try encoder.encode(report), as: UTF8.self)
        #expect(document.contains("\"complete\":false,\"errors\":[{\"code\":"))
    }

    @Test func aFolderOfWhichTheServerListsTooFewIsNotComplete() async throws {
        let fixture = try PollFixture([
            Scripts.firstSync,
            Scripts.inbox(exists: 4, next: 5, Scripts.search("1"), Scripts.askedByNumber([1, 2, 3])),
        ])
        try await fixture.poll()
        let report = await (try fixture.coverage()).compare(try fixture.worker.polled())
        #expect(report.failures == [])
        #expect(report.folders.map(\.missing) == [nil])
        #expect(report.folders.map(\.listed) == [3] && report.folders.map(\.counted) == [4])
        #expect(report.folders.map(\.percent) == [75])
        #expect(!report.isComplete)
    }

    @Test func `folders whose names look the same are compared each by itself`() async throws {
        let script = Scripts.script(
            [.expect("LIST"), .send("* LIST () \"/\" \"INBOX\"")],
            [
                .send("* LIST () \"/\" \"Envoy&AOk-s\""), .send("* LIST () \"/\" \"Envoye&AwE-s\""),
                Scripts.done,
            ],
            Scripts.examine("INBOX", exists: 0, next: 1),
            Scripts.examine("Envoy&AOk-s", exists: 0, next: 1),
            Scripts.examine("Envoye&AwE-s", exists: 0, next: 1))
        let fixture = try PollFixture([script]) {
            $0.furtherFolders = [FolderName("Envoy\u{E9}s"), FolderName("Envoye\u{301}s")]
        }
        let archive = fixture.worker.archive
        for name in ["Envoy\u{E9}s", "Envoye\u{301}s"] {
            _ = try archive.folder(account: fixture.worker.account, name: FolderName(name))
        }
        let report = await (try fixture.coverage()).compare(try fixture.worker.polled())
        #expect(report.failures == [])
        #expect(report.folders.count == 3 && report.isComplete)
    }

    @Test func everythingListedAndRecordedIsComplete() async throws {
        let fixture = try PollFixture([
            Scripts.firstSync, Scripts.inbox(exists: 3, next: 4, Scripts.search("1 2 3")),
        ])
        try await fixture.poll()
        let report = await (try fixture.coverage()).compare(try fixture.worker.polled())
        #expect(report.isComplete)
        #expect(report.folders.map(\.percent) == [100])
    }
}

extension PollFixture {
    fileprivate func coverage() throws -> ServerCoverage {
        var settings = PollSettings(allowedNetworks: try NetworkAllowList(["127.0.0.0/8"]))
        let clock = worker.clock
        settings.now = { clock.now }
        return try ServerCoverage(archive: worker.archive, settings: settings)
    }
}
