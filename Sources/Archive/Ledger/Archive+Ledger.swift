import GRDB
public import MailModel
import Matcher

/// What a folder is for.
public enum FolderRole: String, Sendable, Codable, CaseIterable {
    case inbox, sent, other
}

/// A folder that mail was fetched from.
public struct Folder: Sendable, Hashable {
    public var id: FolderID
    public var account: AccountID
    public var name: FolderName
    public var role: FolderRole
}

/// What the ledger says about one folder in one UIDVALIDITY.
public struct LedgerFacts: Sendable, Hashable {
    /// UIDs that the folder still listed when it was last looked at, withheld ones included.
    public var presentCount: Int
    /// The highest UID that is known, whatever became of it.
    public var highestUID: UID?
    /// When all UIDs were last compared with the server's list.
    public var lastFullSweep: UnixTime?
    /// The account leads to another server since: any UID may stand for another message.
    public var isInDoubt: Bool { lastFullSweep?.rawValue == Self.inDoubt }

    /// In the place of the last sweep's time; only a whole sweep takes it away.
    static let inDoubt: Int64 = 0
}

/// Why a UID has a ledger row without having been fetched.
public enum UnfetchedReason: Sendable, Hashable {
    /// It vanished before it could be fetched.
    case gone
    case tooLarge(limit: Int)
    /// It arrived before the account's starting date.
    case beforeSince

    var state: LedgerState {
        switch self {
        case .gone: .gone
        case .tooLarge: .tooLarge
        case .beforeSince: .ignored
        }
    }

    var reason: String? {
        switch self {
        case .gone: nil
        case .tooLarge(let limit): "larger than \(limit) bytes"
        case .beforeSince: "before the starting date"
        }
    }
}

/// A UID that was not fetched.
public struct UnfetchedUID: Sendable, Hashable {
    public var uid: UID
    public var reason: UnfetchedReason
    public var size: Int?
    public var internalDate: UnixTime?

    public init(uid: UID, reason: UnfetchedReason, size: Int? = nil, internalDate: UnixTime? = nil) {
        self.uid = uid
        self.reason = reason
        self.size = size
        self.internalDate = internalDate
    }
}

extension Archive {
    /// The folder of that name, made when it is new. A role other than `other`
    /// replaces what was known.
    public func folder(
        account: AccountID, name: FolderName, role: FolderRole = .other
    ) throws(MailFailure) -> FolderID {
        try write(.folderRecorded) { db in
            try db.execute(
                sql: """
                    INSERT INTO folders(account, name, role) VALUES (?1, ?2, ?3)
                    ON CONFLICT(account, name) DO UPDATE SET role = excluded.role
                        WHERE excluded.role <> 'other'
                    """, arguments: [account.rawValue, name.rawValue, role.rawValue])
            let id = try Int64.fetchOne(
                db, sql: "SELECT id FROM folders WHERE account = ? AND name = ?",
                arguments: [account.rawValue, name.rawValue])
            guard let id else { throw Self.unknownAccount(account.description) }
            return FolderID(rawValue: id)
        }
    }

