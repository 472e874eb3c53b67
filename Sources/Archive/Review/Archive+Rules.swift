import GRDB
public import MailModel
public import Matcher

extension Archive {
    /// The rules, by pattern.
    public func ignoreRules() throws(MailFailure) -> [IgnoreRule] {
        try read { db, sight in
            try sight.demand(.review)
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT id, pattern, created_by, created_at,
                        (SELECT count(*) FROM messages WHERE ignored_by = ignore_rules.id)
                    FROM ignore_rules ORDER BY pattern
                    """
            ).map { row in
                IgnoreRule(
                    id: IgnoreRuleID(rawValue: row[0]), pattern: row[1], createdBy: row[2],
                    createdAt: UnixTime(row[3]), ignored: row[4])
            }
        }
    }

    /// The rule that a person means: by its number, or by what it is about.
    ///
    /// - Throws: `unknown.rule`.
    public func ignoreRule(_ text: String) throws(MailFailure) -> IgnoreRule {
        let rules = try ignoreRules()
        let pattern = (try? RulePattern(text))?.text
        guard let rule = rules.first(where: { $0.id.description == text || $0.pattern == pattern }) else {
            throw Self.unknownRule(text)
        }
        return rule
    }

    /// Makes a rule; mail that waits for somebody whom it covers leaves the queue. A rule decides for everybody:
    /// it takes the right to review everything.
    ///
    /// - Throws: `name.taken`, `rights.missing`.
    @discardableResult
    public func addRule(
        _ pattern: RulePattern, by person: String
    ) throws(MailFailure) -> (id: IgnoreRuleID, changes: [RuleChange]) {
        let time = now()
        return try writeReversibly(.review, .all) { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.review, .all)
            let (rule, isNew) = try Self.rule(for: pattern, by: person, db, sight, matching, at: time)
            guard isNew else { throw MailFailure.taken("rule", pattern.text) }
            return (rule.id, rule.changes)
        }
    }

    /// Has a rule be about something else.
    ///
    /// - Throws: `unknown.rule`, `name.taken`, `rights.missing`.
    @discardableResult
    public func editRule(
        _ id: IgnoreRuleID, _ pattern: RulePattern, by person: String
    ) throws(MailFailure) -> [RuleChange] {
        let time = now()
        return try writeReversibly(.review, .all) { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.review, .all)
            return try Self.edit(id, pattern, by: person, db, sight, matching, at: time)
        }
    }

    /// Ends a rule. What it has taken is matched anew: it waits, or stands with a contact, or another rule takes it.
    ///
    /// - Throws: `unknown.rule`, `rights.missing`.
    @discardableResult
    public func removeRule(_ id: IgnoreRuleID, by person: String) throws(MailFailure) -> [RuleChange] {
        let time = now()
        return try writeReversibly(.review, .all) { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.review, .all)
            return try Self.remove(id, by: person, db, sight, matching, at: time)
        }
    }

    /// A change of rules that is only tried.
    public enum RuleTrial: Sendable, Hashable {
        case add([RulePattern])
        case edit(IgnoreRuleID, RulePattern)
        case remove(IgnoreRuleID)
    }

    /// What a change of rules would do to the whole archive; nothing is changed.
    ///
    /// - Throws: `unknown.rule`, `name.taken`, `rights.missing`.
    public func tryRules(_ trial: RuleTrial) throws(MailFailure) -> [RuleChange] {
        let time = now()
        // What really happens, and is rolled back: no second account of it could be wrong.
        return try rehearse { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.review, .all)
            switch trial {
            case .add(let patterns):
                return try patterns.flatMap {
                    try Self.rule(for: $0, by: "-", db, sight, matching, at: time).rule.changes
                }
            case .edit(let id, let pattern):
                return try Self.edit(id, pattern, by: "-", db, sight, matching, at: time)
            case .remove(let id): return try Self.remove(id, by: "-", db, sight, matching, at: time)
            }
        }
    }

    // MARK: - Parts

    /// The rule for a pattern, made when there is none.
    static func rule(
        for pattern: RulePattern, by person: String, _ db: Database, _ sight: Sight, _ policy: MatchPolicy,
        at time: UnixTime
    ) throws -> (rule: (id: IgnoreRuleID, changes: [RuleChange]), isNew: Bool) {
        let known = try Int64.fetchOne(
            db, sql: "SELECT id FROM ignore_rules WHERE pattern = ?", arguments: [pattern.text])
        if let known { return ((IgnoreRuleID(rawValue: known), []), false) }
        let changes = try RuleJudging(db, sight, policy, by: person, time: time).run([pattern]) {
            try db.execute(
                sql: "INSERT INTO ignore_rules(pattern, created_by, created_at) VALUES (?, ?, ?)",
                arguments: [pattern.text, person, time.rawValue])
        }
        let id = try Int64.fetchOne(
            db, sql: "SELECT id FROM ignore_rules WHERE pattern = ?", arguments: [pattern.text])
        Act.concerns("rule \(id ?? 0)")
        try Act.concerns(pattern, db)
        return ((IgnoreRuleID(rawValue: id ?? 0), changes), true)
    }

    private static func edit(
        _ id: IgnoreRuleID, _ pattern: RulePattern, by person: String, _ db: Database, _ sight: Sight,
        _ policy: MatchPolicy,
        at time: UnixTime
    ) throws -> [RuleChange] {
        let old = try Self.pattern(of: id, db)
        let other = try Int64.fetchOne(
            db, sql: "SELECT id FROM ignore_rules WHERE pattern = ? AND id <> ?",
            arguments: [pattern.text, id.rawValue])
        guard other == nil else { throw MailFailure.taken("rule", pattern.text) }
        Act.concerns("rule \(id)")
        for one in [old, pattern] { try Act.concerns(one, db) }
        return try RuleJudging(db, sight, policy, by: person, time: time).run([old, pattern], former: id) {
            try db.execute(
                sql: "UPDATE ignore_rules SET pattern = ? WHERE id = ?",
                arguments: [pattern.text, id.rawValue])
        }
    }

    private static func remove(
        _ id: IgnoreRuleID, by person: String, _ db: Database, _ sight: Sight, _ policy: MatchPolicy,
        at time: UnixTime
    ) throws -> [RuleChange] {
        let old = try Self.pattern(of: id, db)
        Act.concerns("rule \(id)")
        try Act.concerns(old, db)
        return try RuleJudging(db, sight, policy, by: person, time: time).run([old], former: id) {
            try db.execute(sql: "DELETE FROM ignore_rules WHERE id = ?", arguments: [id.rawValue])
        }
    }

    private static func pattern(of id: IgnoreRuleID, _ db: Database) throws -> RulePattern {
        let text = try String.fetchOne(
            db, sql: "SELECT pattern FROM ignore_rules WHERE id = ?", arguments: [id.rawValue])
        guard let text else { throw unknownRule(id.description) }
        return RulePattern(stored: text)
    }

    private static func unknownRule(_ name: String) -> MailFailure {
        .unknown(.unknownRule, "rule", name, remedy: "See them with: mailworker rule list")
    }
}

extension MailFailure.Code {
    public static let unknownRule = Self("unknown.rule")
}

extension Act {
    /// Notes what a rule takes: a number says nothing of it once the rule is gone.
    fileprivate static func concerns(_ pattern: RulePattern, _ db: Database) throws {
        guard pattern.isAddress else { return concerns("domain \(pattern.text)") }
        try concerns(CanonicalAddress(rawValue: pattern.text), db)
    }
}
