import Archive
import MIMEParse
public import MailModel
import MailSend
import MailTransport

/// What an attempt means for the mail and for its account; pure. docs/SENDING.md shows the table.
struct DeliveryVerdict {
    var ending: OutboxEnding
    /// Keeps the account from sending.
    var pause: SendPause?

    /// - Parameters:
    ///   - offered: the recipients of this attempt, in the order in which the session had them.
    ///   - jitter: 0..<1.
    ///   - lastPause: the account's, over or not; asked for where the account is to wait for one that grows.
    init(
        _ transmission: Transmission, of claim: OutboxClaim, offered: [OutboxClaim.Recipient],
        rules: SendRules, now: UnixTime, jitter: Double, lastPause: () -> SendPause? = { nil }
    ) {
        ending = OutboxEnding(item: claim.id, attempt: claim.attempt, nextTry: now)
        var refusals = Refusals()
        let accepted = offered.indices.count { transmission.recipientReplies[$0]?.isPositive == true }
        for (index, recipient) in offered.enumerated() {
            let reply = transmission.recipientReplies[index]
            if let reply {
                keep(reply, .rcpt, position: recipient.position)
                if !reply.isPositive {
                    let row = ReplyTable.row(for: reply, at: .rcpt)
                    var outcome = refusals.add(
                        row, reply, "\(recipient.address.addrSpec): ", position: recipient.position)
                    // With whom this message was full, the next one is not.
                    if row.action == .nextMessage, accepted > 0, refusals.asks[recipient.position] == nil {
                        outcome = .waiting
                    }
                    ending.outcomes[recipient.position] = outcome
                    continue
                }
            }
            ending.outcomes[recipient.position] = Self.outcome(
                transmission.ending, wasAccepted: reply?.isPositive == true, recipient.position, &refusals)
        }
        noteEnding(transmission.ending, &refusals)
        pause = refusals.pause(rules: rules, now: now, lastPause: lastPause)
        ending.isHeld = refusals.isHeld
        ending.failure = refusals.failure
        let schedule = Schedule(
            firstTry: claim.firstTry ?? now, now: now, jitter: jitter,
            silentUntil: pause.map { $0.until ?? now.advanced(bySeconds: 3600) })
        setNextTries(offered, schedule, refusals)
        if pause != nil, case .refused(.mail, _) = transmission.ending {
            // Nothing was said of this mail. It is due as soon as its account may send again.
            ending.weight = .account
            ending.nextTry = now
            return
        }
        if ending.weight == .nothing {
            ending.nextTry = Self.nextTry(ofUntried: claim, now: now)
            return
        }
        let isPart = claim.recipients.count > max(offered.count, rules.recipientsPerMessage)
        guard isPart || ending.outcomes.values.contains(.waiting) else { return }
        if pause == nil, concernsRecipientsOnly(transmission.ending) {
            ending.nextTry = now
            ending.failure = .sentInParts(isPart ? rules.recipientsPerMessage : accepted)
        } else {
            ending.nextTry = schedule.next(after: claim.tries, asked: refusals.longestAsk) ?? now
        }
    }

    /// When each recipient that is left is tried again; for whom it was long enough, the mail has failed.
    private mutating func setNextTries(
        _ offered: [OutboxClaim.Recipient], _ schedule: Schedule, _ refusals: Refusals
    ) {
        var hasGivenUp = false
        for recipient in offered where ending.outcomes[recipient.position] == .retry {
            if let next = schedule.next(after: recipient.tries, asked: refusals.asks[recipient.position]) {
                ending.nextTries[recipient.position] = next
            } else {
                ending.outcomes[recipient.position] = .failed
                hasGivenUp = true
            }
        }
        if let first = ending.nextTries.values.min() { ending.nextTry = first }
        if hasGivenUp { ending.failure = .gaveUp(refusals.failure) }
    }

