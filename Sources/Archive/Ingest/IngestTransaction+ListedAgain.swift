import GRDB
import MailModel

extension IngestTransaction {
    /// Whether the ledger has this UID with this message.
    ///
    /// A row that counts as vanished, and whose UID was fetched again, is settled by what came: the same bytes are
    /// listed again, and any others are another message, for which it makes room.
    func isKnown(_ arrival: Arrival, _ uid: UID) throws -> Bool {
        let query = statements.isRecorded
        bindPlace(query, arrival, uid)
        let row = try query.first { row in
            (hasVanished: row.int64(0) != 0, hasMessage: row.int64(1) != 0, digest: row.bytes(2))
        }
        guard let row else { return false }
        guard row.hasVanished else { return true }
        let place = try LedgerPlace(db, folder: arrival.folder, arrival.uidValidity, at: time)
        if row.digest == arrival.originalDigest.bytes {
            try place.keep(uid)
            return true
        }
        try place.makeRoom(for: uid, hasMessage: row.hasMessage)
        return false
    }
}
