import GRDB
public import MailModel
import Matcher

extension Archive {
    /// The open items, newest first.
    public func reviewItems(
        _ filter: ReviewFilter = ReviewFilter(), limit: Int = .max, offset: Int = 0,
        withSuggestions: Bool = true
    ) throws(MailFailure) -> [ReviewItem] {
        try read { db, sight in
            let numbers = try WaitingList(filter, db, sight).items(limit: limit, offset: offset)
            let items = try Self.reviewItems(db, sight, numbers)
            return withSuggestions ? try Suggester(db, sight).fill(items) : items
        }
    }

    /// The open items by the address under which they wait; the group with the newest item first.
    public func reviewGroups(
        _ filter: ReviewFilter = ReviewFilter(), limit: Int = .max, offset: Int = 0
    ) throws(MailFailure) -> [ReviewGroup] {
        try read { db, sight in
            let groups = try WaitingList(filter, db, sight).groups(limit: limit, offset: offset)
            let counts = Dictionary(groups.map { ($0.newest, $0.count) }) { first, _ in first }
            let suggester = try Suggester(db, sight)
            let items = try suggester.fill(Self.reviewItems(db, sight, groups.map(\.newest)))
            return try items.map { newest in
                var group = ReviewGroup(
                    address: newest.address, count: counts[newest.id.rawValue] ?? 0, newest: newest)
                if newest.suggestions.isEmpty, group.count > 1 {
                    group.newest.suggestions = try Self.suggestions(
                        ofOthersBeside: newest.id, suggester, db, sight)
                }
                return group
            }
        }
    }

    /// What one of the messages of the same address that came last says, where the newest says nothing.
    private static func suggestions(
        ofOthersBeside newest: ReviewItemID, _ suggester: Suggester, _ db: Database, _ sight: Sight
    ) throws -> [Suggestion] {
        let others = try Int64.fetchAll(
            db,
            sql: """
                SELECT o.id FROM review_items n JOIN review_items o ON o.address = n.address
                WHERE n.id = ? AND o.id <> n.id AND o.state = 'open'
                ORDER BY o.id DESC LIMIT 4
                """, arguments: [newest.rawValue])
        for other in try reviewItems(db, sight, others) {
            let found = try suggester.fill([other])[0].suggestions
            if !found.isEmpty { return found }
        }
        return []
    }

    /// One item, open or not.
    ///
    /// - Throws: `unknown.review-item`.
    public func reviewItem(_ id: ReviewItemID) throws(MailFailure) -> ReviewItem {
        try read { db, sight in
            let items = try Self.reviewItems(db, sight, "r.id = ?", "", [id.rawValue])
            guard let item = try Suggester(db, sight).fill(items).first else {
                throw Self.unknownItem(id.description)
            }
            return item
        }
    }

    /// The open items that an action means.
    ///
    /// - Throws: `unknown.review-item`.
    public func reviewItems(_ selection: ReviewSelection) throws(MailFailure) -> [ReviewItem] {
        try read { db, sight in
            try Self.reviewItems(db, sight, Self.open(selection, db, sight).map(\.id.rawValue))
        }
    }

    /// How many wait.
    public func openReviewCount(
        _ filter: ReviewFilter = ReviewFilter()
    ) throws(MailFailure) -> Int {
        try read { db, sight in try WaitingList(filter, db, sight).count }
    }

    static func unknownItem(_ name: String) -> MailFailure {
        .unknown(
            .unknownReviewItem, "open item in the queue", name, remedy: "See them with: mailworker queue list"
        )
    }

    /// Those of the items that are the viewer's to decide about, newest first.
    private static func reviewItems(
        _ db: Database, _ sight: Sight, _ numbers: [Int64]
    ) throws -> [ReviewItem] {
        try reviewItems(
            db, sight, "r.id IN (SELECT value FROM json_each(?))", "ORDER BY r.sort_date DESC, r.id DESC",
            ["[\(numbers.map(String.init).joined(separator: ","))]"])
    }

    static func reviewItems(
        _ db: Database, _ sight: Sight, _ condition: String, _ order: String, _ arguments: StatementArguments
    ) throws -> [ReviewItem] {
        let warnings = try WarningSight(db, sight)
        return try Row.fetchAll(
            db,
            sql: """
                SELECT r.id, r.message, r.email, r.reason, m.direction, m.category, m.message_id, m.subject,
                    m.date, m.snippet, m.sender_check, m.sender_check_facts, (SELECT a_.name FROM ledger l JOIN folders f_ ON f_.id = l.folder
                        JOIN accounts a_ ON a_.id = f_.account
                        WHERE l.message = r.message AND \(sight.mayReviewCopy(message: "r.message"))
                        ORDER BY l.state = 'duplicate', l.recorded_at LIMIT 1) AS account,
                    \(sight.disclosure(message: "r.message")) AS disclosure
                FROM review_items r JOIN messages m ON m.id = r.message
                WHERE \(condition) AND \(sight.mayReview(item: "r"))
                    AND disclosure >= \(Disclosure.people.rawValue)
                \(order)
                """, arguments: arguments
        ).map { row in
            ReviewItem(
                id: ReviewItemID(rawValue: row["id"]), message: ArchivedMessageID(rawValue: row["message"]),
                address: row["email"], reason: try warnings.shown(row["reason"] as String),
                account: row["account"],
                direction: Direction(rawValue: row["direction"]) ?? .incoming,
                category: MessageCategory(rawValue: row["category"]) ?? .personal,
                messageID: (row["message_id"] as String?).map { MessageID(rawValue: $0) },
                subject: row["subject"], date: time(row["date"]),
                snippet: row["disclosure"] == Disclosure.everything.rawValue ? row["snippet"] : nil,
                senderCheck: senderCheck(row), suggestions: [])
        }
    }
}
