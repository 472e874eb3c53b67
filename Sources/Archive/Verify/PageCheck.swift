import CPageSums
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

    func run() -> Result {
        var result = Result()
        guard let file = try? PackFile(reading: path), let size = try? file.size(), size >= 512 else {
            result.obstacle = "the file cannot be read, or is empty"
            return result
        }
        guard let header = try? file.read(100, at: 0), let pageSize = Self.pageSize(header),
            header[20] == UInt8(mw_page_sum_bytes)
        else {
            result.obstacle = "the file's header is damaged"
            return result
        }
        if size % Int64(pageSize) != 0 { result.obstacle = "the file does not end with a whole page" }
        let pages = Int(size / Int64(pageSize))
        let pagesAtOnce = max(1, (1 << 20) / pageSize)
        var page = 0
        while page < pages {
            let count = min(pagesAtOnce, pages - page)
            guard let chunk = try? file.read(count * pageSize, at: Int64(page) * Int64(pageSize)) else {
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
        result.carriedOn = noted().filter { $0 <= UInt32(pages) && !result.damaged.contains($0) }
        return result
    }

    /// Pages of which a process has noted that it read them damaged.
    private func noted() -> [UInt32] {
        guard let note = try? PackFile(reading: path + mw_page_damage_suffix), let size = try? note.size(),
            let bytes = try? note.read(Int(min(size, 1 << 20)), at: 0)
        else { return [] }
        return Set(String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { UInt32($0) })
            .sorted()
    }

    /// Whether a database was made before its pages had checksums.
    static func lacksSums(_ path: String) -> Bool {
        guard let file = try? PackFile(reading: path), let header = try? file.read(100, at: 0),
            pageSize(header) != nil
        else { return false }
        return header[20] == 0
    }

    /// A page that a checkpoint of another process is writing may be read half old, half new.
    private static func isIntactAfterAll(_ number: UInt32, _ pageSize: Int, _ file: PackFile) -> Bool {
        // The page that holds the locks is never written (file format, 1.4).
        if Int64(number - 1) * Int64(pageSize) == 0x4000_0000 { return true }
        for _ in 0..<5 {
            guard let page = try? file.read(pageSize, at: Int64(number - 1) * Int64(pageSize)) else {
                return false
            }
            if mw_page_is_intact(page, pageSize, number) != 0 { return true }
            usleep(2000)
        }
        return false
    }

    private static func pageSize(_ header: [UInt8]) -> Int? {
        guard header.starts(with: Array("SQLite format 3\0".utf8)) else { return nil }
        let size = Int(header[16]) << 8 | Int(header[17])
        let bytes = size == 1 ? 65_536 : size
        return bytes >= 512 && bytes & (bytes - 1) == 0 ? bytes : nil
    }
}
