import GRDB
public import MailModel
public import Matcher

/// Which open items a listing shows; what is nil does not limit it.
public struct ReviewFilter: Sendable, Hashable {
    /// Only what waits under it.
    public var address: EmailAddress?
    /// Only what this account has a copy of.
    public var account: String?
    public var direction: Direction?
    /// By the message's date: not older, and older.
    public var since: UnixTime?
    public var until: UnixTime?
    public var kind: ReviewKind?

    public init() {}

    public init(address: EmailAddress?) { self.address = address }

    /// As conditions on `r`, the row of `review_items`, and `m`, its message.
    ///
    /// - Parameter isCounting: all of them are looked at, and not a page.
    /// - Throws: `unknown.account` when the viewer hears of no such account.
    func conditions(
        _ db: Database, _ sight: Sight, isCounting: Bool = false
    ) throws -> (sql: String, arguments: StatementArguments) {
        var parts = ["r.state = 'open'", sight.mayReview(message: "r.message")]
        if sight.rights != nil, !WaitingPage.serves(self, sight) || isCounting {
            // Few items are of mailboxes that few may review: the rest is not asked about.
            parts.append(
                "r.id IN (SELECT item FROM waiting_copies WHERE account IN (\(WaitingPage.accounts(sight))))")
        }
        var arguments: StatementArguments = []
        if let address {
            parts.append("r.address = (SELECT id FROM addresses WHERE canonical = ?)")
            arguments += [CanonicalAddress(address).rawValue]
        }
        if let account {
            try Archive.requirePlace(account, db, sight)
            parts.append(
                """
                EXISTS (SELECT 1 FROM ledger l JOIN folders f_ ON f_.id = l.folder
                    JOIN accounts a_ ON a_.id = f_.account
                    WHERE l.message = r.message AND a_.name = ? AND \(sight.mayReviewCopy(message: "r.message")))
                """)
            arguments += [account]
        }
        if let direction {
            parts.append("m.direction = ?")
            arguments += [direction.rawValue]
        }
        if let since {
            parts.append("r.sort_date >= ?")
            arguments += [since.rawValue]
        }
        if let until {
            parts.append("r.sort_date < ?")
            arguments += [until.rawValue]
        }
        if let kind {
            parts.append("r.kind = ?")
            arguments += [kind.rawValue]
        }
        return (parts.joined(separator: " AND "), arguments)
    }
}
