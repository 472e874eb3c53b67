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
    init(
        _ transmission: Transmission, of claim: OutboxClaim, offered: [OutboxClaim.Recipient],
        rules: SendRules, now: UnixTime, jitter: Double
    ) {
        ending = OutboxEnding(item: claim.id, attempt: claim.attempt, nextTry: now)
        var refusals = Refusals()
        for (index, recipient) in offered.enumerated() {
            let reply = transmission.recipientReplies[index]
            if let reply {
                keep(reply, .rcpt, position: recipient.position)
                if !reply.isPositive {
                    let row = ReplyTable.row(for: reply, at: .rcpt)
                    ending.outcomes[recipient.position] = refusals.add(
                        row, reply, "\(recipient.address.addrSpec): ")
                    continue
                }
            }
            ending.outcomes[recipient.position] = Self.outcome(
                transmission.ending, wasAccepted: reply?.isPositive == true, &refusals)
        }
        noteEnding(transmission.ending, &refusals)
        let asked = refusals.asked
        var next = RetrySchedule.nextTry(
            attempt: claim.attempt, firstTry: claim.firstTry ?? now, now: now, asked: asked, jitter: jitter)
        if let blocked = refusals.pause(rules: rules, now: now) {
            pause = blocked
            next = next.map { max($0, blocked.until ?? now.advanced(bySeconds: 3600)) }
        }
        ending.isHeld = refusals.isHeld
        ending.failure = refusals.failure
        guard let next else {
            // Tried for long enough.
            for (position, outcome) in ending.outcomes where outcome == .retry {
                ending.outcomes[position] = .failed
            }
            ending.failure = .gaveUp(refusals.failure)
            return
        }
        ending.nextTry = next
        if claim.recipients.count > offered.count, ending.failure == nil {
            ending.failure = .sentInParts(rules.recipientsPerMessage)
            ending.nextTry = now
        }
    }

    private static func outcome(
        _ transmissionEnding: Transmission.Ending, wasAccepted: Bool, _ refusals: inout Refusals
    ) -> OutboxRecipientState {
        switch transmissionEnding {
        case .accepted: return .sent
        case .refused(let stage, let reply):
            return refusals.add(ReplyTable.row(for: reply, at: stage), reply, "")
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
        case .unsendable(let failure):
            keep(failure, .mail)
            refusals.failure = failure
        case .abandoned(let failure):
            refusals.failure = failure
            ending.isUntried = failure.code != .unsendableContent
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
    private var asks: [Int?] = []
    private var accountFailure: (MailFailure, isBlock: Bool)?

    /// No server's word keeps a mail away for longer: it would end a try of five days before its time.
    private static let longestAsked = 86_400

    mutating func add(_ row: ReplyTable.Row, _ reply: SMTPReply, _ who: String) -> OutboxRecipientState {
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
            asks.append(found.retryAfterSeconds ?? seconds)
            return .retry
        case .failed: return .failed
        case .held:
            isHeld = true
            failure = found
            return .retry
        case .accountRefused, .accountBlocked:
            var refused = found
            refused.kind = row.action == .accountRefused ? .credential : .transient
            if row.action == .accountBlocked { refused.code = .sendingBlocked }
            accountFailure = (refused, row.action == .accountBlocked)
            failure = refused
            return .retry
        }
    }

    /// Seconds that the replies want to pass; 0 only when every one of them does.
    var asked: Int? {
        let named = asks.compactMap { $0 }
        guard let longest = named.max() else { return nil }
        return longest == 0 && named.count < asks.count ? nil : longest
    }

    func pause(rules: SendRules, now: UnixTime) -> SendPause? {
        guard let (failure, isBlock) = accountFailure else { return nil }
        let stated = failure.retryAfterSeconds.map(Int64.init)
        let seconds = isBlock ? rules.silence(stated: stated) : max(4 * 3600, stated ?? 0)
        return SendPause(until: now.advanced(bySeconds: seconds), failures: 1, failure: failure)
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

    static func sentInParts(_ count: Int) -> MailFailure {
        MailFailure(
            .sentInParts, kind: .transient, "The server takes so many recipients of a mail at a time",
            detail: String(count), remedy: "The others follow by themselves.")
    }
}
