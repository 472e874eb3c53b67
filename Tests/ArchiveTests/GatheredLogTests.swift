import GRDB
import Testing

@testable import Archive

/// The writer's log goes to the system in large pieces; nobody may see anything of that.
@Suite struct GatheredLogTests {
    /// A writer that keeps a handful of pages, so that a transaction writes most of its own before it ends.
    private static func fixture() throws -> (ArchiveFixture, DatabaseQueue) {
        let fixture = try ArchiveFixture()
        let pool = fixture.archive.pool
        try pool.writeWithoutTransaction { db in
            try db.execute(
                sql: "PRAGMA cache_size = 10; CREATE TABLE probe(id INTEGER PRIMARY KEY, bytes BLOB)")
        }
        // Of somebody who knows nothing of gathering.
        var configuration = Configuration()
        configuration.readonly = true
        return (fixture, try DatabaseQueue(path: pool.path, configuration: configuration))
    }

    private static func fill(_ db: Database, _ rows: ClosedRange<Int>) throws {
        for row in rows {
            try db.execute(
                sql: "INSERT INTO probe VALUES (?, zeroblob(?))", arguments: [row, 100 + row * 37 % 9000])
        }
    }

    private static func sum(_ db: Database) throws -> [Int] {
        try [
            Int.fetchOne(db, sql: "SELECT count(*) FROM probe") ?? 0,
            Int.fetchOne(db, sql: "SELECT coalesce(sum(length(bytes)), 0) FROM probe") ?? 0,
        ]
    }

    @Test func whatIsCommittedIsThereForOthers() throws {
        let (fixture, other) = try Self.fixture()
        for part in 0..<20 {
            let rows = part * 50 + 1...part * 50 + 50
            let own = try fixture.archive.pool.writeWithoutTransaction { db in
                try db.inTransaction {
                    try Self.fill(db, rows); return .commit
                }
                return try Self.sum(db)
            }
            let seen = try other.read { try Self.sum($0) }
            #expect(own == seen && seen[0] == rows.upperBound)
        }
        #expect(try other.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
    }

    @Test func aLargeTransactionReadsWhatItHasWritten() throws {
        let (fixture, other) = try Self.fixture()
        try fixture.archive.pool.writeWithoutTransaction { db in
            try db.inTransaction {
                try Self.fill(db, 1...2000)
                // Over pages that have left the cache, and are written a second time.
                try db.execute(sql: "UPDATE probe SET bytes = zeroblob(50) WHERE id % 3 = 0")
                #expect(try Self.sum(db)[0] == 2000)
                #expect(try other.read { try Self.sum($0) } == [0, 0])
                return .commit
            }
        }
        let rows = try other.read { try Int.fetchAll($0, sql: "SELECT length(bytes) FROM probe ORDER BY id") }
        #expect(rows == (1...2000).map { $0 % 3 == 0 ? 50 : 100 + $0 * 37 % 9000 })
    }

    @Test func whatIsTakenBackWasNever() throws {
        let (fixture, other) = try Self.fixture()
        try fixture.archive.pool.writeWithoutTransaction { db in
            try db.inTransaction {
                try Self.fill(db, 1...500); return .commit
            }
            try db.inTransaction {
                try Self.fill(db, 501...1500); return .rollback
            }
            try db.inTransaction {
                try Self.fill(db, 501...600); return .commit
            }
            try db.checkpoint(.truncate)
            try db.inTransaction {
                try Self.fill(db, 601...700); return .commit
            }
        }
        #expect(try other.read { try Self.sum($0) }[0] == 700)
        #expect(try other.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
    }

    @Test func whatIsTakenBackIsNotWrittenOverAnothersCommits() throws {
        let (fixture, other) = try Self.fixture()
        let pool = fixture.archive.pool
        // As another process writes, which gathers nothing.
        let second = try DatabaseQueue(path: pool.path)
        for round in 0..<20 {
            let first = round * 100 + 1
            try pool.writeWithoutTransaction { db in
                // So that nothing is read from the log, which would hand on what is held back.
                try db.checkpoint(.truncate)
                // Pages that have left the cache, and are held back when it is given up.
                try db.inTransaction {
                    try Self.fill(db, first...first + 20 + round); return .rollback
                }
            }
            try second.write { try Self.fill($0, first...first + 49) }
            try pool.writeWithoutTransaction { db in
                try db.inTransaction {
                    try Self.fill(db, first + 50...first + 99); return .commit
                }
            }
        }
        #expect(try other.read { try Self.sum($0) }[0] == 2000)
        let rows = try other.read { try Int.fetchAll($0, sql: "SELECT length(bytes) FROM probe ORDER BY id") }
        #expect(rows == (1...2000).map { 100 + $0 * 37 % 9000 })
        #expect(try second.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
    }
}
