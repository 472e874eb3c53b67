import GRDB
public import MailModel
import Matcher

#if canImport(Glibc)
    import Glibc
#endif

/// The right of one process to work on an account, until it expires or is released.
public struct Lease: Sendable, Hashable {
    public let account: AccountID
    public let expiresAt: UnixTime
    /// Counts the leases of the account; an older one is void.
    let serial: Int64
    let holder: String
}

/// The answer to a claim.
public enum LeaseClaim: Sendable, Hashable {
    case granted(Lease)
    /// Another living process works on the account.
    case held(process: Int32, until: UnixTime)
}

extension Archive {
    /// Claims an account for this process. A lease whose process has died, however,
    /// is void at once; one that was not renewed in time is too.
    ///
    /// - Parameter seconds: how long it lasts without renewal.
    /// - Throws: `unknown.account`.
    public func claim(_ account: AccountID, forSeconds seconds: Int64 = 300) throws(MailFailure) -> LeaseClaim
    {
        let own = try locks.ownName()
        let time = now()
        return try write(.leaseClaimed) { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT holder, process, serial, expires_at FROM leases WHERE account = ?",
                arguments: [account.rawValue])
            var serial: Int64 = 1
            if let row {
                let holder: String = row[0]
                let expires = UnixTime(row[3])
                if expires > time, locks.isAlive(holder) {
                    return .held(process: row[1], until: expires)
                }
                serial = row[2] + 1
            } else {
                let exists = try Int64.fetchOne(
                    db, sql: "SELECT 1 FROM accounts WHERE id = ?", arguments: [account.rawValue])
                guard exists != nil else { throw Self.unknownAccount(account.description) }
            }
            let expires = time.advanced(bySeconds: seconds)
            try db.execute(
                sql: """
                    INSERT INTO leases(account, holder, process, serial, acquired_at, expires_at)
                    VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT(account) DO UPDATE SET holder = excluded.holder, process = excluded.process,
                        serial = excluded.serial, acquired_at = excluded.acquired_at,
                        expires_at = excluded.expires_at
                    """,
                arguments: [account.rawValue, own, getpid(), serial, time.rawValue, expires.rawValue])
            return .granted(Lease(account: account, expiresAt: expires, serial: serial, holder: own))
        }
    }

    /// - Throws: `lease.lost` when another process has the account by now.
    public func renew(_ lease: Lease, forSeconds seconds: Int64 = 300) throws(MailFailure) -> Lease {
        let expires = now().advanced(bySeconds: seconds)
        return try write(.leaseRenewed) { db in
            try db.execute(
                sql: "UPDATE leases SET expires_at = ? WHERE account = ? AND holder = ? AND serial = ?",
                arguments: [expires.rawValue, lease.account.rawValue, lease.holder, lease.serial])
            guard db.changesCount == 1 else {
                throw MailFailure(
                    .leaseLost, kind: .transient, "Another process has taken over the account",
                    remedy: "Nothing is lost; this process stops working on it.")
            }
            return Lease(
                account: lease.account, expiresAt: expires, serial: lease.serial, holder: lease.holder)
        }
    }

    /// Gives the account back; one that another process has by now stays with it.
    public func release(_ lease: Lease) throws(MailFailure) {
        try write(.leaseReleased) { db in
            // The row stays, so that the serial keeps counting.
            try db.execute(
                sql: "UPDATE leases SET expires_at = 0 WHERE account = ? AND holder = ? AND serial = ?",
                arguments: [lease.account.rawValue, lease.holder, lease.serial])
        }
    }
}