    /// Whether others may well be accepted at this moment: somebody was, or was refused for what they are.
    private func concernsRecipientsOnly(_ transmissionEnding: Transmission.Ending) -> Bool {
        switch transmissionEnding {
        case .accepted: true
        case .nobodyAccepted: ending.outcomes.values.contains(.failed)
        default: false
        }
    }

    /// Whatever kept the mail from being sent is here, and often over in a moment. A mail that cannot be read from the
    /// outbox again and again is offered to the server ever less often.
    private static func nextTry(ofUntried claim: OutboxClaim, now: UnixTime) -> UnixTime {
        let waited = now.rawValue - (claim.dueSince ?? now).rawValue
        return now.advanced(bySeconds: min(max(waited / 2, 5), 120))
    }

    private struct Schedule {
        var firstTry: UnixTime
        var now: UnixTime
        var jitter: Double
        var silentUntil: UnixTime?

        /// Nil when the time for trying is over.
        func next(after tries: Int, asked: Int?) -> UnixTime? {
            RetrySchedule.nextTry(
                attempt: tries + 1, firstTry: firstTry, now: now, asked: asked, jitter: jitter
            ).map { max($0, silentUntil ?? $0) }
        }
    }

    private static func outcome(
        _ transmissionEnding: Transmission.Ending, wasAccepted: Bool, _ position: Int,
        _ refusals: inout Refusals
    ) -> OutboxRecipientState {
        switch transmissionEnding {
        case .accepted: return .sent
        case .refused(let stage, let reply):
            return refusals.add(ReplyTable.row(for: reply, at: stage), reply, "", position: position)
        case .nobodyAccepted, .broken: return .retry
        case .unanswered: return wasAccepted ? .uncertain : .retry
        case .unsendable: return .failed
        case .abandoned(let failure): return failure.code == .unsendableContent ? .failed : .waiting
        }
    }

    private mutating func noteEnding(_ transmissionEnding: Transmission.Ending, _ refusals: inout Refusals) {
        switch transmissionEnding {
        case .accepted(let reply): keep(reply, .endOfData, position: nil)
        case .refused(let stage, let reply): keep(reply, stage, position: nil)
        case .nobodyAccepted: break
        case .broken(let stage, let failure):
            keep(failure, stage)
            refusals.failure = refusals.failure ?? failure
        case .unanswered(let failure):
            keep(failure, .endOfData)
            refusals.failure = .outboxUncertain
            refusals.isUnanswered = true
        case .unsendable(let failure):
            keep(failure, .mail)
            refusals.failure = failure
        case .abandoned(let failure):
            refusals.failure = failure
            if failure.code != .unsendableContent { ending.weight = .nothing }
        }
    }

    private mutating func keep(_ reply: SMTPReply, _ stage: SMTPStage, position: Int?) {
        ending.replies.append(
            OutboxReplyRecord(
                position: position, stage: OutboxReplyRecord.Stage(stage), code: reply.code,
                status: reply.status?.text, text: String(reply.text.prefix(2_000))))
    }

    private mutating func keep(_ failure: MailFailure, _ stage: SMTPStage) {
        ending.replies.append(
            OutboxReplyRecord(
                position: nil, stage: OutboxReplyRecord.Stage(stage), code: nil, status: nil,
                text: [failure.summary, failure.detail].compactMap { $0 }.joined(separator: ": ")))
    }
}

/// What the refusals of one attempt come to.
private struct Refusals {
    var failure: MailFailure?
    var isHeld = false
    /// Seconds that the server, or the table, wants to pass; by recipient.
    private(set) var asks: [Int: Int] = [:]
    var longestAsk: Int? { asks.values.max() }
    private var accountFailure: MailFailure?
    /// The mail was handed over, and no answer came. More mails would only become uncertain too.
    var isUnanswered = false

    /// No server's word keeps a mail away for longer: it would end a try of five days before its time.
    private static let longestAsked = 86_400

