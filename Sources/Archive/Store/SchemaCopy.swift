import CPageSums
import GRDB

#if canImport(Glibc)
    import Glibc
#endif

/// A copy of the pages that hold the database's schema, beside the database. They change with its version only, but for
/// some bytes of page 1, and without them nothing of it can be read: a page of them that is damaged later is read from
/// here (CPageSums).
enum SchemaCopy {
    static func path(of database: String) -> String { database + mw_schema_copy_suffix }

    /// How large the database's pages are, as its copy knows; nil without one.
    static func pageSize(of database: String) -> Int? {
        let magic = Array(mw_schema_copy_magic.utf8)
        guard let copy = try? PackFile(reading: path(of: database)),
            let head = try? copy.read(magic.count + 4, at: 0), head.starts(with: magic)
        else { return nil }
        let size = head[magic.count...].reversed().reduce(0) { $0 << 8 | Int($1) }
        return (512...65_536).contains(size) && size & (size - 1) == 0 ? size : nil
    }

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
            let bytes = try? known.read(content.count, at: 0),
            lasting(bytes, pageSize: Int(size)) == lasting(content, pageSize: Int(size))
        {
            return
        }
        let next = path + ".next"
        PackFile.remove(next)
        guard try PackFile(creating: next, header: content) != nil, rename(next, path) == 0 else {
            throw StorageError.failure(errno: errno, path: next)
        }
    }

    /// A copy without what changes in page 1, which comes first, with the database's state, and is not taken from here
    /// (CPageSums): every opening would write it anew.
    private static func lasting(_ content: [UInt8], pageSize: Int) -> [UInt8] {
        let start = mw_schema_copy_magic.utf8.count + 4 + 4
        guard content.count >= start + pageSize else { return content }
        var lasting = content
        for changing in [24..<44, 92..<100, pageSize - Int(mw_page_sum_bytes)..<pageSize] {
            for index in changing { lasting[start + index] = 0 }
        }
        return lasting
    }

    /// Each page with its number before it; nothing while one of them is not as it was written.
    private static func pages(_ db: Database, size: Int64) throws -> [UInt8] {
        let numbers = try Int64.fetchAll(
            db, sql: "SELECT pageno FROM dbstat WHERE name = 'sqlite_schema' ORDER BY pageno")
        var all: [UInt8] = []
        for number in numbers {
            var page = [UInt8](repeating: 0, count: Int(size))
            // One that stands in the log only so far is copied by a later opening.
            guard mw_file_read(db.sqliteConnection, &page, page.count, (number - 1) * size) == 0,
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
