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

    let name: String
    let digest: Digest256
    let bytes: Int64
    let messages: Int
    let packs: [OriginalsStore.PackEnd]
    let erased: [Digest256: OriginalsStore.Placement]
    private let path: String

    init(of pool: DatabasePool, in directory: String, besides other: String?) throws {
        var number = 1
        while "\(Self.prefix)\(number).db" == other { number += 1 }
        name = "\(Self.prefix)\(number).db"
        path = "\(directory)/\(name)"
        var packs: [OriginalsStore.PackEnd] = []
        var erased: [Digest256: OriginalsStore.Placement] = [:]
        var messages = 0
        var configuration = Configuration()
        configuration.prepareDatabase(Archive.prepare)
        let copy = try DatabaseQueue(path: path, configuration: configuration)
        // Pages go to the disk in any order when they are many, and get their checksums only when the first one, which
        // says so, is there by then.
        try copy.inDatabase { try $0.execute(sql: "CREATE TABLE beginning(page INTEGER)") }
        try pool.backup(to: copy)
        try copy.inDatabase { db in
            messages = Int(
                try PreparedStatement(db, "SELECT count(*) FROM messages").first { $0.int64(0) } ?? 0)
            try PreparedStatement(db, "SELECT id, committed_end, chain FROM packs ORDER BY id").forEachRow {
                packs.append(
                    OriginalsStore.PackEnd(pack: $0.int64(0), end: $0.int64(1), chain: $0.bytes(2)))
            }
            erased = try Self.erased(db)
            // One file, that can be copied by itself.
            try db.execute(sql: "PRAGMA journal_mode = DELETE")
        }
        try copy.close()
        (self.packs, self.erased, self.messages) = (packs, erased, messages)
        guard chmod(path, 0o600) == 0 else { throw StorageError.failure(errno: errno, path: path) }
        let file = try PackFile(overwriting: path)
        try file.synchronize()
        try PackFile.synchronizeDirectory(directory)
        digest = try file.digest()
        bytes = try file.size()
    }

    /// What it says lies in a pack, by offset.
    func claims(in pack: OriginalsStore.PackEnd) throws -> [Int64: CopyCheck.Claim] {
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? queue.close() }
        return try queue.read { db in
            let query = try PreparedStatement(
                db, "SELECT offset, message, size, sha256, erasure IS NOT NULL FROM originals WHERE pack = ?")
            query.bind(1, pack.pack)
            var claims: [Int64: CopyCheck.Claim] = [:]
            try query.forEachRow { row in
                guard let digest = Digest256(bytes: row.bytes(3)) else { return }
                claims[row.int64(0)] = CopyCheck.Claim(
                    message: ArchivedMessageID(rawValue: row.int64(1)), size: row.int64(2), digest: digest,
                    isErased: row.int64(4) != 0)
            }
            return claims
        }
    }

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
