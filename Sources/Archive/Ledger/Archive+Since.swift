import GRDB
public import MailModel

/// Mail from before the date at which an account begins.
extension Archive {
    /// Gives messages that are older than an account wants their rows, without their content.
    ///
    /// - Parameter since: the date by which they are. Rows by a date that is no longer the account's would stay for good,
    ///   and a person has asked for these messages meanwhile: none is written.
    /// - Throws: `settings-changed`.
    public func recordOlder(
        _ uids: [UnfetchedUID], than since: UnixTime, in folder: FolderID, _ uidValidity: UIDValidity
    ) throws(MailFailure) {
        guard !uids.isEmpty else { return }
        let time = now()
        try write(.unfetchedRecorded) { db in
            let present = try Int64.fetchOne(
                db, sql: "SELECT a.since FROM folders f JOIN accounts a ON a.id = f.account WHERE f.id = ?",
                arguments: [folder.rawValue])
            guard present == since.rawValue else {
                throw MailFailure(
                    .settingsChanged, kind: .transient,
                    "The account's starting date was changed during the poll",
                    remedy: "Nothing is lost: the next poll goes on with the new one.")
            }
            try Self.insert(uids, in: folder, uidValidity, at: time, db)
        }
    }

    /// Forgets rows of messages that count as older than the account wants, and are not by its present date: the folder is
    /// compared now, and finds that they are missing.
    ///
    /// - Parameter since: nil: the account wants all mail.
    public func forgetOlder(
        from since: UnixTime?, among listed: UIDSet, in folder: FolderID, _ uidValidity: UIDValidity
    ) throws(MailFailure) {
        try forgetUnfetched(
            among: listed, in: folder, uidValidity,
            where: "state = 'ignored' AND reason = ? AND internal_date >= coalesce(?, internal_date)",
            [UnfetchedReason.beforeSince.reason, since?.rawValue])
    }

    /// Takes rows without content away, so that their messages are fetched as if they were new.
    ///
    /// - Parameters:
    ///   - listed: what the server has of the folder; rows of other messages stay.
    ///   - condition: which of the folder's rows, in SQL.
    func forgetUnfetched(
        among listed: UIDSet, in folder: FolderID, _ uidValidity: UIDValidity, where condition: String,
        _ arguments: StatementArguments
    ) throws(MailFailure) {
        func forgotten(_ db: Database) throws -> UIDSet {
            let uids = try Int64.fetchAll(
                db,
                sql: """
                    SELECT uid FROM ledger
                    WHERE folder = ? AND uidvalidity = ? AND message IS NULL AND \(condition)
                    """, arguments: [folder.rawValue, Int64(uidValidity.rawValue)] + arguments)
            return UIDSet(uids.map { UID(UInt32(clamping: $0)) }).intersection(listed)
        }
        guard try !read({ try forgotten($0).isEmpty }) else { return }
        let time = now()
        try write(.listedRecorded) { db in
            let place = try LedgerPlace(db, folder: folder, uidValidity, at: time)
            // Asked again: another process may have filled a row meanwhile.
            for uid in try forgotten(db).uids { try place.makeRoom(for: uid, hasMessage: false) }
            try place.voidSweep()
        }
    }
}

extension MailFailure.Code {
    /// What was about to be done rests on settings that a person has changed meanwhile.
    public static let settingsChanged = Self("settings-changed")
}
