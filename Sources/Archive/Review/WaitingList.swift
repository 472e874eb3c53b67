import GRDB
import MailModel

/// The queue as one viewer sees it, within one transaction: of the lists that the database keeps those of the mailboxes
/// that they review, with a message that lies in several of them once. Each answer is read from an index alone, however
/// the items are spread over addresses and mailboxes.
struct WaitingList {
    private enum Lists {
        case none
        /// One of the lists; 0 is that of everything.
        case one(Int64)
        /// Those of all mailboxes that the viewer reviews: so many have something in them.
        case reviewed(Int)
    }

    private let db: Database
    private let sight: Sight
    private let lists: Lists
    private let filter: ReviewFilter

    /// - Throws: `unknown.account` when the viewer hears of no such account.
    init(_ filter: ReviewFilter, _ db: Database, _ sight: Sight) throws {
        self.db = db
        self.sight = sight
        self.filter = filter
        if let account = filter.account { try Archive.requirePlace(account, db, sight) }
        lists = try Self.lists(of: filter.account, db, sight)
    }

    private static func lists(of account: String?, _ db: Database, _ sight: Sight) throws -> Lists {
        if sight.rights == nil, account == nil { return .one(0) }
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT count(*), count(*) FILTER (WHERE is_reviewed), max(id) FILTER (WHERE is_reviewed) FROM (
                    SELECT a_.id, \(sight.mayReviewMailbox) AS is_reviewed FROM accounts a_
                    WHERE a_.name = coalesce(?, a_.name) AND EXISTS (SELECT 1 FROM waiting WHERE account = a_.id))
                """, arguments: [account])
        guard let row, let last = row[2] as Int64? else { return .none }
        let (all, reviewed) = (row[0] as Int, row[1] as Int)
        if reviewed == 1 { return .one(last) }
        // All that waits lies in some mailbox.
        return reviewed == all ? .one(0) : .reviewed(reviewed)
    }

    /// The numbers of the items, newest first.
    func items(limit: Int, offset: Int) throws -> [Int64] {
        try select("w.item", "ORDER BY w.sort_date DESC, w.item DESC LIMIT ? OFFSET ?", [limit, offset])
            .map { $0[0] }
    }

    /// The newest item under each address, with how many wait there; the newest first.
    func groups(limit: Int, offset: Int) throws -> [(newest: Int64, count: Int)] {
        if let page = try newestGroups(limit: limit, offset: offset) { return page }
        // The column beside max() is that of the row that has it.
        return try select(
            "w.item, count(*), max(w.sort_date) AS newest",
            "GROUP BY w.address ORDER BY newest DESC, w.item DESC LIMIT ? OFFSET ?", [limit, offset]
        ).map { ($0[0], $0[1]) }
    }

    /// A page at the beginning, without looking at all that waits: mostly a few more items than groups are of enough
    /// addresses. Nil when they are not; then there are few groups, or the page lies deep.
    private func newestGroups(limit: Int, offset: Int) throws -> [(newest: Int64, count: Int)]? {
        let (end, isTooFar) = offset.addingReportingOverflow(limit)
        guard !isTooFar, end <= Self.groupsAtTheBeginning else { return nil }
        // Each count looks into each list.
        if case .reviewed(let count) = lists, count > Self.listsToCountIn { return nil }
        var seen: Set<Int64?> = []
        let newest = try select(
            "w.item, w.address", "ORDER BY w.sort_date DESC, w.item DESC LIMIT ?", [4 * end]
        ).filter { seen.insert($0[1]).inserted }
        guard newest.count >= end else { return nil }
        return try newest[offset..<end].map { row in
            let count = try select("count(*)", "", [], under: row[1] as Int64?)
            return (row[0], count.first?[0] ?? 0)
        }
    }

    private static let groupsAtTheBeginning = 1000
    private static let listsToCountIn = 200

    var count: Int {
        get throws { try select("count(*)", "", []).first?[0] ?? 0 }
    }

    /// - Parameter address: only what waits under it; the inner nil is the address of what has none.
    private func select(
        _ columns: String, _ order: String, _ bounds: StatementArguments, under address: Int64?? = nil
    ) throws -> [Row] {
        var (condition, arguments) = filter.conditions
        if sight.rights != nil {
            // Only mail of ours waits under the address of a blind recipient.
            condition += """
                 AND (w.direction <> 'outgoing' OR EXISTS (SELECT 1 FROM review_items b
                    WHERE b.id = w.item AND \(sight.seesAddress(item: "b"))))
                """
        }
        if case .some(let address) = address {
            condition += " AND w.address IS ?"
            arguments += [address]
        }
        let (reviewed, place): (String, String)
        switch lists {
        case .none: return []
        case .one(let list): (reviewed, place) = ("", "w.account = \(list)")
        case .reviewed:
            reviewed = """
                WITH reviewed(account) AS MATERIALIZED (
                    SELECT a_.id FROM accounts a_ WHERE \(sight.mayReviewMailbox))
                """
            // A copy counts when none of the accounts before it is reviewed that have one too.
            place = """
                w.account IN reviewed AND (w.copy_before = 0 OR w.copy_before NOT IN reviewed
                    AND NOT EXISTS (SELECT 1 FROM review_items r JOIN ledger l ON l.message = r.message
                        JOIN folders f ON f.id = l.folder
                        WHERE r.id = w.item AND f.account < w.copy_before AND f.account IN reviewed))
                """
        }
        let query = try db.cachedStatement(
            sql: "\(reviewed) SELECT \(columns) FROM waiting w WHERE \(place) AND \(condition) \(order)")
        return try Row.fetchAll(query, arguments: arguments + bounds)
    }
}