    mutating func add(
        _ row: ReplyTable.Row, _ reply: SMTPReply, _ who: String, position: Int
    ) -> OutboxRecipientState {
        let isPermanent = row.action == .failed
        let found = MailFailure(
            .smtpRefused, kind: isPermanent ? .permanent : row.action == .held ? .needsPerson : .transient,
            who.isEmpty ? "The server refused the mail" : "The server refused a recipient",
            detail: who + reply.text, remedy: row.remedy,
            retryAfterSeconds: StatedDelay.seconds(in: reply.text).map { min($0, Self.longestAsked) })
        // What is for good is what the reader must know first.
        if failure == nil || (isPermanent && failure?.kind != .permanent) { failure = found }
        switch row.action {
        case .later(let seconds):
            asks[position] = found.retryAfterSeconds ?? seconds
            return .retry
        case .nextMessage:
            asks[position] = found.retryAfterSeconds
            return .retry
        case .failed: return .failed
        case .held:
            isHeld = true
            failure = found
            return .retry
        case .accountRefused: return refuse(found, .credential, found.code)
        case .accountBlocked: return refuse(found, .transient, .sendingBlocked)
        case .accountSlowed: return refuse(found, .transient, .sendingSlowed)
        }
    }

    private mutating func refuse(
        _ found: MailFailure, _ kind: FailureKind, _ code: MailFailure.Code
    ) -> OutboxRecipientState {
        var refused = found
        refused.kind = kind
        refused.code = code
        accountFailure = refused
        failure = refused
        return .retry
    }

    func pause(rules: SendRules, now: UnixTime, lastPause: () -> SendPause?) -> SendPause? {
        guard let failure = accountFailure ?? (isUnanswered ? .sendUnanswered : nil) else { return nil }
        let stated = failure.retryAfterSeconds.map(Int64.init)
        var failures = 1
        let seconds: Int64
        switch failure.code {
        case .sendingBlocked: seconds = rules.silence(stated: stated)
        case .sendingSlowed, .sendUnanswered:
            let last = lastPause()
            if let last, last.failure.code == failure.code {
                // While one is in force, the account's other connections only say the same.
                failures = last.until.map { $0 > now } ?? true ? last.failures : last.failures + 1
            }
            seconds = max(SendRules.slowing(after: failures), stated ?? 0)
        default: seconds = max(4 * 3600, stated ?? 0)
        }
        return SendPause(until: now.advanced(bySeconds: seconds), failures: failures, failure: failure)
    }
}

extension OutboxReplyRecord.Stage {
    init(_ stage: SMTPStage) {
        switch stage {
        case .connect: self = .connect
        case .mail: self = .mail
        case .rcpt: self = .rcpt
        case .data: self = .data
        case .endOfData: self = .endOfData
        }
    }
}

extension MailFailure.Code {
    /// The mail was tried for five days.
    public static let gaveUp = Self("send.gave-up")
    /// A mail with many recipients is on its way part by part.
    public static let sentInParts = Self("send.in-parts")
    /// The account has no server to send through.
    public static let noSMTPServer = Self("send.no-server")
}

extension MailFailure {
    static func gaveUp(_ last: MailFailure?) -> MailFailure {
        MailFailure(
            .gaveUp, kind: .permanent, "It was tried for five days without success",
            detail: last.map { [$0.summary, $0.detail].compactMap { $0 }.joined(separator: ": ") },
            remedy: last?.remedy ?? "Try it once more with: mailworker outbox retry ID.")
    }

    fileprivate static let sendUnanswered = MailFailure(
        .sendUnanswered, kind: .transient, "The server did not answer to the end of a mail",
        remedy: "The account goes on by itself, with one mail first. "
            + "What is uncertain: mailworker outbox list --state uncertain.")

    static func sentInParts(_ count: Int) -> MailFailure {
        MailFailure(
            .sentInParts, kind: .transient, "The server takes so many recipients of a mail at a time",
            detail: String(count), remedy: "The others follow by themselves.")
    }
}
