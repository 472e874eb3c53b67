import Foundation
public import MailModel

/// What a backup directory holds: written last, so that a backup without it is none, and one
/// that was interrupted is still the one before.
struct BackupManifest: Codable {
    struct Pack: Codable {
        var pack: Int64
        /// The bytes that belong to the backup; what lies behind them is a later one's beginning.
        var bytes: Int64
        /// The chain's hash at that place.
        var chain: String
    }

    static let name = "manifest.json"

    var format = 1
    var madeAt: UnixTime
    var database: String
    var databaseSHA256: Digest256
    var packs: [Pack]

    private enum CodingKeys: String, CodingKey {
        case format
        case madeAt = "made_at"
        case database
        case databaseSHA256 = "database_sha256"
        case packs
    }

    /// Nil when there is none.
    static func read(in directory: String) throws(MailFailure) -> BackupManifest? {
        let path = "\(directory)/\(name)"
        let data: Data
        do throws(MailFailure) {
            let file = try PackFile(reading: path)
            data = Data(try file.read(Int(file.size()), at: 0))
        } catch {
            // One that is there and cannot be read is not none.
            if error.code == .archiveMissing { return nil }
            throw error
        }
        guard let manifest = try? JSONDecoder().decode(BackupManifest.self, from: data),
            manifest.format == 1, !manifest.database.contains("/")
        else {
            throw MailFailure(
                .backupUnreadable, kind: .needsPerson, "The backup's manifest cannot be read",
                detail: "\(directory)/\(name)",
                remedy: "It is damaged, or was made by a newer version: use another backup, or that version.")
        }
        return manifest
    }

    /// Replaces the manifest at one stroke.
    func write(in directory: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let next = "\(directory)/\(Self.name).next"
        PackFile.remove(next)
        guard let file = try PackFile(creating: next, header: Array(encoder.encode(self))) else {
            throw StorageError.failure(errno: EEXIST, path: next)
        }
        try file.synchronize()
        guard rename(next, "\(directory)/\(Self.name)") == 0 else {
            throw StorageError.failure(errno: errno, path: next)
        }
        try PackFile.synchronizeDirectory(directory)
    }
}

extension MailFailure.Code {
    public static let backupUnreadable = Self("backup.unreadable")
    public static let backupDamaged = Self("backup.damaged")
    public static let backupMissing = Self("backup.missing")
}