    /// The folders that mail was fetched from, by name.
    public func folders(of account: AccountID) throws(MailFailure) -> [Folder] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT id, account, name, role FROM folders WHERE account = ? ORDER BY name",
                arguments: [account.rawValue]
            ).map { row in
                Folder(
                    id: FolderID(rawValue: row[0]), account: AccountID(rawValue: row[1]),
                    name: FolderName(row[2] as String), role: FolderRole(rawValue: row[3]) ?? .other)
            }
        }
    }

    /// The facts that a sync plan starts from. Derived from the rows each time, so
    /// that no cursor can run ahead of what is stored.
    public func ledgerFacts(
        _ folder: FolderID, _ uidValidity: UIDValidity
    ) throws(MailFailure) -> LedgerFacts {
        let place: StatementArguments = [folder.rawValue, Int64(uidValidity.rawValue)]
        return try read { db in
            let present = try Int.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM ledger
                    WHERE folder = ? AND uidvalidity = ? AND vanished_at IS NULL
                    """, arguments: place)
            var highest = try Int64.fetchOne(
                db, sql: "SELECT max(uid) FROM ledger WHERE folder = ? AND uidvalidity = ?", arguments: place)
            // A withheld message is known, and not missed by each poll.
            let withheld = try Row.fetchOne(
                db, sql: "SELECT count(*), max(uid) FROM withheld WHERE folder = ? AND uidvalidity = ?",
                arguments: place)
            if let last = withheld?[1] as Int64? { highest = max(highest ?? 0, last) }
            let swept = try Int64.fetchOne(
                db, sql: "SELECT swept_at FROM sweeps WHERE folder = ? AND uidvalidity = ?", arguments: place)
            return LedgerFacts(
                presentCount: (present ?? 0) + (withheld?[0] ?? 0),
                highestUID: highest.map { UID(UInt32(clamping: $0)) },
                lastFullSweep: Self.time(swept))
        }
    }

    /// Whether anything was ever recorded of the folder, under whatever UIDVALIDITY.
    public func hasLedger(of folder: FolderID) throws(MailFailure) -> Bool {
        try read { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT 1 WHERE EXISTS (SELECT 1 FROM ledger WHERE folder = ?1)
                        OR EXISTS (SELECT 1 FROM sweeps WHERE folder = ?1)
                    """, arguments: [folder.rawValue]) != nil
        }
    }

    /// Under how many other UIDVALIDITIES the folder was read since that time.
    public func otherEpochs(
        of folder: FolderID, than uidValidity: UIDValidity, since time: UnixTime
    ) throws(MailFailure) -> Int {
        try read { db in
            try Int.fetchOne(
                db,
                sql: """
                    WITH RECURSIVE epochs(validity) AS (
                        SELECT min(uidvalidity) FROM ledger WHERE folder = ?1
                        UNION ALL
                        SELECT (SELECT min(uidvalidity) FROM ledger WHERE folder = ?1 AND uidvalidity > validity)
                        FROM epochs WHERE validity IS NOT NULL)
                    SELECT count(*) FROM epochs
                    WHERE validity IS NOT NULL AND validity NOT IN (\(Self.displacedValidity), ?2)
                        AND (SELECT recorded_at FROM ledger WHERE folder = ?1 AND uidvalidity = validity
                            ORDER BY uid DESC LIMIT 1) > ?3
                    """, arguments: [folder.rawValue, Int64(uidValidity.rawValue), time.rawValue]) ?? 0
        }
    }

    /// Every UID that has a row, vanished ones included.
    ///
    /// - Parameter first: below which nothing is asked for.
    public func knownUIDs(
        _ folder: FolderID, _ uidValidity: UIDValidity, from first: UID = UID(0)
    ) throws(MailFailure) -> UIDSet {
        try recordedUIDs(folder, uidValidity, from: first).known
    }

    /// Every UID that has a row, and those of them that the folder still listed when it was last looked at, in
    /// one pass over the ledger.
    public func recordedUIDs(
        _ folder: FolderID, _ uidValidity: UIDValidity, from first: UID = UID(0)
    ) throws(MailFailure) -> (known: UIDSet, present: UIDSet) {
        try read { db in
            let query = try PreparedStatement(
                db,
                """
                SELECT uid, vanished_at IS NULL FROM ledger
                WHERE folder = ? AND uidvalidity = ? AND uid >= ? ORDER BY uid
                """)
            query.bind(1, folder.rawValue)
            query.bind(2, Int64(uidValidity.rawValue))
            query.bind(3, Int64(first.rawValue))
            var (known, present) = (AscendingRanges(), AscendingRanges())
            try query.forEachRow { row in
                let uid = UInt32(clamping: row.int64(0))
                known.append(uid)
                if row.int64(1) != 0 { present.append(uid) }
            }
            return (UIDSet(ranges: known.ranges), UIDSet(ranges: present.ranges))
        }
    }

    /// Joins numbers that come in ascending order.
    private struct AscendingRanges {
        var ranges: [ClosedRange<UInt32>] = []

        mutating func append(_ uid: UInt32) {
            if let last = ranges.last, last.upperBound &+ 1 == uid, uid != 0 {
                ranges[ranges.count - 1] = last.lowerBound...uid
            } else {
                ranges.append(uid...uid)
            }
        }
    }

    /// Notes that the folder lists these UIDs no longer; their rows and messages stay.
    ///
    /// - Returns: how many were listed until now.
    @discardableResult
    public func markVanished(
        _ uids: UIDSet, in folder: FolderID, _ uidValidity: UIDValidity
    ) throws(MailFailure) -> Int {
        guard !uids.isEmpty else { return 0 }
        let time = now()
        return try write(.vanishedRecorded) { db in
            let update = try PreparedStatement(
                db,
                """
                UPDATE ledger SET vanished_at = ?
                WHERE folder = ? AND uidvalidity = ? AND uid BETWEEN ? AND ? AND vanished_at IS NULL
                """)
            let before = db.totalChangesCount
            for range in uids.ranges {
                update.bind(1, time.rawValue)
                update.bind(2, folder.rawValue)
                update.bind(3, Int64(uidValidity.rawValue))
                update.bind(4, Int64(range.lowerBound))
                update.bind(5, Int64(range.upperBound))
                try update.run()
            }
            return db.totalChangesCount - before
        }
    }

    /// Gives rows to UIDs that were seen and are not going to be fetched. A UID that
    /// has a row keeps it.
    public func recordUnfetched(
        _ uids: [UnfetchedUID], in folder: FolderID, _ uidValidity: UIDValidity
    ) throws(MailFailure) {
        guard !uids.isEmpty else { return }
        let time = now()
        try write(.unfetchedRecorded) { db in
            try Self.insert(uids, in: folder, uidValidity, at: time, db)
        }
    }

    static func insert(
        _ uids: [UnfetchedUID], in folder: FolderID, _ uidValidity: UIDValidity, at time: UnixTime,
        _ db: Database
    ) throws {
        let insert = try PreparedStatement(
            db,
            """
            INSERT INTO ledger(folder, uidvalidity, uid, state, reason, size, internal_date, recorded_at,
                vanished_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """)
        for one in uids {
            insert.bind(1, folder.rawValue)
            insert.bind(2, Int64(uidValidity.rawValue))
            insert.bind(3, Int64(one.uid.rawValue))
            try insert.bind(4, one.reason.state.rawValue)
            try insert.bind(5, one.reason.reason)
            insert.bind(6, one.size.map { Int64($0) })
            insert.bind(7, one.internalDate?.rawValue)
            insert.bind(8, time.rawValue)
            insert.bind(9, one.reason == .gone ? time.rawValue : nil)
            try insert.run()
        }
    }

    /// Takes the note of the last full sweep back: from here on the ledger of the folder may have gaps,
    /// until it is noted anew.
    public func voidSweep(_ folder: FolderID, _ uidValidity: UIDValidity) throws(MailFailure) {
        try write(.sweepVoided) { db in
            try db.execute(
                sql: """
                    DELETE FROM sweeps
                    WHERE folder = ? AND uidvalidity = ? AND swept_at <> \(LedgerFacts.inDoubt)
                    """,
                arguments: [folder.rawValue, Int64(uidValidity.rawValue)])
        }
    }

    /// Notes that all UIDs were compared with the server's list at that time.
    public func noteSweep(
        _ folder: FolderID, _ uidValidity: UIDValidity, at time: UnixTime
    ) throws(MailFailure) {
        try write(.sweepRecorded) { db in
            try db.execute(
                sql: """
                    INSERT INTO sweeps(folder, uidvalidity, swept_at) VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET swept_at = excluded.swept_at
                    """, arguments: [folder.rawValue, Int64(uidValidity.rawValue), time.rawValue])
        }
    }

    /// Ledger rows by state over the whole archive.
    public func ledgerCounts() throws(MailFailure) -> [LedgerState: Int] {
        try read { db in
            var counts: [LedgerState: Int] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT state, count(*) FROM ledger GROUP BY state") {
                if let state = LedgerState(rawValue: row[0]) { counts[state] = row[1] }
            }
            return counts
        }
    }
}
