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
        /// Those of all mailboxes that the viewer reviews and that have something in them.
        case reviewed([Int64])
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
        let all = try Row.fetchAll(
            db,
            sql: """
                SELECT a_.id, \(sight.mayReviewMailbox) FROM accounts a_
                WHERE a_.name = coalesce(?, a_.name) AND EXISTS (SELECT 1 FROM waiting WHERE account = a_.id)
                """, arguments: [account])
        let reviewed = all.filter { $0[1] }.map { $0[0] as Int64 }
        guard let first = reviewed.first else { return .none }
        if reviewed.count == 1 { return .one(first) }
        // All that waits lies in some mailbox.
        return reviewed.count == all.count ? .one(0) : .reviewed(reviewed)
    }

    /// The numbers of the items, newest first.
    func items(limit: Int, offset: Int) throws -> [Int64] {
        if case .reviewed(let accounts) = lists {
            let (end, isTooFar) = offset.addingReportingOverflow(limit)
            if !isTooFar, end <= Self.rowsToMerge / accounts.count {
                return try newest(end).dropFirst(offset).map(\.item)
            }
        }
        return try select(
            "w.item", "ORDER BY w.sort_date DESC, w.item DESC LIMIT ? OFFSET ?", [limit, offset]
        )
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
        if case .reviewed(let accounts) = lists, accounts.count > Self.listsToCountIn { return nil }
        var seen: Set<Int64?> = []
        let newest = try newest(4 * end).filter { seen.insert($0.address).inserted }
        guard newest.count >= end else { return nil }
        return try newest[offset..<end].map { one in
            let count = try select("count(*)", "", [], under: one.address)
            return (one.item, count.first?[0] ?? 0)
        }
    }

    /// The first items of the queue, newest first, each once: what is among them is among as many of its own list.
    private func newest(_ count: Int) throws -> [(item: Int64, address: Int64?)] {
        var accounts: [Int64?] = [nil]
        if case .reviewed(let reviewed) = lists { accounts = reviewed }
        var found: [(date: Int64, item: Int64, address: Int64?)] = []
        for account in accounts {
            found += try select(
                "w.sort_date, w.item, w.address", "ORDER BY w.sort_date DESC, w.item DESC LIMIT ?", [count],
                in: account
            ).map { ($0[0], $0[1], $0[2]) }
        }
        if accounts.count > 1 { found.sort { ($0.date, $0.item) > ($1.date, $1.item) } }
        var last: Int64?
        return found.filter { one in
            defer { last = one.item }
            return one.item != last
        }.prefix(count).map { ($0.item, $0.address) }
    }

    /// Rows that are put in order in memory rather than by reading all lists.
    private static let rowsToMerge = 20_000

    private static let groupsAtTheBeginning = 1000
    private static let listsToCountIn = 200

    var count: Int {
        get throws { try select("count(*)", "", []).first?[0] ?? 0 }
    }

    /// - Parameters:
    ///   - address: only what waits under it; the inner nil is the address of what has none.
    ///   - account: its list alone, with what others have too.
    private func select(
        _ columns: String, _ order: String, _ bounds: StatementArguments, under address: Int64?? = nil,
        in account: Int64? = nil
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
        case .reviewed where account != nil: (reviewed, place) = ("", "w.account = \(account ?? 0)")
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
