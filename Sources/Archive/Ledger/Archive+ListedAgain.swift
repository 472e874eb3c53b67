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
    /// UIDs that have no row any more, and are to be fetched as if they were new.
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
    /// - Parameter uids: those in question; of one that is not among `told` nothing is known.
    public func compare(
        _ told: [ListedAgain], of uids: UIDSet, in folder: FolderID, _ uidValidity: UIDValidity
    ) throws(MailFailure) -> ListedAgainOutcome {
        guard !uids.isEmpty else { return ListedAgainOutcome() }
        let told = Dictionary(told.map { ($0.uid, $0) }) { first, _ in first }
        let time = now()
        return try write(.listedRecorded) { db in
            let statements = try ListedAgainStatements(db, folder, uidValidity, at: time)
            var (toFetch, reused): ([UID], [UID]) = ([], [])
            for uid in uids.uids {
                switch try statements.settle(uid, told[uid]) {
                case .same: break
                case .unknown: toFetch.append(uid)
                case .other:
                    toFetch.append(uid)
                    reused.append(uid)
                }
            }
            // Until they are fetched the ledger has gaps, which counts need not show.
            if !toFetch.isEmpty { try statements.voidSweep() }
            return ListedAgainOutcome(toFetch: UIDSet(toFetch), reused: UIDSet(reused))
        }
    }
}

private struct ListedAgainStatements {
    enum Verdict { case same, unknown, other }

    private let row, keep, displace, moveMarks, drop, lastDisplaced, void: PreparedStatement
    private let time: UnixTime

    init(_ db: Database, _ folder: FolderID, _ uidValidity: UIDValidity, at time: UnixTime) throws {
        self.time = time
        let place = "WHERE folder = ?1 AND uidvalidity = ?2 AND uid = ?3"
        row = try PreparedStatement(
            db, "SELECT size, internal_date, message IS NOT NULL, state = 'gone' FROM ledger \(place)")
        keep = try PreparedStatement(db, "UPDATE ledger SET vanished_at = NULL \(place)")
        displace = try PreparedStatement(
            db,
            """
            UPDATE ledger SET uidvalidity = \(Archive.displacedValidity), uid = ?4,
                vanished_at = coalesce(vanished_at, ?5) \(place)
            """)
        moveMarks = try PreparedStatement(
            db,
            "UPDATE gmail_marks SET uidvalidity = \(Archive.displacedValidity), uid = ?4 \(place)")
        drop = try PreparedStatement(db, "DELETE FROM ledger \(place)")
        lastDisplaced = try PreparedStatement(
            db,
            """
            SELECT coalesce(max(uid), 0) FROM ledger
            WHERE folder = ? AND uidvalidity = \(Archive.displacedValidity)
            """)
        void = try PreparedStatement(db, "DELETE FROM sweeps WHERE folder = ?1 AND uidvalidity = ?2")
        lastDisplaced.bind(1, folder.rawValue)
        for statement in [row, keep, displace, moveMarks, drop, void] {
            statement.bind(1, folder.rawValue)
            statement.bind(2, Int64(uidValidity.rawValue))
        }
    }

    func settle(_ uid: UID, _ told: ListedAgain?) throws -> Verdict {
        for statement in [row, keep, displace, moveMarks, drop] { statement.bind(3, Int64(uid.rawValue)) }
        let known = try row.first { row in
            (
                size: row.isNull(0) ? nil : row.int64(0), date: row.isNull(1) ? nil : row.int64(1),
                hasMessage: row.int64(2) != 0, isGone: row.int64(3) != 0
            )
        }
        guard let known else { return .unknown }
        let verdict: Verdict
        if !known.isGone, let told, let size = known.size, let date = told.internalDate?.rawValue,
            let knownDate = known.date
        {
            verdict = size == Int64(told.size) && date == knownDate ? .same : .other
        } else {
            verdict = .unknown
        }
        if verdict == .same {
            try keep.run()
        } else if known.hasMessage {
            let next = try (lastDisplaced.first { $0.int64(0) } ?? 0) + 1
            displace.bind(4, next)
            displace.bind(5, time.rawValue)
            try displace.run()
            moveMarks.bind(4, next)
            try moveMarks.run()
        } else {
            try drop.run()
        }
        return verdict
    }

    func voidSweep() throws { try void.run() }
}
