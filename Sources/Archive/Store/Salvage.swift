import CPageSums
import GRDB

/// A connection to what is left of a database: where its disk cannot read a page, zeros are read. For copying it, and for
/// naming what is lost; nothing that it reads may be taken for what was stored.
enum Salvage {
    static func connection(to database: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(Double(Archive.busySeconds))
        configuration.prepareDatabase { db in
            try Archive.prepare(db)
            let code = mw_salvage(db.sqliteConnection)
            guard code == 0 else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
        }
        return try DatabaseQueue(path: database, configuration: configuration)
    }

    /// The pages that the connection could not read so far, and those that were nothing but zeros.
    static func lostPages(_ db: Database) -> Set<UInt32> {
        guard let connection = db.sqliteConnection else { return [] }
        var pages = [UInt32](repeating: 0, count: mw_salvaged(connection, nil, 0))
        let count = mw_salvaged(connection, &pages, pages.count)
        return Set(pages.prefix(count))
    }
}
