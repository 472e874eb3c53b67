import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// One flipped bit in a page of the database: to whom it belongs.
@Suite struct PageOwnerTests {
    private static func filled() throws -> ArchiveFixture {
        let fixture = try ArchiveFixture()
        try fixture.contact("Maria", "maria@client.example")
        _ = try fixture.archive.ingest(
            (UInt32(1)...120).map { number in
                fixture.arrival(number, messageID: "m\(number)@client.example", text: "Text \(number)") {
                    if number % 10 == 0 { $0.subject = String(repeating: "subject\(number) ", count: 900) }
                }
            })
        let due = try fixture.archive.unindexed(limit: 200).sorted()
        try fixture.archive.index(
            due.map { message in
                let words = (1...700).map { "word\($0)of\(message.rawValue)" }.joined(separator: " ")
                return SearchText(message: message, body: words)
            })
        _ = try fixture.archive.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        return fixture
    }

    private static func pages(_ table: String, _ kind: String, _ fixture: ArchiveFixture) throws -> [Int] {
        try fixture.archive.read { db in
            try Int.fetchAll(
                db, sql: "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ?",
                arguments: [table, kind])
        }
    }

    private static func withFlip(
        _ fixture: ArchiveFixture, _ page: Int, _ offset: Int, _ bit: UInt8 = 4,
        _ body: (VerifyReport) throws -> Void
    ) throws {
        let directory = fixture.directory + "-copy"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.copyItem(atPath: fixture.directory, toPath: directory)
        let file = try #require(FileHandle(forUpdatingAtPath: directory + "/mailworker.db"))
        let place = UInt64((page - 1) * 4096 + offset)
        try file.seek(toOffset: place)
        let byte = try #require(try file.read(upToCount: 1)?.first)
        try file.seek(toOffset: place)
        try file.write(contentsOf: [byte ^ bit])
        try file.close()
        try body(Archive.open(directory: directory, key: fixture.key).verify())
    }

    /// In the head of the page, in its list of rows, in a text, in the sum.
    @Test(arguments: ["messages", "search_content", "search_docsize", "participants", "ledger"])
    func `wherever a bit flips in a page of rows, all of their messages are named`(table: String) throws {
        let fixture = try Self.filled()
        let pages = try Self.pages(table, "leaf", fixture)
        let page = pages[pages.count / 2]
        let expected = try fixture.archive.read { db in
            Set(try PageRows(db: db).messages(on: UInt32(page), of: PageOwner(name: table)))
        }
        #expect(!expected.isEmpty)
        for offset in [0, 3, 4, 6, 9, 2000, 3500, 4090] {
            try Self.withFlip(fixture, page, offset) { report in
                let places = report.findings.map(\.place)
                #expect(places.contains("database page \(page) (\(table))"), "\(offset)")
                let named = report.findings.filter { $0.text.contains("database page \(page) (\(table))") }
                #expect(Set(named.compactMap(\.message)) == expected, "offset \(offset)")
            }
        }
    }

    /// Such a row is to go on for megabytes, on pages that there are not.
    @Test func `a row whose length has become a long one names its page's table and messages`() throws {
        let fixture = try Self.filled()
        let pages = try Self.pages("participants", "leaf", fixture)
        let page = pages[pages.count / 2]
        let expected = try fixture.archive.read { db in
            Set(try PageRows(db: db).messages(on: UInt32(page), of: PageOwner(name: "participants")))
        }
        let file = try #require(FileHandle(forReadingAtPath: fixture.directory + "/mailworker.db"))
        try file.seek(toOffset: UInt64((page - 1) * 4096))
        let bytes = [UInt8](try #require(try file.read(upToCount: 4096)))
        let row = Int(bytes[8]) << 8 | Int(bytes[9])
        try Self.withFlip(fixture, page, row, 0x80) { report in
            let named = report.findings.filter { $0.text.contains("database page \(page) (participants)") }
            #expect(!expected.isEmpty && expected.isSubset(of: named.compactMap(\.message)))
        }
    }

    /// Of a flip of the highest bit of a word the checksum fits hundreds of places of the page.
    @Test(arguments: ["originals", "messages", "participants", "ledger"])
    func `where the checksum leaves open which bit it was, all of their messages are named still`(
        table: String
    )
        throws
    {
        let fixture = try Self.filled()
        let pages = try Self.pages(table, "leaf", fixture)
        let page = pages[pages.count / 2]
        let expected = try fixture.archive.read { db in
            Set(try PageRows(db: db).messages(on: UInt32(page), of: PageOwner(name: table)))
        }
        #expect(!expected.isEmpty)
        for (offset, bit) in [(3, 0x80), (3503, 0x20)] {
            try Self.withFlip(fixture, page, offset, UInt8(bit)) { report in
                let named = report.findings.filter { $0.text.contains("database page \(page) (\(table))") }
                #expect(expected.isSubset(of: named.compactMap(\.message)), "offset \(offset)")
            }
        }
    }

    @Test(arguments: ["messages", "search_content"])
    func `a flipped bit in what is too long for a page names the one message that it is of`(table: String)
        throws
    {
        let fixture = try Self.filled()
        for page in try Self.pages(table, "overflow", fixture).prefix(12) {
            let expected = try fixture.archive.read { db in
                let owner = try #require(PageOwner.of([UInt32(page)], db)[UInt32(page)])
                #expect(owner.name == table && owner.start != nil, "\(owner)")
                return try PageRows(db: db).messages(on: UInt32(page), of: owner)
            }
            #expect(expected.count == 1)
            try Self.withFlip(fixture, page, 1000) { report in
                #expect(report.findings.contains { $0.place == "database page \(page) (\(table))" })
                let messages = Set(report.findings.compactMap(\.message))
                #expect(messages == Set(expected), "\(report.findings)")
            }
        }
    }

    @Test func `of the index of words it is said that it can be made anew, and then it is whole`() throws {
        let fixture = try Self.filled()
        let page = try #require(try Self.pages("search_data", "leaf", fixture).last)
        try Self.withFlip(fixture, page, 2000) { report in
            let finding = report.findings.first { $0.place == "database page \(page) (search_data)" }
            #expect(finding?.text.contains("mailworker search --rebuild") == true)
        }
        let directory = fixture.directory + "-again"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.copyItem(atPath: fixture.directory, toPath: directory)
        let path = directory + "/mailworker.db"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[(page - 1) * 4096 + 2000] ^= 4
        try bytes.write(to: URL(fileURLWithPath: path))
        do {
            let archive = try Archive.open(directory: directory, key: fixture.key)
            #expect(try !archive.verify().isClean)
            try archive.emptySearchIndex()
            try archive.pool.close()
        }
        let archive = try Archive.open(directory: directory, key: fixture.key)
        #expect(try archive.verify().findings == [])
        #expect(try archive.searchBacklog() == 120)
    }
}
