import GRDB
import MailModel
import Matcher

/// Lets a change of rules, or of the company's own addresses, reach the mail that is here, within one transaction: what
/// the matcher says of each message before and after is compared, and only where these differ does the message
/// move. What a person has decided stays.
struct RuleJudging {
    private let db: Database
    private let decisions: Decisions
    private let getPattern: PreparedStatement
    private let person: String
    private let time: UnixTime
    private let sight: Sight
    private let policy: MatchPolicy

    /// - Parameter sight: what of the messages that move is told.
    init(_ db: Database, _ sight: Sight, _ policy: MatchPolicy, by person: String, time: UnixTime) throws {
        self.db = db
        self.sight = sight
        self.policy = policy
        self.person = person
        self.time = time
        decisions = try Decisions(db, time: time)
        getPattern = try PreparedStatement(db, "SELECT pattern FROM ignore_rules WHERE id = ?")
    }

    /// Runs a change of rules and moves the messages that it concerns.
    ///
    /// - Parameters:
    ///   - patterns: what the rules that come, go or change are about.
    ///   - former: the rule that ends or changes: what it has taken moves even where the matcher would have said
    ///     something else before, since contacts may have come that the rule kept it from.
    /// - Returns: what has moved, what came last first.
    func run(
        _ patterns: [RulePattern], former: IgnoreRuleID? = nil, _ change: () throws -> Void
    ) throws -> [RuleChange] {
        let messages = try concerned(by: patterns)
        let taken = try taken(by: former)
        let before = try verdicts(of: messages)
        try change()
        return try move(messages, from: before, to: verdicts(of: messages), taken: taken)
    }

    /// Moves the messages of which the matcher says something else by now.
    ///
    /// - Parameter taken: those that move even where it says the same.
    private func move(
        _ messages: [ArchivedMessageID], from before: [Verdict?], to after: [Verdict?],
        taken: Set<ArchivedMessageID> = []
    ) throws -> [RuleChange] {
        let titles = try PreparedStatement(
            db,
            """
            SELECT subject, date, state, sort_date,
                \(sight.disclosure(message: "messages.id")) >= \(Disclosure.people.rawValue)
            FROM messages WHERE id = ?
            """)
        var changes: [RuleChange] = []
        for (message, (was, now)) in zip(messages, zip(before, after))
        where was != now || taken.contains(message) && !(now?.isIgnoring ?? true) {
            titles.bind(1, message.rawValue)
            let title = try titles.first { row in
                (
                    subject: row.optionalText(0), date: row.optionalInt64(1).map { UnixTime($0) },
                    state: LedgerState(rawValue: row.text(2)) ?? .review, sortDate: UnixTime(row.int64(3)),
                    isSeen: row.int64(4) != 0
                )
            }
            guard let title, let now, let (to, because) = try move(message, now, sortDate: title.sortDate)
            else {
                continue
            }
            changes.append(
                RuleChange(
                    message: message, subject: title.isSeen ? title.subject : nil, date: title.date,
                    from: title.state, to: to, because: title.isSeen ? because : "-"))
        }
        return changes
    }

    /// Runs a change of whose addresses are the company's own. Mail between users waits no longer, what waited under an
    /// address of ours waits under the next stranger's, and what was internal waits when it is so no more.
    ///
    /// - Parameter addresses: those that become the company's, or are it no more.
    func run(own addresses: Set<Int64>, _ change: () throws -> Void) throws {
        let messages = try concerned(byOwn: addresses)
        let before = try verdicts(of: messages)
        try change()
        let rejudging = try Rejudging(db, policy: policy)
        let after = try messages.map { try rejudging.judge($0)?.result }
        _ = try move(messages, from: before, to: after.map { $0?.verdict })
        let setDirection = try PreparedStatement(
            db, "UPDATE messages SET direction = ?1 WHERE id = ?2 AND direction <> ?1")
        for (message, result) in zip(messages, after) {
            guard let result else { continue }
            try setDirection.bind(1, result.direction.rawValue)
            setDirection.bind(2, message.rawValue)
            try setDirection.run()
        }
    }

    /// Mail that waits or is internal, in which one of the addresses takes part.
    private func concerned(byOwn addresses: Set<Int64>) throws -> [ArchivedMessageID] {
        let query = try PreparedStatement(
            db,
            """
            SELECT DISTINCT m.id FROM participants p JOIN messages m ON m.id = p.message
            WHERE p.address = ? AND (m.state = 'review'
                OR (m.state = 'ignored' AND m.reason = '\(Decisions.internalReason)'))
            """)
        var found: Set<Int64> = []
        for address in addresses.sorted() {
            query.bind(1, address)
            try query.forEachRow { found.insert($0.int64(0)) }
        }
        return found.sorted(by: >).map { ArchivedMessageID(rawValue: $0) }
    }

