import GRDB
import MailModel

/// Which version wrote a database, asked before anything is written to it.
enum SchemaVersion {
    static let newer = MailFailure(
        .archiveNewer, kind: .needsPerson, "The archive was written by a newer version of mailworker",
        remedy: "Install that version or a later one; nothing was changed.")

    /// Opening a database for writing writes to its file, so that this comes first. What cannot be read here
    /// is for the opening to say.
    ///
    /// - Throws: `archive.newer-schema`.
    static func demandNotNewer(_ database: String) throws(MailFailure) {
        var configuration = Configuration()
        configuration.readonly = true
        guard let queue = try? DatabaseQueue(path: database, configuration: configuration) else { return }
        let isNewer = try? queue.read { try Schema.migrator.hasBeenSuperseded($0) }
        try? queue.close()
        if isNewer == true { throw newer }
    }
}
