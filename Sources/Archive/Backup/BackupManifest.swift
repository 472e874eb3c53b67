import Crypto
import Foundation
public import MailModel

/// What a backup directory holds: written last, so that a backup without it is none, and one
/// that was interrupted is still the one before. It lies there twice, each with a checksum of its own.
struct BackupManifest: Codable {
    struct Pack: Codable {
        var pack: Int64
        /// The bytes that belong to the backup; what lies behind them is a later one's beginning.
        var bytes: Int64
        /// The chain's hash at that place.
        var chain: String
        /// The file's name, where it is not the pack's usual one.
        var file: String?

        fileprivate var isSound: Bool {
            (1..<1_000_000_000_000_000_000).contains(pack) && bytes >= 0
                && (chain.isEmpty || Digest256(hex: chain) != nil) && file.map(Self.isName) != false
        }

        /// Whether a file can be a pack that a backup has made.
        static func isName(_ name: String) -> Bool {
            name.wholeMatch(of: /pack-[0-9]{6,18}\.mwp(\.2)?/) != nil
        }
    }

    static let name = "manifest.json"
    private static let copyName = name + ".copy"
    private static let presentFormat = 2

    /// Whether a file is one of the manifest's, or its beginning.
    static func isName(_ file: String) -> Bool {
        [name, copyName].contains { file == $0 || file == $0 + ".next" }
    }

    var format = Self.presentFormat
    /// Which archive it is of; nil in the first format.
    var archive: String?
    var madeAt: UnixTime
    var database: String
    var databaseSHA256: Digest256
    /// Pages that were not as they had been written when they were copied.
    var damagedPages: [UInt32]?
    /// How many there were; nil where that could not be counted, or nobody did.
    var messages: Int?
    var originals: Int?
    var packs: [Pack]
    /// Of all else; nil in the first format.
    private var checksum: Digest256?

    private enum CodingKeys: String, CodingKey {
        case format, archive
        case madeAt = "made_at"
        case database
        case databaseSHA256 = "database_sha256"
        case damagedPages = "damaged_pages"
        case messages, originals, packs, checksum
    }

    init(
        archive: String, madeAt: UnixTime, database: String, databaseSHA256: Digest256,
        damagedPages: [UInt32], messages: Int?, originals: Int?, packs: [Pack]
    ) {
        self.archive = archive
        self.madeAt = madeAt
        self.database = database
        self.databaseSHA256 = databaseSHA256
        self.damagedPages = damagedPages
        self.messages = messages
        self.originals = originals
        self.packs = packs
    }

    /// The packs' files, of those that have no usual name.
    var fileNames: [Int64: String] {
        packs.reduce(into: [:]) { names, pack in names[pack.pack] = pack.file }
    }

    /// Nil when there is none.
    static func read(in directory: String) throws(MailFailure) -> BackupManifest? {
        var obstacle: MailFailure?
        for name in [name, copyName] {
            do throws(MailFailure) {
                return try read("\(directory)/\(name)")
            } catch {
                // One that is there and cannot be read is not none.
                if error.code != .archiveMissing { obstacle = obstacle ?? error }
            }
        }
        if let obstacle { throw obstacle }
        return nil
    }

    /// More than any archive's: a file that is longer is none, and is not read into memory.
    private static let sizeLimit: Int64 = 256 << 20

    private static func read(_ path: String) throws(MailFailure) -> BackupManifest {
        let bytes: [UInt8]
        do throws(MailFailure) {
            let file = try PackFile(reading: path)
            let size = try file.size()
            guard size <= sizeLimit else { throw unreadable(path) }
            bytes = try file.read(Int(size), at: 0)
        } catch {
            throw error.code == .archiveMissing || error.isNoDamage ? error : unreadable(path)
        }
        guard let manifest = try? JSONDecoder().decode(BackupManifest.self, from: Data(bytes)),
            manifest.isSound
        else { throw unreadable(path) }
        return manifest
    }

    private static func unreadable(_ path: String) -> MailFailure {
        MailFailure(
            .backupUnreadable, kind: .needsPerson, "The backup's manifest cannot be read", detail: path,
            remedy: "It is damaged, or was made by a newer version: use another backup, or that version.")
    }

    /// Whether it can be one that `backup` has written, whatever somebody has made of it since: its names lead nowhere
    /// else, and its numbers can be reckoned with.
    private var isSound: Bool {
        guard DatabaseSnapshotFile.isDatabase(database), packs.allSatisfy(\.isSound),
            [messages, originals].allSatisfy({ $0 ?? 0 >= 0 })
        else { return false }
        let store = OriginalsStore(detached: "", fileNames: fileNames)
        let files = Set(packs.map { store.path(pack: $0.pack) })
        guard Set(packs.map(\.pack)).count == packs.count, files.count == packs.count else { return false }
        var total: Int64 = 0
        for pack in packs {
            let (sum, isTooLarge) = total.addingReportingOverflow(pack.bytes)
            guard !isTooLarge, sum <= Self.bytesLimit else { return false }
            total = sum
        }
        return format == 1
            || format == Self.presentFormat && checksum != nil && checksum == (try? ownChecksum())
    }

    /// No disk has as many.
    private static let bytesLimit: Int64 = 1 << 60

    private func ownChecksum() throws -> Digest256? {
        var bare = self
        bare.checksum = nil
        return Digest256(bytes: SHA256.hash(data: try bare.encoded()))
    }

    private func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(self)
    }

    /// Replaces the manifest at one stroke, and then the other copy of it.
    func write(in directory: String) throws {
        var whole = self
        whole.checksum = try ownChecksum()
        let bytes = Array(try whole.encoded())
        for name in [Self.name, Self.copyName] {
            let next = "\(directory)/\(name).next"
            PackFile.remove(next)
            guard let file = try PackFile(creating: next, header: bytes) else {
                throw StorageError.failure(errno: EEXIST, path: next)
            }
            try file.synchronize()
            guard rename(next, "\(directory)/\(name)") == 0 else {
                throw StorageError.failure(errno: errno, path: next)
            }
            try PackFile.synchronizeDirectory(directory)
        }
    }
}

extension MailFailure.Code {
    public static let backupUnreadable = Self("backup.unreadable")
    public static let backupDamaged = Self("backup.damaged")
    public static let backupMissing = Self("backup.missing")
}