    /// Mail that waits or was taken by a rule, in which an address takes part that one of the patterns covers.
    private func concerned(by patterns: [RulePattern]) throws -> [ArchivedMessageID] {
        var found: Set<Int64> = []
        for pattern in patterns {
            let query = try PreparedStatement(
                db,
                """
                SELECT DISTINCT m.id FROM addresses a JOIN participants p ON p.address = a.id
                    JOIN messages m ON m.id = p.message
                WHERE \(pattern.isAddress ? "a.canonical = ?1" : "substr(a.canonical, -length(?1) - 1) = '@' || ?1")
                    AND (m.state = 'review' OR (m.state = 'ignored' AND m.reason = '\(Decisions.ruleReason)'))
                """)
            try query.bind(1, pattern.text)
            try query.forEachRow { found.insert($0.int64(0)) }
        }
        return found.sorted(by: >).map { ArchivedMessageID(rawValue: $0) }
    }

    private func taken(by rule: IgnoreRuleID?) throws -> Set<ArchivedMessageID> {
        guard let rule else { return [] }
        let query = try PreparedStatement(
            db, "SELECT id FROM messages WHERE ignored_by = ? AND state = 'ignored'")
        query.bind(1, rule.rawValue)
        var found: Set<ArchivedMessageID> = []
        try query.forEachRow { found.insert(ArchivedMessageID(rawValue: $0.int64(0))) }
        return found
    }

    /// What the matcher says of each by the rules of this moment.
    private func verdicts(of messages: [ArchivedMessageID]) throws -> [Verdict?] {
        let rejudging = try Rejudging(db, policy: policy)
        return try messages.map { try rejudging.judge($0)?.result.verdict }
    }

    private func move(
        _ message: ArchivedMessageID, _ verdict: Verdict, sortDate: UnixTime
    ) throws -> (LedgerState, because: String)? {
        switch verdict {
        case .ignored(let rule):
            try decisions.ignore(message, rule: rule, by: person)
            getPattern.bind(1, rule.rawValue)
            return (.ignored, "the rule for \(try getPattern.first { $0.text(0) } ?? "-")")
        case .review(let subject):
            let email = subject.participant?.mailbox.address.lowercased
            let address = try subject.canonical.flatMap {
                try Int64.fetchOne(
                    db, sql: "SELECT id FROM addresses WHERE canonical = ?", arguments: [$0.rawValue])
            }
            // An item that is open already stands under the wrong address now.
            try decisions.settle(message, as: .review, resolution: nil, by: "")
            try db.execute(
                sql: """
                    UPDATE review_items SET address = ?, email = ?, reason = ?, kind = ?
                    WHERE message = ? AND state = 'open'
                    """,
                arguments: [address, email, subject.reason, subject.kind.rawValue, message.rawValue])
            if db.changesCount == 0 {
                try decisions.open(
                    message, address: address, email: email, reason: subject.reason, kind: subject.kind,
                    sortDate: sortDate)
            }
            return (.review, email ?? subject.reason)
        case .linked(let contacts):
            for contact in contacts {
                try decisions.link(message, contact: contact, by: .newAddress, sortDate: sortDate)
            }
            let isLinked = try Int64.fetchOne(
                db, sql: "SELECT 1 FROM history WHERE message = ? AND removed_at IS NULL LIMIT 1",
                arguments: [message.rawValue])
            guard isLinked != nil else {
                // A person has taken it out of the histories that it leads to; a rule that goes leaves it to them again.
                guard try decisions.facts(of: message)?.state == .ignored else { return nil }
                let reason = "Taken out of a history, and ignored by a rule that is no more"
                try Archive.reopen(message, reason: reason, db, at: time)
                return (.review, "no rule, and in no history")
            }
            try decisions.settle(message, as: .archived, resolution: .linked, by: person)
            return (.archived, contacts.map { "contact \($0.contact)" }.joined(separator: ", "))
        case .internal:
            try decisions.settle(
                message, as: .ignored, reason: Decisions.internalReason, resolution: .ignored, by: person)
            return (.ignored, "internal mail")
        }
    }
}

extension Verdict {
    fileprivate var isIgnoring: Bool {
        if case .ignored = self { true } else { false }
    }
}
