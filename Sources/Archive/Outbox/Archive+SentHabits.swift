import GRDB
public import MailModel

/// What is known of who puts the copy of an account's sent mail into its Sent folder.
public struct SentHabit: Sendable, Hashable {
    /// The server that sends does; else we do.
    public var filesItself: Bool
    /// A mail that we appended ourselves because no copy had come, and from when on it is worth looking whether
    /// one has come after all.
    public var proof: MessageID?
    public var proofAfter: UnixTime?

    public init(filesItself: Bool, proof: MessageID? = nil, proofAfter: UnixTime? = nil) {
        self.filesItself = filesItself
        self.proof = proof
        self.proofAfter = proofAfter
    }
}

extension Archive {
    /// What was found out of the account's present servers; nil when nothing was.
    public func sentHabit(of account: AccountID) throws(MailFailure) -> SentHabit? {
        try read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT h.files_itself, h.proof, h.proof_after FROM sent_habits h
                    JOIN accounts a ON a.id = h.account AND a.imap_host = h.imap_host AND a.smtp_host = h.smtp_host
                    WHERE h.account = ?
                    """, arguments: [account.rawValue]
            ).map { row in
                SentHabit(
                    filesItself: row[0], proof: (row[1] as String?).map { MessageID(rawValue: $0) },
                    proofAfter: (row[2] as Int64?).map { UnixTime($0) })
            }
        }
    }

    /// Nothing is noted of an account without servers.
    public func noteSentHabit(_ habit: SentHabit, of account: AccountID) throws(MailFailure) {
        try writeUnaudited(.outboxCopied) { db in
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO sent_habits(account, imap_host, smtp_host, files_itself, proof, proof_after)
                    SELECT id, imap_host, smtp_host, ?, ?, ? FROM accounts
                    WHERE id = ? AND imap_host IS NOT NULL AND smtp_host IS NOT NULL
                    """,
                arguments: [
                    habit.filesItself, habit.proof?.rawValue, habit.proofAfter?.rawValue, account.rawValue,
                ])
        }
    }
}
