import GRDB
public import MailModel

extension Archive {
    /// Up to where the disappearances of a folder are noted; nil when nothing is known.
    public func mark(of folder: FolderID) throws(MailFailure) -> FolderMark? {
        try read { db in
            try Row.fetchOne(
                db, sql: "SELECT uidvalidity, mod_sequence FROM folder_marks WHERE folder = ?",
                arguments: [folder.rawValue]
            ).map { row in
                FolderMark(
                    uidValidity: UIDValidity(UInt32(clamping: row[0] as Int64)),
                    modSequence: UInt64(clamping: row[1] as Int64))
            }
        }
    }

    /// To be called once everything that had vanished up to the mark is noted.
    public func note(_ mark: FolderMark, of folder: FolderID) throws(MailFailure) {
        // RFC 7162 has mod-sequences of 63 bits.
        guard let sequence = Int64(exactly: mark.modSequence), sequence > 0 else { return }
        try write(.markRecorded) { db in
            try db.execute(
                sql: """
                    INSERT INTO folder_marks(folder, uidvalidity, mod_sequence) VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET uidvalidity = excluded.uidvalidity,
                        mod_sequence = excluded.mod_sequence
                    """, arguments: [folder.rawValue, Int64(mark.uidValidity.rawValue), sequence])
        }
    }
}
