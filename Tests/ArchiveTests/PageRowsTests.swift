import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

@Suite struct PageRowsTests {
    @Test(arguments: [
        "messages", "originals", "participants", "attachments", "ledger", "history", "review_items",
    ])
    func `the pages of a table have the messages that its rows have`(table: String) throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.contact("Maria", "maria@client.example")
        for first in stride(from: UInt32(1), to: 301, by: 50) {
            _ = try fixture.archive.ingest(
                (first..<first + 50).map { number in
                    fixture.arrival(
                        number,
                        from: number % 3 == 0 ? "stranger\(number)@other.example" : "maria@client.example",
                        messageID: "m\(number)@client.example", text: "Text \(number)"
                    ) {
                        $0.attachments = [
                            Attachment(
                                filename: "Отчёт \(number).pdf", contentType: "application/pdf",
                                size: Int(number),
                                sha256: fixture.digest("\(number)"), isInline: false, contentID: nil)
                        ]
                    }
                })
        }
        // Pages are read from the file.
        try fixture.archive.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try fixture.archive.pool.read { db in
            let pages = try Int64.fetchAll(
                db, sql: "SELECT pageno FROM dbstat WHERE name = ?", arguments: [table])
            let found = try pages.map {
                try PageRows(db: db).messages(on: UInt32($0), of: PageOwner(name: table))
            }
            let column = table == "messages" ? "id" : "message"
            let expected = try Int64.fetchSet(
                db, sql: "SELECT \(column) FROM \(table) WHERE \(column) IS NOT NULL")
            #expect(expected.count > 90 && pages.count > 1)
            #expect(Set(found.joined().map(\.rawValue)) == expected)
            #expect(found.contains { !$0.isEmpty && $0.count < expected.count })
        }
    }

    @Test func `pages of anything have at most what they have room for`() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let page = (0..<512).map { _ in UInt8.random(in: 0...255, using: &generator) }
            for column in [
                PageRows.Column.rowNumber, .value(3, hasRowNumber: true), .value(0, hasRowNumber: false),
            ] {
                #expect(PageRows.numbers(in: page, column).count <= 252)
            }
        }
    }
}
