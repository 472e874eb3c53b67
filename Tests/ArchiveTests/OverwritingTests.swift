import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// Erasures whose bytes lie in packs that are damaged or missing.
@Suite struct OverwritingTests {
    private let fixture = Result { try ArchiveFixture() }

    /// Each message in a pack of its own.
    private func filled(_ fixture: ArchiveFixture) throws -> (Archive, [ArchivedMessageID]) {
        var options = ArchiveOptions(clock: { fixture.clock.now })
        options.packBytes = 100
        let archive = try Archive.open(directory: fixture.directory, key: fixture.key, options: options)
        let messages = try ["First", "Second", "Third"].enumerated().map { index, text in
            let outcomes = try archive.ingest([
                fixture.arrival(UInt32(2 * index + 1), text: "\(text)word"),
                fixture.arrival(UInt32(2 * index + 2), text: "Behind \(text)"),
            ])
            guard case .review(let id) = outcomes[0] else { throw ArchiveFixtureError.unexpected }
            return id
        }
        return (archive, messages)
    }

    private enum ArchiveFixtureError: Error { case unexpected }

    private func damage(_ path: String, at places: [Int]) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for place in places { bytes[place] ^= 1 }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.write(contentsOf: bytes)
        try handle.close()
    }

    private static func isDue(_ archive: Archive) throws -> [Int64] {
        try archive.read {
            try Int64.fetchAll($0, sql: "SELECT message FROM originals WHERE erasure = 'due'")
        }
    }

    private static let pack = "/originals/pack-000001.mwp"

    @Test func `a pack that is missing keeps nothing else from being erased, and ends no backup`() throws {
        let fixture = try fixture.get()
        let (archive, messages) = try filled(fixture)
        let away = fixture.directory + "-away"
        try FileManager.default.moveItem(atPath: fixture.directory + Self.pack, toPath: away)
        defer { try? FileManager.default.removeItem(atPath: away) }
        for message in messages.prefix(2) {
            let failure = #expect(throws: MailFailure.self) { try archive.makePrivate(message) }
            #expect(failure?.code == .erasureUnfinished)
        }
        #expect(try !fixture.holds("Secondword"))
        #expect(try fixture.holds("Thirdword"))
        #expect(try Self.isDue(archive) == [messages[0].rawValue])
        let target = fixture.directory + "-backup"
        defer { try? FileManager.default.removeItem(atPath: target) }
        let report = try archive.backup(to: target)
        #expect(report.findings.contains { $0.text.hasPrefix("an erasure is unfinished") })
        // When it is there again, what was due in it is done.
        try FileManager.default.moveItem(atPath: away, toPath: fixture.directory + Self.pack)
        _ = try fixture.reopened()
        #expect(try !fixture.holds("Firstword"))
        #expect(try Self.isDue(archive) == [])
    }

    @Test(arguments: [false, true])
    func `an original damaged in header and text is overwritten by the word of what is behind it`(
        isLast: Bool
    ) throws {
        let fixture = try fixture.get()
        let (archive, messages) = try filled(fixture)
        let path = fixture.directory + Self.pack
        let place = try archive.read { db in
            try Int.fetchOne(
                db,
                sql: "SELECT \(isLast ? "max" : "min")(offset) FROM originals WHERE pack = 1") ?? 0
        }
        try damage(path, at: [place + 8, place + 80])
        let message = isLast ? ArchivedMessageID(rawValue: messages[0].rawValue + 1) : messages[0]
        try archive.makePrivate(message)
        #expect(try !fixture.holds(isLast ? "Behind First" : "Firstword"))
        #expect(try fixture.holds(isLast ? "Firstword" : "Behind First"))
        #expect(try Self.isDue(archive) == [])
    }

    @Test func `a place that nothing vouches for stays due, and is never overwritten by guess`() throws {
        let fixture = try fixture.get()
        let (archive, messages) = try filled(fixture)
        let path = fixture.directory + Self.pack
        let next = try archive.read { db in
            try Int.fetchOne(db, sql: "SELECT max(offset) FROM originals WHERE pack = 1") ?? 0
        }
        try damage(path, at: [32 + 8, 32 + 80, next + 50])
        #expect(throws: MailFailure.self) { try archive.makePrivate(messages[0]) }
        #expect(throws: MailFailure.self) { try archive.makePrivate(messages[1]) }
        #expect(try Self.isDue(archive) == [messages[0].rawValue])
        #expect(try !fixture.holds("Secondword"))
        #expect(try fixture.holds("irstword"))
    }
}
