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
        /// All pages that are not as they were written, in order.
        var damaged: [UInt32] = []
        /// Those of them that the disk cannot read.
        var unreadable: Set<UInt32> = []
        /// Those of them that are nothing but zeros, where something was written once.
        var emptied: Set<UInt32> = []
        /// Pages that were damaged when they were read, and have been written anew with what was read.
        var carriedOn: [UInt32] = []
        /// What keeps the pages from being looked at at all.
        var obstacle: String?

        var isIntact: Bool { damaged.isEmpty && carriedOn.isEmpty && obstacle == nil }

        func findings(owners: [UInt32: PageOwner]) -> [Finding] {
            func finding(_ page: UInt32, _ text: String) -> Finding {
                let owner = owners[page]
                return Finding(
                    subject: .database,
                    place: "database page \(page)" + (owner.map { " (\($0.name))" } ?? ""),
                    message: nil, text: text + (owner?.isOfSearch == true ? PageOwner.searchRemedy : ""))
            }
            var findings = damaged.map { page in
                if unreadable.contains(page) { return finding(page, "the disk cannot read the page") }
                if emptied.contains(page) {
                    return finding(page, "the page is empty, and something was written there")
                }
                return finding(page, "the page is not as it was written")
            }
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
    struct Source {
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

    func run(_ file: Source) throws(MailFailure) -> Result {
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
        var blank: Set<UInt32> = []
        for first in stride(from: 0, to: pages, by: pagesAtOnce) {
            let count = min(pagesAtOnce, pages - first)
            let chunk = try Self.chunk(first, count, pageSize, file, &result.unreadable)
            for index in 0..<count {
                let number = UInt32(first + index + 1)
                if result.unreadable.contains(number) {
                    result.damaged.append(number)
                    continue
                }
                let (isIntact, isBlank) = chunk.withUnsafeBufferPointer {
                    let page = $0.baseAddress! + index * pageSize
                    let isIntact = mw_page_is_intact(page, pageSize, number) != 0
                    return (isIntact, !isIntact && mw_page_is_blank(page, pageSize) != 0)
                }
                // The page that holds the locks is never written (file format, 1.4).
                if isIntact || Int64(number - 1) * Int64(pageSize) == 0x4000_0000 { continue }
                if isBlank {
                    blank.insert(number)
                } else if !Self.isIntactAfterAll(number, pageSize, file) {
                    result.damaged.append(number)
                }
            }
        }
        if !blank.isEmpty {
            result.emptied = BlankPages(path: path, pageSize: pageSize, read: file.read).lost(among: blank)
            result.damaged = (result.damaged + result.emptied).sorted()
        }
        result.pageCount = pages
        let damaged = Set(result.damaged)
        result.carriedOn = try DamageNote(database: path).pages()
            .filter { $0 <= UInt32(pages) && !damaged.contains($0) }
        return result
    }

    /// Some pages at once; where the disk does not read them, each by itself.
    ///
    /// - Throws: what is no damage.
    private static func chunk(
        _ first: Int, _ count: Int, _ pageSize: Int, _ file: Source, _ unreadable: inout Set<UInt32>
    ) throws(MailFailure) -> [UInt8] {
        func read(_ page: Int, _ pages: Int) throws(MailFailure) -> [UInt8]? {
            do {
                return try file.read(pages * pageSize, Int64(page) * Int64(pageSize))
            } catch {
                let failure = StorageError.failure(error)
                if failure.isNoDamage { throw failure }
                return nil
            }
        }
        if let all = try read(first, count) { return all }
        var chunk: [UInt8] = []
        for page in first..<first + count {
            let bytes = try read(page, 1)
            if bytes == nil { unreadable.insert(UInt32(page + 1)) }
            chunk += bytes ?? [UInt8](repeating: 0, count: pageSize)
        }
        return chunk
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
