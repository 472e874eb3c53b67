import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// Archives as earlier versions wrote them, opened by this one.
@Suite struct MigrationTests {
    private static let fixtures = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/archive")

    static let schemas: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: fixtures.path)) ?? []
        return names.filter { $0.hasPrefix("schema-") }.sorted()
    }()

    @Test func `there are archives of earlier schemas`() {
        #expect(Self.schemas == ["schema-1", "schema-12"])
    }

    @Test(arguments: schemas)
    func `an archive of an earlier schema is brought up to date and has lost nothing`(schema: String) throws {
        let directory = NSTemporaryDirectory() + "archive-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for path in [directory, directory + "/originals", directory + "/locks"] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        let source = Self.fixtures.appendingPathComponent(schema)
        for name in try FileManager.default.contentsOfDirectory(atPath: source.path)
        where name.hasSuffix(".mwp") {
            try FileManager.default.copyItem(
                atPath: source.appendingPathComponent(name).path, toPath: "\(directory)/originals/\(name)")
        }
        let dump = try String(contentsOf: source.appendingPathComponent("mailworker.sql"), encoding: .utf8)
        let database = try DatabaseQueue(path: directory + "/mailworker.db")
        try database.inDatabase { try $0.execute(sql: dump) }
        try database.close()

        let key = try SecretKey(text: String(repeating: "0", count: 64))
        let archive = try Archive.open(directory: directory, key: key)
        #expect(try archive.ledgerCounts() == [.archived: 2, .review: 1, .ignored: 1])
        let ivan = try archive.findContact("ivan@klient.example")
        #expect(try archive.history(of: ivan.id).compactMap(\.subject) == ["Outgoing", "Linked"])
        #expect(try archive.reviewItems().map(\.subject) == ["Waiting"])
        let account = try archive.account(named: "anna-mail")
        #expect(try archive.secret(of: account.id) == Secret("geheim"))
        // What only later ones had.
        let hasIndex = schema == "schema-12"
        #expect(try archive.search(SearchQuery("Linked")).map(\.subject) == (hasIndex ? ["Linked"] : []))
        #expect(try archive.outboxItems().map(\.subject) == (hasIndex ? ["Queued"] : []))
        let report = try archive.verify()
        #expect(report.findings == [])
        #expect(report.originals == 4)
        #expect(report.indexedMessages == (hasIndex ? 4 : 0))
        // Its pages have checksums now, and what is new works on what is old.
        #expect(PageCheck(path: directory + "/mailworker.db").run().isIntact)
        let act = Act(person: "anna", systemUser: "root", origin: "-", action: "queue ignore")
        let waiting = try #require(try archive.reviewItems().first)
        try Act.$current.withValue(act) { _ = try archive.ignore(.items([waiting.id]), by: "anna") }
        try archive.undo(try #require(act.undo), by: "anna")
        #expect(try archive.reviewItems().map(\.subject) == ["Waiting"])
        let edit = Act(person: "anna", systemUser: "root", origin: "-", action: "message edit")
        let words = EditedWords(subject: "Edited", text: "Other words")
        try Act.$current.withValue(edit) { try archive.edit(waiting.message, words, by: "anna") }
        #expect(try archive.reviewItems().map(\.subject) == ["Edited"])
        #expect(try archive.verify().findings == [])
        try archive.undo(try #require(edit.undo), by: "anna")
        #expect(try archive.reviewItems().map(\.subject) == ["Waiting"])
        #expect(try archive.erase(ivan.id).erased.count == 2)
        #expect(try archive.verify().findings == [])
    }
}
