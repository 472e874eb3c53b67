import CPageSums
import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// The note beside a database of the pages that were read and were not as they had been written (CPageSums appends to
/// it): a number a line, or one with a minus before it when what stood there has been made anew since.
struct DamageNote {
    private let path: String

    init(database: String) { path = database + mw_page_damage_suffix }

    /// The pages, in order.
    ///
    /// - Throws: what keeps the note from being read and is no damage.
    func pages() throws(MailFailure) -> [UInt32] {
        let bytes: [UInt8]
        do throws(MailFailure) {
            let note = try PackFile(reading: path)
            bytes = try note.read(Int(min(try note.size(), 1 << 20)), at: 0)
        } catch {
            if error.isNoDamage { throw error }
            return []
        }
        var pages: Set<UInt32> = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard let number = Int64(line), let page = UInt32(exactly: number.magnitude), page > 0 else {
                continue
            }
            if number < 0 { pages.remove(page) } else { pages.insert(page) }
        }
        return pages.sorted()
    }

    /// Takes pages off: nothing is left of what was wrong there.
    func settle(_ settled: [UInt32]) throws(MailFailure) {
        let noted = Set(try pages())
        let lines = settled.filter(noted.contains).map { "-\($0)\n" }.joined()
        guard !lines.isEmpty else { return }
        // Others may be appending.
        let descriptor = PackFile.openFile(path, O_WRONLY | O_APPEND)
        guard descriptor >= 0 else { throw StorageError.failure(errno: errno, path: path) }
        defer { close(descriptor) }
        let bytes = Array(lines.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw StorageError.failure(errno: errno, path: path)
        }
    }
}
