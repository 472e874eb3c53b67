import CPageSums
import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Tells pages of a database that were never written from those of which a disk has lost what was written: both are
/// nothing but zeros. Free pages may never have been written, and pages that only the write-ahead log has so far.
struct BlankPages {
    /// The database's.
    let path: String
    let pageSize: Int
    /// Of the database's file.
    let read: (_ count: Int, _ offset: Int64) throws -> [UInt8]

    /// Which of some blank pages must have been written.
    func lost(among blank: Set<UInt32>) -> Set<UInt32> {
        var left = blank
        // Beside a checkpoint of another process the list of free pages may be half old, half new.
        for attempt in 1...5 {
            let unwritten = freeLeaves().union(loggedPages())
            left = left.filter { !unwritten.contains($0) && isBlank($0) }
            if left.isEmpty { break }
            if attempt < 5 { usleep(2000) }
        }
        return left
    }

    private func isBlank(_ number: UInt32) -> Bool {
        guard let page = try? read(pageSize, Int64(number - 1) * Int64(pageSize)) else { return true }
        return mw_page_is_blank(page, page.count) != 0
    }

    /// The pages that the list of free pages names, without those that it is made of (file format, 1.5): as far as it
    /// can be followed.
    func freeLeaves() -> Set<UInt32> {
        var leaves: Set<UInt32> = []
        guard let header = try? read(100, 0) else { return [] }
        var trunk = Self.number(header, at: 32)
        var followed: Set<UInt32> = []
        while trunk != 0, followed.insert(trunk).inserted,
            let page = try? read(pageSize, Int64(trunk - 1) * Int64(pageSize))
        {
            let count = Int(Self.number(page, at: 4))
            guard count <= pageSize / 4 - 2 else { break }
            for index in 0..<count { leaves.insert(Self.number(page, at: 8 + 4 * index)) }
            trunk = Self.number(page, at: 0)
        }
        return leaves
    }

    /// The pages of which the write-ahead log has a state (file format, 4.1). Whether the log is whole is SQLite's to say.
    private func loggedPages() -> Set<UInt32> {
        var pages: Set<UInt32> = []
        guard let log = try? PackFile(reading: path + "-wal"), let size = try? log.size(),
            let header = try? log.read(32, at: 0)
        else { return [] }
        let frame = Int64(24 + pageSize)
        for offset in stride(from: 32, through: size - frame, by: Int64.Stride(frame)) {
            guard let head = try? log.read(24, at: offset) else { break }
            // What an earlier use of the file has left has other salts.
            guard head[8..<16] == header[16..<24] else { break }
            pages.insert(Self.number(head, at: 0))
        }
        return pages
    }

    private static func number(_ bytes: [UInt8], at place: Int) -> UInt32 {
        bytes[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
