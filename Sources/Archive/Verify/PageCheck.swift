import CPageSums
import GRDB
import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Compares every page of the database's file with the checksum that was written with it.
struct PageCheck {
    struct Result {
        var pageCount = 0
        var damaged: [UInt32] = []
        /// Pages that were damaged when they were read, and have been written anew with what was read.
        var carriedOn: [UInt32] = []
        /// What keeps the pages from being looked at at all.
        var obstacle: String?

        var isIntact: Bool { damaged.isEmpty && carriedOn.isEmpty && obstacle == nil }

        func findings(tables: [UInt32: String]) -> [Finding] {
            func finding(_ page: UInt32, _ text: String) -> Finding {
                Finding(
                    subject: .database,
                    place: "database page \(page)" + (tables[page].map { " (\($0))" } ?? ""), message: nil,
                    text: text)
            }
            var findings = damaged.map { finding($0, "the page is not as it was written") }
            findings += carriedOn.map {
                finding(
                    $0,
                    "the page was not as it was written when it was read, and has been written anew since: "
                        + "what it holds may be wrong")
            }
            if let obstacle {
                findings.append(Finding(subject: .database, place: "database", message: nil, text: obstacle))
            }
            return findings
        }
    }

    let path: String

    /// Where the bytes of the file come from.
    private struct Source {
        var size: Int64
        var read: (_ count: Int, _ offset: Int64) throws -> [UInt8]
    }

    /// Reads the file by itself: only where this process has no connection to the database. When it closes a descriptor of
    /// its own, the system takes SQLite's locks away (CPageSums).
    ///
    /// - Throws: what keeps the file from being opened and is no damage.
    func run() throws(MailFailure) -> Result {
        let source: Source
        do throws(MailFailure) {
            let file = try PackFile(reading: path)
            source = Source(size: try file.size()) { try file.read($0, at: $1) }
        } catch {
            if error.isNoDamage { throw error }
            var result = Result()
            result.obstacle = "the file cannot be read: \(error.summary)"
            return result
        }
        return try run(source)
    }

    /// Reads the file through SQLite's own descriptor. The connection needs no transaction.
    func run(_ db: Database) throws(MailFailure) -> Result {
        var size: Int64 = 0
        let code = mw_file_size(db.sqliteConnection, &size)
        guard code == 0 else { throw StorageError.failure(resultCode: code) }
        return try run(
            Source(size: size) { count, offset in
                var bytes = [UInt8](repeating: 0, count: count)
                let code = mw_file_read(db.sqliteConnection, &bytes, count, offset)
                guard code == 0 else { throw StorageError.failure(resultCode: code) }
                return bytes
            })
    }

    private func run(_ file: Source) throws(MailFailure) -> Result {
        var result = Result()
        guard file.size >= 512 else {
            result.obstacle = "the file is empty"
            return result
        }
        let header = (try? file.read(100, 0)) ?? []
        // A damaged header keeps no page from being compared: the copy of the schema knows how large pages are.
        let kept = SchemaCopy.pageSize(of: path)
        guard let pageSize = kept ?? Self.pageSize(header),
            kept != nil || header[20] == UInt8(mw_page_sum_bytes)
        else {
            result.obstacle = "the file's header is damaged"
            return result
        }
        if file.size % Int64(pageSize) != 0 { result.obstacle = "the file does not end with a whole page" }
        let pages = Int(file.size / Int64(pageSize))
        let pagesAtOnce = max(1, (1 << 20) / pageSize)
        var page = 0
        while page < pages {
            let count = min(pagesAtOnce, pages - page)
            let chunk: [UInt8]
            do {
                chunk = try file.read(count * pageSize, Int64(page) * Int64(pageSize))
            } catch {
                let failure = StorageError.failure(error)
                if failure.isNoDamage { throw failure }
                result.obstacle = "the file cannot be read to its end"
                break
            }
            for index in 0..<count {
                let number = UInt32(page + index + 1)
                let isIntact = chunk.withUnsafeBufferPointer {
                    mw_page_is_intact($0.baseAddress! + index * pageSize, pageSize, number) != 0
                }
                if !isIntact, !Self.isIntactAfterAll(number, pageSize, file) {
                    result.damaged.append(number)
                }
            }
            page += count
        }
        result.pageCount = pages
        result.carriedOn = try noted().filter { $0 <= UInt32(pages) && !result.damaged.contains($0) }
        return result
    }

    /// Pages of which a process has noted that it read them damaged.
    func noted() throws(MailFailure) -> [UInt32] {
        let bytes: [UInt8]
        do throws(MailFailure) {
            let note = try PackFile(reading: path + mw_page_damage_suffix)
            bytes = try note.read(Int(min(try note.size(), 1 << 20)), at: 0)
        } catch {
            if error.isNoDamage { throw error }
            return []
        }
        return Set(String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { UInt32($0) })
            .sorted()
    }

    /// Whether a database was made before its pages had checksums. Asked before it is opened.
    static func lacksSums(_ path: String) -> Bool {
        var configuration = Configuration()
        configuration.readonly = true
        var header = [UInt8](repeating: 0, count: 100)
        // Through SQLite's own descriptor: this process may have the archive open already (CPageSums).
        let code = try? DatabaseQueue(path: path, configuration: configuration).inDatabase {
            mw_file_read($0.sqliteConnection, &header, header.count, 0)
        }
        guard code == 0, pageSize(header) != nil else { return false }
        // Where there is a copy of the schema, pages have had checksums, and the header is damaged.
        return header[20] == 0 && SchemaCopy.pageSize(of: path) == nil
    }

    /// A page that a checkpoint of another process is writing may be read half old, half new.
    private static func isIntactAfterAll(_ number: UInt32, _ pageSize: Int, _ file: Source) -> Bool {
        // The page that holds the locks is never written (file format, 1.4).
        if Int64(number - 1) * Int64(pageSize) == 0x4000_0000 { return true }
        for _ in 0..<5 {
            guard let page = try? file.read(pageSize, Int64(number - 1) * Int64(pageSize)) else {
                return false
            }
            if mw_page_is_intact(page, pageSize, number) != 0 { return true }
            usleep(2000)
        }
        return false
    }

    static func pageSize(_ header: [UInt8]) -> Int? {
        guard header.starts(with: Array("SQLite format 3\0".utf8)) else { return nil }
        let size = Int(header[16]) << 8 | Int(header[17])
        let bytes = size == 1 ? 65_536 : size
        return bytes >= 512 && bytes & (bytes - 1) == 0 ? bytes : nil
    }
}
