import GRDB
public import MailModel

extension Archive {
    /// The withheld messages of one folder, by UID.
    public func withheld(
        _ folder: FolderID, _ uidValidity: UIDValidity
    ) throws(MailFailure) -> [WithheldMessage] {
        try withheld(
            where: "w.folder = ? AND w.uidvalidity = ?", [folder.rawValue, Int64(uidValidity.rawValue)],
            limit: nil)
    }

    /// The withheld messages of an account, by folder and UID.
    public func withheld(
        of account: AccountID, limit: Int? = nil
    ) throws(MailFailure) -> [WithheldMessage] {
        try withheld(where: "f.account = ?", [account.rawValue], limit: limit)
    }

    /// How many messages of an account are withheld.
    public func withheldCount(of account: AccountID) throws(MailFailure) -> Int {
        try read { db in
            try Int.fetchOne(
                db,
                sql:
                    "SELECT count(*) FROM withheld WHERE folder IN (SELECT id FROM folders WHERE account = ?)",
                arguments: [account.rawValue]) ?? 0
        }
    }

    private func withheld(
        where condition: String, _ arguments: StatementArguments, limit: Int?
    ) throws(MailFailure) -> [WithheldMessage] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT w.folder, f.name, w.uidvalidity, w.uid, w.attempts, w.first_at, w.last_at, w.next_try,
                        w.size, w.code, w.summary, w.detail
                    FROM withheld w JOIN folders f ON f.id = w.folder
                    WHERE \(condition) ORDER BY f.name, w.uidvalidity, w.uid LIMIT ?
                    """, arguments: arguments + [limit ?? -1]
            ).map { row in
                WithheldMessage(
                    folder: FolderID(rawValue: row[0]), folderName: FolderName(row[1] as String),
                    uidValidity: UIDValidity(UInt32(clamping: row[2] as Int64)),
                    uid: UID(UInt32(clamping: row[3] as Int64)), attempts: row[4],
                    firstAttempt: UnixTime(row[5]), lastAttempt: UnixTime(row[6]), nextTry: UnixTime(row[7]),
                    size: row[8],
                    failure: MailFailure(
                        MailFailure.Code(row[9]), kind: .transient, row[10] as String, detail: row[11],
                        remedy: "The others are fetched; this one is asked for again by itself."))
            }
        }
    }

    /// Gives withheld messages of any other UIDVALIDITY their row as gone: what is still in the folder has
    /// another UID now.
    public func endWithheld(of folder: FolderID, before uidValidity: UIDValidity) throws(MailFailure) {
        let old = try withheld(
            where: "w.folder = ? AND w.uidvalidity <> ?", [folder.rawValue, Int64(uidValidity.rawValue)],
            limit: nil)
        for (validity, messages) in Dictionary(grouping: old, by: \.uidValidity) {
            try recordUnfetched(
                messages.map { UnfetchedUID(uid: $0.uid, reason: .gone) }, in: folder, validity)
        }
    }

    /// Withheld messages that are kept of one folder: each poll reads them all.
    public static let withheldInFolder = 10_000

    /// Notes tries that failed. A message that has its ledger row by now is none of them.
    ///
    /// - Parameters:
    ///   - countsAsTry: false for one that has brought a part of the message; the first counts all the same.
    ///   - pause: the seconds until the next try, told how many there were with this one.
    /// - Returns: how many were not noted because the folder has `withheldInFolder` already; they count as missing still.
    @discardableResult
    public func noteWithheld(
        _ failed: [FailedFetch], in folder: FolderID, _ uidValidity: UIDValidity, countsAsTry: Bool = true,
        pause: (_ attempts: Int, _ failure: MailFailure) -> Int64
    ) throws(MailFailure) -> Int {
        guard !failed.isEmpty else { return 0 }
        let time = now()
        return try write(.withheldRecorded) { db in
            let known =
                try Int.fetchOne(
                    db, sql: "SELECT count(*) FROM withheld WHERE folder = ?", arguments: [folder.rawValue])
                ?? 0
            var room = Self.withheldInFolder - known
            var left = 0
            let attempts = try PreparedStatement(
                db, "SELECT attempts FROM withheld WHERE folder = ? AND uidvalidity = ? AND uid = ?")
            let upsert = try PreparedStatement(
                db,
                """
                INSERT INTO withheld(folder, uidvalidity, uid, attempts, first_at, last_at, next_try, size, code,
                    summary, detail)
                SELECT ?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10
                WHERE NOT EXISTS (SELECT 1 FROM ledger WHERE folder = ?1 AND uidvalidity = ?2 AND uid = ?3)
                ON CONFLICT DO UPDATE SET attempts = excluded.attempts, last_at = excluded.last_at,
                    next_try = excluded.next_try, size = coalesce(excluded.size, size), code = excluded.code,
                    summary = excluded.summary, detail = excluded.detail
                """)
            for one in failed {
                let place = [folder.rawValue, Int64(uidValidity.rawValue), Int64(one.uid.rawValue)]
                for (index, value) in place.enumerated() {
                    attempts.bind(Int32(index + 1), value)
                    upsert.bind(Int32(index + 1), value)
                }
                let before = try attempts.first { $0.int64(0) }
                if before == nil {
                    guard room > 0 else {
                        left += 1
                        continue
                    }
                    room -= 1
                }
                let count = before.map { countsAsTry ? $0 + 1 : $0 } ?? 1
                upsert.bind(4, count)
                upsert.bind(5, time.rawValue)
                upsert.bind(6, time.advanced(bySeconds: pause(Int(count), one.failure)).rawValue)
                upsert.bind(7, one.size.map { Int64($0) })
                try upsert.bind(8, one.failure.code.rawValue)
                try upsert.bind(9, one.failure.summary)
                try upsert.bind(10, one.failure.detail)
                try upsert.run()
            }
            return left
        }
    }

    /// Has an account's withheld messages asked for by its next poll.
    /// - Returns: how many there are.
    @discardableResult
    public func hastenWithheld(of account: AccountID) throws(MailFailure) -> Int {
        let time = now()
        return try write { db in
            try db.execute(
                sql: """
                    UPDATE withheld SET next_try = min(next_try, ?)
                    WHERE folder IN (SELECT id FROM folders WHERE account = ?)
                    """, arguments: [time.rawValue, account.rawValue])
            return db.changesCount
        }
    }
}
