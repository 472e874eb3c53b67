import CPageSums
import GRDB

#if canImport(Glibc)
    import Glibc
#endif

/// A copy of the pages that hold the database's schema, beside the database. They change with its version only, and
/// without them nothing of it can be read: a page of them that is damaged later is read from here (CPageSums).
enum SchemaCopy {
    static func path(of database: String) -> String { database + mw_schema_copy_suffix }

    /// Makes the copy anew when the pages are not as in it; not while one of them is damaged.
    ///
    /// - Throws: what the disk says. Nothing but reading damaged pages depends on the copy.
    static func refresh(_ db: Database, database: String) throws {
        guard let size = try Int64.fetchOne(db, sql: "PRAGMA page_size") else { return }
        let pages = try pages(db, size: size)
        guard !pages.isEmpty else { return }
        let content = Array(mw_schema_copy_magic.utf8) + bytes(size) + pages
        let path = path(of: database)
        if let known = try? PackFile(reading: path), let length = try? known.size(), length == content.count,
            let bytes = try? known.read(content.count, at: 0), bytes == content
        {
            return
        }
        let next = path + ".next"
        PackFile.remove(next)
        guard try PackFile(creating: next, header: content) != nil, rename(next, path) == 0 else {
            throw StorageError.failure(errno: errno, path: next)
        }
    }

    /// Each page with its number before it; nothing while one of them is not as it was written. Page 1 changes with
    /// the database's state.
    private static func pages(_ db: Database, size: Int64) throws -> [UInt8] {
        let numbers = try Int64.fetchAll(
            db, sql: "SELECT pageno FROM dbstat WHERE name = 'sqlite_schema' AND pageno > 1 ORDER BY pageno")
        var all: [UInt8] = []
        for number in numbers {
            var page = [UInt8](repeating: 0, count: Int(size))
            // One that stands in the log only so far is copied by a later opening.
            guard mw_page_read(db.sqliteConnection, &page, page.count, UInt32(clamping: number)) == 0,
                mw_page_is_intact(page, page.count, UInt32(clamping: number)) != 0
            else { return [] }
            all += bytes(number) + page
        }
        return all
    }

    private static func bytes(_ number: Int64) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> Int64(8 * $0)) }
    }
}
