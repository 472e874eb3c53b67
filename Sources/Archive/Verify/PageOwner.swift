import CPageSums
import GRDB

/// To what a page of the database belongs.
struct PageOwner: Hashable {
    /// The table or the index.
    var name: String
    /// The page, and which of its rows, from which a chain leads here of what is too long for a page; nil for a page of rows.
    var start: ChainStart?

    struct ChainStart: Hashable {
        var page: UInt32
        var row: Int
    }

    /// Whether it holds nothing but what the search index is made of.
    var isOfSearch: Bool { Self.isOfSearch(name) }

    private static func isOfSearch(_ name: String) -> Bool { name.hasPrefix("search_") }

    /// What can be done about damage of the search index.
    static let searchRemedy =
        "; the search index lies there, which is made anew by: mailworker search --rebuild"

    /// As far as the database can still say: what lies below a damaged page of a tree cannot be told.
    ///
    /// - Parameter db: a connection that salvages, so that one page which cannot be read does not end the search.
    static func of(_ pages: [UInt32], _ db: Database) -> [UInt32: PageOwner] {
        guard !pages.isEmpty else { return [:] }
        let wanted = Set(pages)
        var owners: [UInt32: PageOwner] = [:]
        let names = (try? String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE rootpage > 0")) ?? []
        for name in ["sqlite_schema"] + names where owners.count < wanted.count {
            do {
                try add(to: &owners, wanted, name, db)
            } catch {
                // It stops at what it cannot follow, as a row that is to go on where there is no page.
                try? follow(name, to: &owners, wanted, db)
            }
        }
        return owners
    }

    /// The pages of the search index, of some.
    static func ofSearch(_ pages: [UInt32], _ db: Database) -> [UInt32] {
        of(pages, db).filter { $0.value.isOfSearch }.keys.sorted()
    }

    /// The pages of a tree by what its upper pages say of those below them, whatever stands in their rows.
    private static func follow(
        _ name: String, to owners: inout [UInt32: PageOwner], _ wanted: Set<UInt32>, _ db: Database
    ) throws {
        let root =
            try name == "sqlite_schema"
            ? 1
            : UInt32.fetchOne(db, sql: "SELECT rootpage FROM sqlite_schema WHERE name = ?", arguments: [name])
        let size = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0
        guard let root, size > 0 else { return }
        var (waiting, seen): ([UInt32], Set<UInt32>) = ([root], [])
        var bytes = [UInt8](repeating: 0, count: size)
        while let page = waiting.popLast() {
            guard page > 0, seen.insert(page).inserted,
                mw_file_read(db.sqliteConnection, &bytes, size, Int64(page - 1) * Int64(size)) == 0
            else { continue }
            if wanted.contains(page), owners[page] == nil { owners[page] = PageOwner(name: name) }
            waiting += children(in: bytes, at: page == 1 ? 100 : 0)
        }
    }

    /// The pages below one that is above the rows; none for any other (SQLite's file format, 1.6).
    ///
    /// - Parameter header: where its header begins.
    private static func children(in page: [UInt8], at header: Int) -> [UInt32] {
        func number(_ width: Int, at offset: Int) -> UInt32 {
            guard offset + width <= page.count else { return 0 }
            return page[offset..<offset + width].reduce(0) { $0 << 8 | UInt32($1) }
        }
        guard page[header] == 2 || page[header] == 5 else { return [] }
        let cells = (0..<Int(number(2, at: header + 3))).map { Int(number(2, at: header + 12 + 2 * $0)) }
        return cells.map { number(4, at: $0) } + [number(4, at: header + 8)]
    }

    private static func add(
        to owners: inout [UInt32: PageOwner], _ wanted: Set<UInt32>, _ name: String, _ db: Database
    ) throws {
        var chained: [(page: UInt32, path: Substring, row: Int)] = []
        defer {
            for (page, path, row) in chained {
                let start = try? UInt32.fetchOne(
                    db, sql: "SELECT pageno FROM dbstat WHERE name = ? AND path = ?",
                    arguments: [name, String(path)])
                owners[page]?.start = start.map { ChainStart(page: $0, row: row) }
            }
        }
        let query = try PreparedStatement(
            db, "SELECT pageno, path FROM dbstat WHERE name = ?")
        try query.bind(1, name)
        try query.forEachRow { row in
            let page = UInt32(clamping: row.int64(0))
            guard wanted.contains(page) else { return }
            owners[page] = PageOwner(name: name)
            // The path of the page that it begins on, the number of the row there, and a plus.
            let path = row.text(1)
            guard let plus = path.lastIndex(of: "+"), let slash = path.lastIndex(of: "/"), slash < plus,
                let number = Int(path[path.index(after: slash)..<plus], radix: 16)
            else { return }
            chained.append((page, path[...slash], number))
        }
    }
}
