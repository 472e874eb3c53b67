import GRDB
import MailModel
import Matcher

/// What is the company's own links nobody, and mail between its people is internal: when a user or an account gains or
/// loses an address, mail that is here follows, in the same transaction.
struct OwnAddresses {
    private let db: Database
    private let policy: MatchPolicy
    private let time: UnixTime

    init(_ db: Database, policy: MatchPolicy, time: UnixTime) {
        self.db = db
        self.policy = policy
        self.time = time
    }

    /// Runs a change of a user or an account.
    ///
    /// - Parameters:
    ///   - former: the address that it had.
    ///   - new: the one that it will have.
    func change(
        from former: EmailAddress?, to new: EmailAddress?, _ change: () throws -> Void
    ) throws {
        let addresses = try [former, new].map { try $0.map { try Archive.addressID($0, db) } }
        let changed = Set(addresses.compactMap { $0 })
        guard addresses[0] != addresses[1] else { return try change() }
        try RuleJudging(db, .administrator, policy, by: "rule", time: time).run(own: changed, change)
    }
}
