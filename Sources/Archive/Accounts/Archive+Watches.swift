import GRDB
public import MailModel

extension Archive {
    /// The mailboxes to be watched for new mail. One that could never be polled, or that a person must mend, is not
    /// among them: each try of a watch would be one more try of a password that is refused. One of whose folders only
    /// some fail is.
    ///
    /// Those that another living process watches are left out.
    public func watchedAccounts() throws(MailFailure) -> [AccountID: WatchedAccount] {
        let rows = try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT a.id, a.revision, a.last_success, a.imap_host, w.holder
                    FROM accounts a LEFT JOIN watch_holders w ON w.account = a.id
                    WHERE a.is_watched = 1 AND a.kind = 'mailbox' AND a.is_enabled = 1
                        AND a.state <> 'stopped' AND a.last_success IS NOT NULL
                        AND (a.state <> 'failing' OR a.failures = 0 OR a.error_kind NOT IN ('credential', 'needsPerson'))
                    """
            ).map { row in
                (
                    AccountID(rawValue: row["id"]), row["holder"] as String?,
                    WatchedAccount(
                        revision: row["revision"], lastSuccess: UnixTime(row["last_success"]),
                        host: row["imap_host"])
                )
            }
        }
        let others = Set(rows.compactMap(\.1)).filter { locks.isOther($0) }
        return Dictionary(
            uniqueKeysWithValues: rows.filter { row in row.1.map { !others.contains($0) } ?? true }.map {
                ($0.0, $0.2)
            })
    }

    /// Makes this process the one that watches these accounts, until it releases them or ends, however it ends.
    ///
    /// - Returns: those of which no other living process is it.
    public func claimWatches(of accounts: [AccountID]) throws(MailFailure) -> Set<AccountID> {
        guard !accounts.isEmpty else { return [] }
        let own = try locks.ownName()
        return try write(.leaseClaimed) { db in
            var claimed: Set<AccountID> = []
            for account in accounts {
                let holder = try String.fetchOne(
                    db, sql: "SELECT holder FROM watch_holders WHERE account = ?",
                    arguments: [account.rawValue])
                if let holder, locks.isOther(holder) { continue }
                try db.execute(
                    sql: """
                        INSERT INTO watch_holders(account, holder) VALUES (?, ?)
                        ON CONFLICT(account) DO UPDATE SET holder = excluded.holder
                        """, arguments: [account.rawValue, own])
                claimed.insert(account)
            }
            return claimed
        }
    }

    /// Leaves the accounts to whoever wants to watch them; what another process watches stays with it.
    public func releaseWatches(of accounts: [AccountID]) throws(MailFailure) {
        guard !accounts.isEmpty else { return }
        let own = try locks.ownName()
        try write(.leaseReleased) { db in
            for account in accounts {
                try db.execute(
                    sql: "DELETE FROM watch_holders WHERE account = ? AND holder = ?",
                    arguments: [account.rawValue, own])
            }
        }
    }
}
