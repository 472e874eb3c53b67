import GRDBSQLite

/// What happened to one row, from one moment to another.
struct RowChange: Hashable {
    enum Operation: Hashable {
        case insert, update, delete
    }

    enum Value: Hashable {
        case null
        case integer(Int64)
        case real(UInt64)
        case text([UInt8])
        case blob([UInt8])

        init(_ value: OpaquePointer) {
            switch sqlite3_value_type(value) {
            case SQLITE_INTEGER: self = .integer(sqlite3_value_int64(value))
            case SQLITE_FLOAT: self = .real(sqlite3_value_double(value).bitPattern)
            case SQLITE_NULL: self = .null
            case SQLITE_TEXT: self = .text(Self.bytes(value))
            default: self = .blob(Self.bytes(value))
            }
        }

        private static func bytes(_ value: OpaquePointer) -> [UInt8] {
            guard let start = sqlite3_value_blob(value) else { return [] }
            return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_value_bytes(value))))
        }
    }

    /// A row of a table, by its primary key.
    struct Row: Hashable {
        var table: String
        var key: [Value]
    }

    var row: Row
    var operation: Operation
    /// By column; nil where the change does not tell it, since it did not change.
    var old: [Value?]
    var new: [Value?]

    /// Every value that the change tells of a column, before and after.
    func values(ofColumn column: Int) -> [Value] {
        [old, new].compactMap { $0.indices.contains(column) ? $0[column] : nil }
    }

    /// Whether a text before or after it ends in one of these, in UTF-8.
    func hasText(endingIn endings: [[UInt8]]) -> Bool {
        (old + new).contains { value in
            guard case .text(let text)? = value else { return false }
            return endings.contains { text.suffix($0.count).elementsEqual($0) }
        }
    }
}
