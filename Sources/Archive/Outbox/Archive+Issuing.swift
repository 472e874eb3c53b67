import Crypto
import Foundation
public import MailModel

extension Archive {
    /// The secret of this installation for the Message-IDs that it issues: who refers to one has seen mail
    /// that was really sent from here. Made at the first use; sealed like every other secret.
    ///
    /// - Throws: `key.missing` for an archive that was opened without its key.
    public func issuingKey() throws(MailFailure) -> [UInt8] {
        guard let key else { throw SecretKey.missing }
        let context = "message-id-key"
        func stored() throws(MailFailure) -> [UInt8]? {
            try read { db in
                try PreparedStatement(db, "SELECT value FROM settings WHERE name = 'message-id-key'")
                    .first { $0.bytes(0) }
            }
        }
        if let sealed = try stored() { return try key.open(sealed, for: context) }
        let fresh = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        let sealed = try key.seal(fresh, for: context)
        // Another process may be first; its key is the one that counts.
        try writeUnaudited { db in
            let insert = try PreparedStatement(
                db, "INSERT OR IGNORE INTO settings(name, value) VALUES ('message-id-key', ?)")
            try insert.bind(1, sealed)
            try insert.run()
        }
        guard let kept = try stored() else { throw SecretKey.missing }
        return try key.open(kept, for: context)
    }

    /// The mail that was queued under an idempotency key; nil when there is none.
    ///
    /// - Parameter request: what is asked for under it now; nil for whatever it is.
    /// - Throws: `send.key-reused` when it is something else.
    public func outboxReceipt(
        forKey key: String, of request: AskedMail? = nil
    ) throws(MailFailure) -> OutboxReceipt? {
        try read { db, sight in
            let query = try PreparedStatement(
                db,
                """
                SELECT o.id, o.message_id, o.state, o.request_digest FROM outbox o
                JOIN accounts a ON a.id = o.account
                WHERE o.idempotency_key IN (?, ?) AND \(sight.maySend(through: "a"))
                """)
            try query.bind(1, key)
            try query.bind(2, OutboxKey(text: key).digest)
            return try query.first { row in
                let item = OutboxID(rawValue: row.int64(0))
                try Self.demand(request, isThatOf: item, digest: row.isNull(3) ? nil : Data(row.bytes(3)))
                return OutboxReceipt(
                    item: item, messageID: MessageID(rawValue: row.text(1)),
                    state: OutboxState(rawValue: row.text(2)) ?? .queued, wasThere: true)
            }
        }
    }

    /// The addresses under which a user may send: their own, and those of their mailboxes.
    public func sendingIdentities(of account: Account) throws(MailFailure) -> [EmailAddress] {
        try read { db in
            let query = try PreparedStatement(
                db,
                """
                SELECT email FROM accounts WHERE id = ?1 AND email IS NOT NULL
                UNION SELECT email FROM accounts WHERE user = ?2 AND email IS NOT NULL AND kind = 'mailbox'
                UNION SELECT email FROM users WHERE id = ?2 AND email IS NOT NULL
                """)
            query.bind(1, account.id.rawValue)
            query.bind(2, account.settings.user?.rawValue)
            var found: [EmailAddress] = []
            try query.forEachRow { row in
                if let address = Self.address(row.text(0)) { found.append(address) }
            }
            return found
        }
    }
}
