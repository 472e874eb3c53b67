import Foundation
import GRDB
import MailModel

@testable import Archive

/// An archive as an earlier version wrote it, laid out in a directory of its own.
final class StoredArchive: Sendable {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let fixtures = root.appendingPathComponent("Fixtures/archive")

    static let schemas: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: fixtures.path)) ?? []
        return names.filter { $0.hasPrefix("schema-") }.sorted {
            $0.count == $1.count ? $0 < $1 : $0.count < $1.count
        }
    }()

    let directory: String

    init(_ schema: String) throws {
        directory = NSTemporaryDirectory() + "archive-\(UUID().uuidString)"
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
        let database = try self.database()
        try database.inDatabase { try $0.execute(sql: dump) }
        try database.close()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// The file by itself, without the program's own reading.
    func database() throws -> DatabaseQueue { try DatabaseQueue(path: directory + "/mailworker.db") }

    /// With the key that everybody knows.
    func open() throws -> Archive {
        try Archive.open(directory: directory, key: SecretKey(text: String(repeating: "0", count: 64)))
    }

    func migrations() throws -> Set<String> {
        let database = try database()
        defer { try? database.close() }
        return try database.read { try String.fetchSet($0, sql: "SELECT identifier FROM grdb_migrations") }
    }
}

/// What a database is made of, in a form that does not depend on the order in which it was.
struct DatabaseShape: Equatable {
    /// The name of each table, index and trigger, with the parts of its definition.
    var objects: [String: [String]]

    init(_ db: Database) throws {
        objects = [:]
        for row in try Row.fetchAll(db, sql: "SELECT type, name, sql FROM sqlite_master") {
            let sql: String? = row["sql"]
            objects["\(row["type"] as String) \(row["name"] as String)"] = sql.map(Self.parts) ?? []
        }
    }

    /// A column that was added later stands at another place of the same table.
    private static func parts(_ sql: String) -> [String] {
        let plain = sql.split(separator: "\n").map { line in
            String(line.split(separator: "--", omittingEmptySubsequences: false)[0])
        }.joined(separator: " ")
        var parts = [""]
        var depth = 0
        for character in plain {
            switch character {
            case "(": depth += 1
            case ")": depth -= 1
            case "," where depth == 1:
                parts.append("")
                continue
            default: break
            }
            parts[parts.count - 1].append(character)
        }
        // The words of the first part stand before the bracket, and those of the last behind it.
        return parts.flatMap { $0.split { " ()".contains($0) }.isEmpty ? [] : [Self.words($0)] }.sorted()
    }

    private static func words(_ part: String) -> String {
        part.split { " ()\"".contains($0) }.joined(separator: " ")
    }
}

/// The rows of all tables, each with the values of its columns.
struct StoredRows {
    var tables: [String: [[String: DatabaseValue]]] = [:]

    init(_ db: Database) throws {
        let names = try String.fetchAll(
            db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search%'")
        for name in names where !name.hasPrefix("sqlite_") && !name.hasPrefix("grdb_") {
            tables[name] = try Row.fetchAll(db, sql: "SELECT * FROM \(name)").map { row in
                Dictionary(row.map { ($0.0, $0.1) }) { first, _ in first }
            }
        }
    }

    /// Rows of which a later state has lost something: a row, or a value of a column.
    func lost(in later: StoredRows) -> [String] {
        tables.sorted { $0.key < $1.key }.flatMap { name, rows in
            var left = later.tables[name] ?? []
            return rows.compactMap { row in
                let place = left.firstIndex { candidate in row.allSatisfy { candidate[$0.key] == $0.value } }
                guard let place else { return "\(name): \(row)" }
                left.remove(at: place)
                return nil
            }
        }
    }
}
