import CPageSums
import GRDB
import MailModel

/// Whose rows lie on a damaged page: the page is read by itself (SQLite's file format, 1.6 and 2.1), since what SQLite
/// would make of it may be wrong or nothing. Where one bit has flipped the page is read as it was; where the checksum
/// leaves open which one, in each way that it may have been. Otherwise a row that the damage has hit may be missing, and
/// what it only claims is compared with the messages that there are; of a page on which no row can be found it is asked
/// for which messages the table has none to read.
struct PageRows {
    let db: Database

    /// - Returns: the messages of its rows, in order; none for an index, and for a table that says nothing of messages.
    func messages(on page: UInt32, of owner: PageOwner) throws -> [ArchivedMessageID] {
        guard let column = try column(of: owner.name) else { return [] }
        let holder = owner.start?.page ?? page
        guard let read = try bytes(of: holder) else { return try unreadable(in: owner.name, column) }
        let claims = read.ways.map { Set(Self.numbers(in: $0, column, row: owner.start?.row)) }
        // What all of them have is there in any case.
        let certain = claims.dropFirst().reduce(claims.first ?? []) { $0.intersection($1) }
        let claimed = claims.reduce(into: Set<Int64>()) { $0.formUnion($1) }
        let known = try claimed.filter { try read.isExact && certain.contains($0) || isMessage($0) }
        // A page above the rows, or one that has none left.
        if known.isEmpty, owner.start == nil { return try unreadable(in: owner.name, column) }
        return known.sorted().map { ArchivedMessageID(rawValue: $0) }
    }

    /// The page in each way that it may have been written, or as it is, and whether it was one of these; nil when the disk
    /// cannot read it.
    private func bytes(of page: UInt32) throws -> (ways: [[UInt8]], isExact: Bool)? {
        let size = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0
        var bytes = [UInt8](repeating: 0, count: size)
        guard size > 0, mw_file_read(db.sqliteConnection, &bytes, size, Int64(page - 1) * Int64(size)) == 0
        else { return nil }
        if mw_page_is_blank(bytes, size) != 0 { return nil }
        if mw_page_is_intact(bytes, size, page) != 0 { return ([bytes], true) }
        let ways = PageMending.flips(in: bytes, page).map { flip in
            var way = bytes
            flip.apply(to: &way)
            return way
        }
        if ways.isEmpty { return ([bytes], false) }
        let possible = ways.filter(Self.isPossible)
        return (possible.isEmpty ? ways : possible, true)
    }

    /// Every message has an original. Its row there, or its own, may be the damaged one.
    private func isMessage(_ number: Int64) throws -> Bool {
        for table in ["originals WHERE message", "messages WHERE id"] {
            let query = try PreparedStatement(db, "SELECT 1 FROM \(table) = ?")
            query.bind(1, number)
            do {
                if try query.first({ _ in true }) != nil { return true }
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
                continue
            }
        }
        return false
    }

