import Foundation
import MailModel
import MailTestKit
import Testing

@testable import Archive
@testable import Worker

/// A page of the database that is damaged costs the mails whose bytes it has. The account's others go out.
@Suite(.timeLimit(.minutes(2))) struct DamagedOutboxTests {
    private static let pageBytes = 4096

    /// What is left of a worker that has ended.
    private struct Left {
        var directory: TemporaryDirectory
        var key: SecretKey
        var items: [OutboxID]
        /// The page of the outbox's bytes that a test damages.
        var page: Int

        /// Writes over the beginning of the page, and opens the archive as the next process does.
        func damaged(_ octets: [UInt8]) throws -> Archive {
            let path = directory.path + "/data/mailworker.db"
            let log = try? FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int
            try #require((log ?? 0) == 0, "the archive is still open")
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
            try file.seek(toOffset: UInt64((page - 1) * DamagedOutboxTests.pageBytes))
            try file.write(contentsOf: Data(octets))
            try file.close()
            let clock = TurnedClock()
            return try Archive.open(
                directory: directory.path + "/data", key: key, options: ArchiveOptions(clock: { clock.now }))
        }
    }

    /// Queues mails and ends.
    ///
    /// - Parameters:
    ///   - size: of each mail's file; 0 for none.
    ///   - kind: of the page to damage, as `dbstat` calls it.
    private static func queued(
        _ count: Int, size: Int, _ kind: String, _ server: ScriptedSMTPServer
    ) async throws -> Left {
        let fixture = try SendFixture(server)
        let path = try fixture.worker.directory.write("file.bin", Array(repeating: 0x55, count: size))
        var items: [OutboxID] = []
        for number in 0..<count {
            items.append(try await fixture.send("Mail \(number)", attachments: size > 0 ? [path] : []))
        }
        let page = try fixture.archive.read { db in
            let query = try PreparedStatement(
                db,
                """
                SELECT pageno FROM dbstat WHERE name = 'outbox_content' AND pagetype = ? ORDER BY path LIMIT 1
                """)
            try query.bind(1, kind)
            return try query.first { Int($0.int64(0)) }
        }
        return Left(
            directory: fixture.worker.directory, key: fixture.worker.key, items: items,
            page: try #require(page))
    }

    @Test func aSmallMailWhoseBytesCannotBeReadFailsByItself() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let left = try await Self.queued(3, size: 20_000, "overflow", server)
        let fixture = try SendFixture(server)
        // The chain of pages that holds the first mail's bytes leads nowhere.
        let archive = try left.damaged([0xFF, 0xFF, 0xFF, 0xFF])
        try await fixture.daemon(as: archive) { try archive.outboxCounts() == [.failed: 1, .sent: 2] }
        let failed = try archive.outboxItem(left.items[0])
        #expect(failed.state == .failed && failed.recipients[0].state == .failed)
        #expect(failed.reason?.contains("cannot be read") == true, "\(failed.reason ?? "")")
        #expect(failed.remedy?.contains("mailworker verify") == true)
        #expect(server.received.count == 2)
        for item in left.items.dropFirst() {
            #expect(try archive.outboxItem(item).state == .sent)
        }
    }

    @Test func mailsBesideADamagedPageAreSentAndFiled() async throws {
        let server = try ScriptedSMTPServer()
        defer { server.stop() }
        let left = try await Self.queued(60, size: 0, "leaf", server)
        let fixture = try SendFixture(server)
        let archive = try left.damaged([0xEE])
        try await fixture.daemon(as: archive) {
            let counts = try archive.outboxCounts()
            let filed = try archive.outboxToFile().isEmpty
            return filed && (counts[.failed] ?? 0) + (counts[.sent] ?? 0) == 60
        }
        let states = try left.items.map { try archive.outboxItem($0) }
        let sent = states.filter { $0.state == .sent }
        #expect(sent.count > 0 && sent.count < 60)
        #expect(server.received.count == sent.count)
        #expect(sent.allSatisfy { $0.message != nil })
        #expect(states.filter { $0.state == .failed }.allSatisfy { $0.remedy?.contains("verify") == true })
    }
}
