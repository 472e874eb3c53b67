import GRDB
public import MailModel
import Matcher

extension Archive {
    /// The mailbox that the account has read so far; nil before the first poll.
    public func mailboxIdentity(of account: AccountID) throws(MailFailure) -> MailboxIdentity? {
        try read { db in
            try Row.fetchOne(
                db, sql: "SELECT login, host, server_name FROM mailbox_identities WHERE account = ?",
                arguments: [account.rawValue]
            ).map { row in
                let (host, port) = Self.place(row[1])
                return MailboxIdentity(login: row[0], host: host, port: port, serverName: row[2])
            }
        }
    }

    /// A host, and behind a stroke the port, which early rows have not.
    private static func place(_ text: String) -> (host: String, port: UInt16?) {
        guard let stroke = text.lastIndex(of: "/"), let port = UInt16(text[text.index(after: stroke)...])
        else {
            return (text, nil)
        }
        return (String(text[..<stroke]), port)
    }

    /// Whether mail of the account's INBOX was met under this UIDVALIDITY.
    public func hasInbox(_ validity: UIDValidity, of account: AccountID) throws(MailFailure) -> Bool {
        try read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS(
                        SELECT 1 FROM folders f JOIN ledger l ON l.folder = f.id
                        WHERE f.account = ? AND f.role = 'inbox' AND l.uidvalidity = ?)
                    """, arguments: [account.rawValue, Int64(validity.rawValue)]) ?? false
        }
    }

    /// Remembers which mailbox an account reads.
    public func note(_ identity: MailboxIdentity, of account: AccountID) throws(MailFailure) {
        let time = now()
        try write(.attemptRecorded) { db in
            try db.execute(
                sql: """
                    INSERT INTO mailbox_identities(account, login, host, server_name, noted_at)
                    VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET login = excluded.login, host = excluded.host,
                        server_name = excluded.server_name, noted_at = excluded.noted_at
                    """,
                arguments: [
                    account.rawValue, identity.login,
                    identity.port.map { "\(identity.host)/\($0)" } ?? identity.host, identity.serverName,
                    time.rawValue,
                ])
        }
    }

    /// A person says that the account's present login and server lead to the mailbox that was read so far, or to
    /// one that may be filed with it: the next poll remembers what it finds.
    ///
    /// UIDs of another server may stand for other messages, under the same UIDVALIDITY: many count from 1. Each folder is
    /// in doubt until a poll has compared all of its rows with what the server says of their UIDs.
    ///
    /// - Throws: `unknown.account`.
    public func confirmMailbox(of account: AccountID) throws(MailFailure) {
        try write { db in
            Act.concerns("account \(account)")
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO sweeps(folder, uidvalidity, swept_at)
                    SELECT DISTINCT folder, uidvalidity, \(LedgerFacts.inDoubt) FROM ledger
                    WHERE folder IN (SELECT id FROM folders WHERE account = ?)
                    """, arguments: [account.rawValue])
            try db.execute(
                sql: "DELETE FROM folder_marks WHERE folder IN (SELECT id FROM folders WHERE account = ?)",
                arguments: [account.rawValue])
            try db.execute(
                sql: "DELETE FROM mailbox_identities WHERE account = ?", arguments: [account.rawValue])
            try db.execute(
                sql: """
                    UPDATE accounts SET next_poll = NULL, failures = 0, refused_sign_ins = NULL, revision = revision + 1,
                        state = CASE state WHEN 'stopped' THEN 'new' ELSE state END
                    WHERE id = ?
                    """, arguments: [account.rawValue])
            guard db.changesCount == 1 else { throw Self.unknownAccount(account.description) }
        }
    }
}
