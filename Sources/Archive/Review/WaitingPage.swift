import GRDB
import MailModel

/// One page of the queue for somebody who does not see all of it. Each of their mailboxes has its items in the queue's
/// order, and the page is merged out of them: what others have to review is not looked at.
struct WaitingPage {
    private let db: Database
    private let sight: Sight

    init(_ db: Database, _ sight: Sight) {
        self.db = db
        self.sight = sight
    }

    /// Whether the merging finds this page sooner than the queue's own order: not for who reviews everything, and not
    /// under one address, which has an index of its own.
    static func serves(_ filter: ReviewFilter, _ sight: Sight) -> Bool {
        sight.rights != nil && filter.address == nil
    }

    /// The accounts whose items the viewer may decide about, as a subquery.
    static func accounts(_ sight: Sight) -> String {
        "SELECT a_.id FROM accounts a_ WHERE \(sight.mayReviewMailbox)"
    }

    /// - Parameters:
    ///   - condition: on `r`, the row of `review_items`, and `m`, its message.
    ///   - account: only this one's, by name.
    /// - Returns: the numbers of the items, newest first.
    func items(
        _ condition: String, _ arguments: StatementArguments, account: String?, limit: Int, offset: Int
    ) throws -> [Int64] {
        let accounts = try Int64.fetchAll(
            db,
            sql: Self.accounts(sight) + """
                 AND a_.name = coalesce(?, a_.name)
                    AND EXISTS (SELECT 1 FROM waiting_copies WHERE account = a_.id)
                """, arguments: [account])
        var heads = try accounts.compactMap { account in
            try Head(
                db,
                """
                SELECT w.sort_date, w.item FROM waiting_copies w JOIN review_items r ON r.id = w.item
                    JOIN messages m ON m.id = r.message
                WHERE w.account = \(account) AND \(condition) ORDER BY w.sort_date DESC, w.item DESC
                """, arguments)
        }
        var page: [Int64] = []
        var skipped = 0
        var last: Int64?
        while page.count < limit, let newest = heads.indices.max(by: { heads[$0].place < heads[$1].place }) {
            let item = heads[newest].place.item
            if try !heads[newest].advance() { heads.remove(at: newest) }
            // It lies in several of the mailboxes.
            guard item != last else { continue }
            last = item
            if skipped < offset { skipped += 1 } else { page.append(item) }
        }
        return page
    }
}

/// The newest item of one mailbox that is not taken yet.
private struct Head {
    private(set) var place: (date: Int64, item: Int64)
    private let rows: RowCursor

    init?(_ db: Database, _ query: String, _ arguments: StatementArguments) throws {
        rows = try Row.fetchCursor(db, sql: query, arguments: arguments)
        guard let row = try rows.next() else { return nil }
        place = (row[0], row[1])
    }

    /// - Returns: whether there is one more.
    mutating func advance() throws -> Bool {
        guard let row = try rows.next() else { return false }
        place = (row[0], row[1])
        return true
    }
}
