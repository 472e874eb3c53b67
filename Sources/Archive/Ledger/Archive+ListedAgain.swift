import GRDB
public import MailModel

/// What a server says of a UID whose ledger row may be about another message.
public struct ListedAgain: Sendable, Hashable {
    public var uid: UID
    public var size: Int
    public var internalDate: UnixTime?

    public init(uid: UID, size: Int, internalDate: UnixTime?) {
        self.uid = uid
        self.size = size
        self.internalDate = internalDate
    }
}

/// What comparing with the ledger has come to.
public struct ListedAgainOutcome: Sendable, Hashable {
    /// UIDs to be fetched as if they were new.
    public var toFetch = UIDSet()
    /// Those of them that stand for another message now, by its size or its arrival.
    public var reused = UIDSet()
}

extension Archive {
    /// The UIDVALIDITY, which no server has (RFC 9051, 2.3.1.1), of rows whose UID was given to another message.
    static let displacedValidity: Int64 = 0

    /// Compares UIDs that were thought to have gone, or may have been given out anew, with what the server says of
    /// them now.
    ///
    /// A row of the same size and arrival counts as listed again. Any other one makes room, so that its UID is
    /// fetched: a server that was set back to an earlier state gives the same UIDs to other messages, though
    /// RFC 9051 forbids it. What the row told of its message is kept, under no UID of the server.
    ///
    /// - Parameters:
    ///   - uids: those in question; of one that is not among `told` nothing is known.
    ///   - byContent: those of the vanished that are not certainly others are to be fetched too, and keep their rows
    ///     until what comes has settled whose they are (`ingest`).
    public func compare(
        _ told: [ListedAgain], of uids: UIDSet, in folder: FolderID, _ uidValidity: UIDValidity,
        byContent: Bool = false
    ) throws(MailFailure) -> ListedAgainOutcome {
        guard !uids.isEmpty else { return ListedAgainOutcome() }
        let told = Dictionary(told.map { ($0.uid, $0) }) { first, _ in first }
        let time = now()
        return try write(.listedRecorded) { db in
            let place = try LedgerPlace(db, folder: folder, uidValidity, at: time)
            let query = try PreparedStatement(
                db,
                """
                SELECT size, internal_date, message IS NOT NULL, vanished_at IS NOT NULL FROM ledger
                WHERE folder = ? AND uidvalidity = ? AND uid = ?
                """)
            query.bind(1, folder.rawValue)
            query.bind(2, Int64(uidValidity.rawValue))
            var (toFetch, reused): ([UID], [UID]) = ([], [])
            for uid in uids.uids {
                query.bind(3, Int64(uid.rawValue))
                let row = try query.first { row in
                    KnownRow(
                        size: row.optionalInt64(0), date: row.optionalInt64(1), hasMessage: row.int64(2) != 0,
                        hasVanished: row.int64(3) != 0)
                }
                let isSame = row?.isSame(as: told[uid])
                if isSame == false { reused.append(uid) }
                if let row, row.hasMessage, row.hasVanished, byContent, isSame != false {
                    toFetch.append(uid)
                } else if isSame == true {
                    try place.keep(uid)
                } else {
                    toFetch.append(uid)
                    try place.makeRoom(for: uid, hasMessage: row?.hasMessage == true)
                }
            }
            if !toFetch.isEmpty { try place.voidSweep() }
            return ListedAgainOutcome(toFetch: UIDSet(toFetch), reused: UIDSet(reused))
        }
    }
}

private struct KnownRow {
    var size: Int64?
    var date: Int64?
    var hasMessage: Bool
    var hasVanished: Bool

    /// Nil where it cannot be known.
    func isSame(as told: ListedAgain?) -> Bool? {
        guard let told, let size, let date, let toldDate = told.internalDate?.rawValue else { return nil }
        return size == Int64(told.size) && date == toldDate
    }
}
