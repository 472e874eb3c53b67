import GRDB
import MailModel

/// The rows of one folder under one UIDVALIDITY, of which some stand for other messages than the server's UIDs do.
struct LedgerPlace {
    private let keepRow, displace, moveMarks, drop, lastDisplaced, void: PreparedStatement
    private let time: UnixTime

    init(_ db: Database, folder: FolderID, _ uidValidity: UIDValidity, at time: UnixTime) throws {
        self.time = time
        let place = "WHERE folder = ?1 AND uidvalidity = ?2 AND uid = ?3"
        keepRow = try PreparedStatement(db, "UPDATE ledger SET vanished_at = NULL \(place)")
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
        void = try PreparedStatement(
            db,
            """
            DELETE FROM sweeps WHERE folder = ?1 AND uidvalidity = ?2 AND swept_at <> \(LedgerFacts.inDoubt)
            """)
        lastDisplaced.bind(1, folder.rawValue)
        for statement in [keepRow, displace, moveMarks, drop, void] {
            statement.bind(1, folder.rawValue)
            statement.bind(2, Int64(uidValidity.rawValue))
        }
    }

    /// The UID is listed again with the message of its row.
    func keep(_ uid: UID) throws {
        keepRow.bind(3, Int64(uid.rawValue))
        try keepRow.run()
    }

    /// The UID has no row any more; that of a message is kept under no UID of the server.
    func makeRoom(for uid: UID, hasMessage: Bool) throws {
        for statement in [displace, moveMarks, drop] { statement.bind(3, Int64(uid.rawValue)) }
        guard hasMessage else { return try drop.run() }
        let next = try (lastDisplaced.first { $0.int64(0) } ?? 0) + 1
        displace.bind(4, next)
        displace.bind(5, time.rawValue)
        try displace.run()
        moveMarks.bind(4, next)
        try moveMarks.run()
    }

    /// Until what has made room is fetched the ledger has gaps, which counts need not show.
    func voidSweep() throws { try void.run() }
}
