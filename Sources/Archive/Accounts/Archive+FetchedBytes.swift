import GRDB
public import MailModel

/// What was fetched of an account on the present day (UTC), for providers that allow so much a day.
extension Archive {
    /// - Returns: bytes of messages, stored or not.
    public func fetchedBytes(of account: AccountID) throws(MailFailure) -> Int64 {
        let day = Self.day(now())
        return try read { db in
            try Int64.fetchOne(
                db, sql: "SELECT bytes FROM fetched_bytes WHERE account = ? AND day = ?",
                arguments: [account.rawValue, day]) ?? 0
        }
    }

    public func noteFetched(_ bytes: Int64, of account: AccountID) throws(MailFailure) {
        let day = Self.day(now())
        try writeUnaudited(.attemptRecorded) { db in
            try db.execute(
                sql: """
                    INSERT INTO fetched_bytes(account, day, bytes) VALUES (?1, ?2, ?3)
                    ON CONFLICT(account) DO UPDATE SET day = ?2,
                        bytes = CASE day WHEN ?2 THEN bytes ELSE 0 END + ?3
                    """, arguments: [account.rawValue, day, bytes])
        }
    }

    private static func day(_ time: UnixTime) -> Int64 { time.rawValue / 86_400 }
}
