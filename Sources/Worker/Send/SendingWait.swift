public import Archive
public import MailModel

/// Why mail whose time has come does not go yet, for whoever looks at it. The mail itself says nothing of that: it is
/// its account that may not send.
public struct SendingWait {
    private struct Outlook {
        var plan: DispatchPlan
        var rules: SendRules
        var pause: SendPause?
        var isEnabled: Bool
    }

    private let archive: Archive
    private var outlooks: [AccountID: Outlook] = [:]

    public init(_ archive: Archive) { self.archive = archive }

    /// Nil for a mail that goes at the next moment, or that does not wait for its account.
    public mutating func reason(for item: OutboxItem) throws(MailFailure) -> MailFailure? {
        guard [.queued, .retry].contains(item.state), let next = item.nextTry, next <= archive.time else {
            return nil
        }
        let outlook = try outlook(of: item.account)
        // What was being sent when the account was switched off.
        guard outlook.isEnabled else { return .accountIsOff(item.accountName) }
        guard !outlook.plan.take.contains(item.id), let wait = outlook.plan.wait else { return nil }
        let name = item.accountName
        switch wait {
        case .paused: return outlook.pause?.failure
        case .dailyQuota:
            return MailFailure(
                .sendQuota, kind: .transient,
                "The account has used up the recipients to whom it may write in a day",
                detail: outlook.rules.recipientsPerDay.map { "\($0) in 24 hours" },
                remedy:
                    "It goes by itself when there is room again. Where the provider allows more: mailworker outbox"
                    + " limits \(name) --per-day N.")
        case .pace:
            return MailFailure(
                .sendPace, kind: .transient, "The account has sent as many messages as it may in a minute",
                detail: outlook.rules.messagesPerMinute.map { "\($0) a minute" },
                remedy: "It goes by itself. Where the provider allows more: mailworker outbox limits \(name)"
                    + " --per-minute N.")
        }
    }

    /// The item with that reason, where it has none of its own, and not to be tried before its account may send: nobody
    /// knows when where the account waits for a person.
    public mutating func explained(_ item: OutboxItem) throws(MailFailure) -> OutboxItem {
        let failure = item.reason == nil ? try reason(for: item) : nil
        var item = item
        if [.queued, .retry].contains(item.state), let pause = try outlook(of: item.account).pause {
            item.nextTry = pause.until.flatMap { until in item.nextTry.map { max($0, until) } }
        }
        guard let failure else { return item }
        item.reason = [failure.summary, failure.detail].compactMap { $0 }.joined(separator: ": ")
        item.remedy = failure.remedy
        return item
    }

    private mutating func outlook(of id: AccountID) throws(MailFailure) -> Outlook {
        if let known = outlooks[id] { return known }
        let account = try archive.account(id)
        let facts = try archive.outboxFacts(of: id)
        let rules = SendRules(preset: account.provider, limits: facts.limits)
        let plan = DispatchPlan(facts, rules: rules, room: .max, now: archive.time)
        let outlook = Outlook(
            plan: plan, rules: rules, pause: facts.pause, isEnabled: account.settings.isEnabled)
        outlooks[id] = outlook
        return outlook
    }
}

extension MailFailure.Code {
    /// The day's recipients are used up.
    public static let sendQuota = Self("send.quota")
    /// The minute's messages are used up.
    public static let sendPace = Self("send.pace")
}