    /// Whether what a page says of where its rows lie can be (SQLite's file format, 1.6): of a page as it was written it is
    /// so. Rows of a table with numbers stand in their order.
    static func isPossible(_ page: [UInt8]) -> Bool {
        let (tableLeaf, kinds) = (UInt8(13), Set<UInt8>([2, 5, 10, 13]))
        guard page.count >= 512, kinds.contains(page[0]) else { return false }
        func number(at offset: Int) -> Int { Int(page[offset]) << 8 | Int(page[offset + 1]) }
        let header = page[0] < 10 ? 12 : 8
        let count = number(at: 3)
        let start = number(at: 5) == 0 ? 65_536 : number(at: 5)
        guard start <= page.count, header + 2 * count <= start else { return false }
        guard (0..<count).allSatisfy({ (start..<page.count).contains(number(at: header + 2 * $0)) }) else {
            return false
        }
        guard page[0] == tableLeaf else { return true }
        let rows = numbers(in: page, .rowNumber)
        return rows.count == count && zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 }
    }

    /// The messages of which rows of a table cannot be read.
    private func unreadable(in table: String, _ column: Column) throws -> [ArchivedMessageID] {
        let name: String
        switch column {
        case .rowNumber: name = "rowid"
        case .value: name = "message"
        }
        let question = "SELECT * FROM \(table) WHERE \(name) = ?"
        let plan = try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(question)", arguments: [0])
        // Without an index each message would cost the whole table.
        guard plan.allSatisfy({ ($0["detail"] as String).hasPrefix("SEARCH") }) else { return [] }
        let query = try PreparedStatement(db, question)
        var found: [ArchivedMessageID] = []
        try PreparedStatement(db, "SELECT DISTINCT message FROM originals ORDER BY message").forEachRow {
            guard found.count < Self.limit else { return }
            let message = $0.int64(0)
            query.bind(1, message)
            do {
                try query.forEachRow { _ in }
            } catch let error as DatabaseError
                where [.SQLITE_CORRUPT, .SQLITE_IOERR].contains(error.resultCode)
            {
                found.append(ArchivedMessageID(rawValue: message))
            }
        }
        return found
    }

    /// As many as a report names.
    private static let limit = 1000

    /// Where a row says which message it is of.
    enum Column: Equatable {
        case rowNumber
        /// The position among the values as they are stored.
        case value(Int, hasRowNumber: Bool)
    }

    private func column(of table: String) throws -> Column? {
        if ["messages", "search_content", "search_docsize"].contains(table) { return .rowNumber }
        let columns = try Row.fetchAll(
            db, sql: "SELECT name, pk, type FROM pragma_table_info(?)", arguments: [table])
        guard let message = columns.first(where: { $0["name"] == "message" }) else { return nil }
        let isWithoutRowNumber = try Bool.fetchOne(
            db, sql: "SELECT wr FROM pragma_table_list WHERE name = ?", arguments: [table])
        guard isWithoutRowNumber == true else {
            let keys = columns.filter { ($0["pk"] as Int) > 0 }
            // Another name for the row's number.
            if keys.count == 1, keys[0] == message, (message["type"] as String) == "INTEGER" {
                return .rowNumber
            }
            return columns.firstIndex { $0["name"] == "message" }.map { .value($0, hasRowNumber: true) }
        }
        // The primary key comes first.
        let stored =
            columns.filter { ($0["pk"] as Int) > 0 }.sorted { ($0["pk"] as Int) < ($1["pk"] as Int) }
            + columns.filter { ($0["pk"] as Int) == 0 }
        return stored.firstIndex { $0["name"] == "message" }.map { .value($0, hasRowNumber: false) }
    }

    /// What the rows on a page have there.
    ///
    /// - Parameter row: only that one, of those on the page.
    static func numbers(in page: [UInt8], _ column: Column, row: Int? = nil) -> [Int64] {
        // Pages above the leaves of a table have no rows; those of a table without row numbers do.
        let (tableInterior, indexInterior) = (UInt8(5), UInt8(2))
        guard page.count >= 512, page[0] != tableInterior else { return [] }
        let isInterior = page[0] == indexInterior
        let header = isInterior ? 12 : 8
        let count = min(Int(page[3]) << 8 | Int(page[4]), (page.count - header) / 2)
        return (0..<count).compactMap { index in
            if let row, row != index { return nil }
            let pointer = header + 2 * index
            let start = Int(page[pointer]) << 8 | Int(page[pointer + 1])
            var cell = RecordReader(page, at: start + (isInterior ? 4 : 0))
            guard cell.variableNumber() != nil else { return nil }
            switch column {
            case .rowNumber: return cell.variableNumber()
            case .value(let position, let hasRowNumber):
                if hasRowNumber, cell.variableNumber() == nil { return nil }
                return cell.number(ofColumn: position)
            }
        }
    }
}

/// Reads a record from a page, as far as it lies there.
private struct RecordReader {
    private let bytes: [UInt8]
    private var offset: Int

    init(_ bytes: [UInt8], at offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }

    /// Seven bits a byte, the highest first; all eight of a ninth.
    mutating func variableNumber() -> Int64? {
        var value: UInt64 = 0
        for index in 0..<9 {
            guard offset < bytes.count else { return nil }
            let byte = bytes[offset]
            offset += 1
            if index == 8 { return Int64(bitPattern: value << 8 | UInt64(byte)) }
            value = value << 7 | UInt64(byte & 0x7F)
            if byte & 0x80 == 0 { return Int64(bitPattern: value) }
        }
        return nil
    }

    /// The integer that stands in a column; nil when it is none.
    mutating func number(ofColumn position: Int) -> Int64? {
        let start = offset
        guard let length = variableNumber(), length > 0, length <= bytes.count else { return nil }
        var place = start + Int(length)
        for column in 0...position {
            guard offset < start + Int(length), let type = variableNumber() else { return nil }
            guard column == position else {
                guard let size = Self.size(type) else { return nil }
                place += size
                continue
            }
            if type == 8 || type == 9 { return type - 8 }
            guard (1...6).contains(type), let size = Self.size(type), place + size <= bytes.count else {
                return nil
            }
            let value = bytes[place..<place + size].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let unused = UInt64(64 - 8 * size)
            return Int64(bitPattern: value << unused) >> Int64(unused)
        }
        return nil
    }

    /// The bytes that a value of a serial type takes.
    private static func size(_ type: Int64) -> Int? {
        switch type {
        case 0, 8, 9: 0
        case 1...4: Int(type)
        case 5: 6
        case 6, 7: 8
        case 12...(1 << 32): Int(type - 12) / 2
        default: nil
        }
    }
}
