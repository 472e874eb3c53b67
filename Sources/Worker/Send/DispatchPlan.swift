import Archive
import MailModel

/// Which of an account's mails go now; pure: what is due and what was sent go in, mails and a reason to wait
/// come out.
struct DispatchPlan {
    /// Why the rest does not go yet.
    enum Wait: Hashable {
        case paused
        /// The day's recipients are used up, or the mail that is next needs more than are left.
        case dailyQuota
        case pace
    }

    var take: [OutboxID] = []
    var wait: Wait?

    /// - Parameter room: mails that can be taken in at present.
    init(_ facts: OutboxFacts, rules: SendRules, room: Int, now: UnixTime) {
        if let pause = facts.pause, pause.until.map({ $0 > now }) ?? true {
            wait = .paused
            return
        }
        var recipients = rules.recipientsPerDay.map {
            $0 - facts.recipientsLastDay - facts.recipientsInFlight
        }
        var messages = rules.messagesPerMinute.map { $0 - facts.messagesLastMinute - facts.messagesInFlight }
        for candidate in facts.due {
            guard take.count < room else { return }
            if let left = messages {
                guard left > 0 else {
                    wait = .pace
                    return
                }
                messages = left - 1
            }
            if let left = recipients {
                // A mail with more recipients than one message may have goes in parts.
                let needed = min(max(1, candidate.recipients), rules.recipientsPerMessage)
                guard left >= needed else {
                    // What is behind it must not overtake it for ever.
                    wait = .dailyQuota
                    return
                }
                recipients = left - needed
            }
            take.append(candidate.id)
        }
    }
}
