import GRDB
import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// A copy of the database as of one moment, durable, and what it says about the packs.
struct DatabaseSnapshotFile {
    private static let prefix = "mailworker-"

    /// Whether a file can be such a copy, or what SQLite puts beside it.
    static func isName(_ name: String) -> Bool {
        name.wholeMatch(of: /mailworker-[0-9]{1,9}\.db(-journal|-wal|-shm|-damaged)?/) != nil
    }

    /// Whether a file can be such a copy itself.
    static func isDatabase(_ name: String) -> Bool {
        name.wholeMatch(of: /mailworker-[0-9]{1,9}\.db/) != nil
    }

    let name: String
    let digest: Digest256
    let bytes: Int64
    /// Nil when they cannot be counted.
    let messages: Int?
    let originals: Int?
    let packs: [OriginalsStore.PackEnd]
    let erased: [Digest256: OriginalsStore.Placement]
    /// Pages of which the archive's disk could read nothing, or had nothing but zeros left: so they are in the copy.
    let lost: [UInt32]
    /// What the copy cannot say for that.
    let unread: [Finding]
    private let path: String

    /// - Parameters:
    ///   - database: the archive's.
    ///   - other: a name that is taken.
    init(of database: String, in directory: String, besides other: String?) throws {
        var number = 1
        while "\(Self.prefix)\(number).db" == other { number += 1 }
        name = "\(Self.prefix)\(number).db"
        path = "\(directory)/\(name)"
        var configuration = Configuration()
        configuration.prepareDatabase(Archive.prepare)
        let copy = try DatabaseQueue(path: path, configuration: configuration)
        // Pages go to the disk in any order when they are many, and get their checksums only when the first one, which
        // says so, is there by then.
        try copy.inDatabase { try $0.execute(sql: "CREATE TABLE beginning(page INTEGER)") }
        let source = try Salvage.connection(to: database)
        try source.backup(to: copy)
        let unreadable = try source.read { Salvage.lostPages($0) }
        try source.close()
        let content = try copy.inDatabase { db in
            let content = try Content(db, hasLost: !unreadable.isEmpty)
            // One file, that can be copied by itself.
            try db.execute(sql: "PRAGMA journal_mode = DELETE")
            return content
        }
        try copy.close()
        (messages, originals) = (content.messages, content.originals)
        (packs, erased, unread) = (content.packs, content.erased, content.unread)
        guard chmod(path, 0o600) == 0 else { throw StorageError.failure(errno: errno, path: path) }
        let file = try PackFile(overwriting: path)
        try file.synchronize()
        try PackFile.synchronizeDirectory(directory)
        digest = try file.digest()
        bytes = try file.size()
        lost = try Self.inUse(unreadable, of: file)
    }

    /// Those pages that are not free.
    private static func inUse(_ pages: Set<UInt32>, of file: PackFile) throws -> [UInt32] {
        guard !pages.isEmpty, let size = PageCheck.pageSize(try file.read(100, at: 0)) else {
            return pages.sorted()
        }
        let free = BlankPages(path: "", pageSize: size) { try file.read($0, at: $1) }.freeLeaves()
        return pages.subtracting(free).sorted()
    }

    /// What a copy says.
    private struct Content {
        var messages: Int?
        var originals: Int?
        var packs: [OriginalsStore.PackEnd] = []
        var erased: [Digest256: OriginalsStore.Placement] = [:]
        var unread: [Finding] = []

        /// - Parameter hasLost: whether pages are missing, so that what lies on them costs itself.
        init(_ db: Database, hasLost: Bool) throws {
            var unread: [Finding] = []
            func ask(_ what: String, _ question: () throws -> Void) throws {
                do {
                    try question()
                } catch {
                    guard hasLost, StorageError.failure(error).code == .archiveCorrupt else { throw error }
                    unread.append(try Archive.unreadable(what, error))
                }
            }
            try ask("the number of messages") { messages = try Self.count("messages", db) }
            try ask("the number of originals") { originals = try Self.count("originals", db) }
            try ask("packs") {
                try PreparedStatement(db, "SELECT id, committed_end, chain FROM packs ORDER BY id")
                    .forEachRow {
                        packs.append(
                            OriginalsStore.PackEnd(pack: $0.int64(0), end: $0.int64(1), chain: $0.bytes(2)))
                    }
            }
            try ask("which mail was erased") { erased = try DatabaseSnapshotFile.erased(db) }
            self.unread = unread
        }

        private static func count(_ table: String, _ db: Database) throws -> Int? {
            try PreparedStatement(db, "SELECT count(*) FROM \(table)").first { Int($0.int64(0)) }
        }
    }

    /// What it says lies in a pack, by offset; as much as it can say.
    func claims(in pack: OriginalsStore.PackEnd) throws -> [Int64: CopyCheck.Claim] {
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? queue.close() }
        var claims: [Int64: CopyCheck.Claim] = [:]
        do {
            try queue.read { db in
                let query = try PreparedStatement(
                    db,
                    "SELECT offset, message, size, sha256, erasure IS NOT NULL FROM originals WHERE pack = ?")
                query.bind(1, pack.pack)
                try query.forEachRow { row in
                    guard let digest = Digest256(bytes: row.bytes(3)) else { return }
                    claims[row.int64(0)] = CopyCheck.Claim(
                        message: ArchivedMessageID(rawValue: row.int64(1)), size: row.int64(2),
                        digest: digest, isErased: row.int64(4) != 0)
                }
            }
        } catch {
            guard !lost.isEmpty, StorageError.failure(error).code == .archiveCorrupt else { throw error }
        }
        return claims
    }

    /// Removes it, as when no backup comes of it.
    func remove() throws { try PackFile.delete(path) }

    static func erased(_ db: Database) throws -> [Digest256: OriginalsStore.Placement] {
        var erased: [Digest256: OriginalsStore.Placement] = [:]
        try PreparedStatement(
            db, "SELECT sha256, pack, offset, size FROM originals WHERE erasure IS NOT NULL"
        ).forEachRow { row in
            guard let digest = Digest256(bytes: row.bytes(0)) else { return }
            erased[digest] = OriginalsStore.Placement(
                pack: row.int64(1), offset: row.int64(2), size: row.int64(3))
        }
        return erased
    }
}
