import GRDB
public import MailModel

/// A message that stands in its folder and was not fetched, because it is larger than was allowed.
public struct TooLargeMessage: Sendable, Hashable {
    public var folderName: FolderName
    public var uidValidity: UIDValidity
    public var uid: UID
    /// In bytes, where the server told it.
    public var size: Int?
    /// Since when its row says so.
    public var recordedAt: UnixTime
    /// The limit of that time, in words.
    public var reason: String
}

extension Archive {
    /// Takes the rows of messages away that were too large once and would not be today, so that they are fetched as if
    /// they were new.
    ///
    /// - Parameters:
    ///   - limit: of today, in bytes.
    ///   - listed: what the server has of the folder; rows of other messages stay.
    public func forgetTooLarge(
        upTo limit: Int, among listed: UIDSet, in folder: FolderID, _ uidValidity: UIDValidity
    ) throws(MailFailure) {
        try forgetUnfetched(
            among: listed, in: folder, uidValidity, where: "state = 'too-large' AND size <= ?", [limit])
    }

    /// The messages of an account that were too large to be fetched, by folder and UID.
    public func tooLarge(
        of account: AccountID, limit: Int? = nil
    ) throws(MailFailure) -> [TooLargeMessage] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT f.name, l.uidvalidity, l.uid, l.size, l.recorded_at, l.reason
                    FROM folders f JOIN ledger l ON l.folder = f.id
                    WHERE f.account = ? AND l.state = 'too-large' AND l.vanished_at IS NULL
                    ORDER BY f.name, l.uidvalidity, l.uid LIMIT ?
                    """, arguments: [account.rawValue, limit ?? -1]
            ).map { row in
                TooLargeMessage(
                    folderName: FolderName(row[0] as String),
                    uidValidity: UIDValidity(UInt32(clamping: row[1] as Int64)),
                    uid: UID(UInt32(clamping: row[2] as Int64)), size: row[3], recordedAt: UnixTime(row[4]),
                    reason: row[5])
            }
        }
    }
}
