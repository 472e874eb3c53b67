import GRDB
public import MailModel

/// Whose mail of the outbox somebody sees and decides about: theirs whose mailbox the right to send reaches.
extension Sight {
    /// - Parameter account: the name that the row of `accounts` has in the statement.
    func maySend(through account: String) -> String { reaches(.send, owner: "\(account).user") }
}

extension Archive {
    /// An account, to send through it.
    ///
    /// - Throws: `rights.missing`; `unknown.account`, also for one that the right does not reach.
    public func sendingAccount(named name: String) throws(MailFailure) -> Account {
        let account = try account(named: name)
        try read { db, sight in
            try sight.demand(.send)
            try Self.requireSender(account.id, named: name, db, sight)
        }
        return account
    }

    static func requireSender(_ account: AccountID, named name: String, _ db: Database, _ sight: Sight) throws
    {
        let isReached = try Bool.fetchOne(
            db, sql: "SELECT \(sight.maySend(through: "a")) FROM accounts a WHERE a.id = ?",
            arguments: [account.rawValue])
        guard isReached == true else { throw unknownAccount(name) }
    }
}
