import MIMEParse
import MailModel

/// What a refusal means for the mail and for its account. Data: the first row that fits decides, and
/// docs/SENDING.md shows the same rows.
public enum ReplyTable {
    public enum Action: Sendable, Hashable {
        /// Tried again on the schedule; a number is the pause in seconds before the next try, where the server does
        /// not say one.
        case later(Int?)
        /// The recipient comes with the next message, at once, if this one takes somebody; else as `later`.
        case nextMessage
        /// Nothing will help this recipient or this mail.
        case failed
        /// A person must look at the mail.
        case held
        /// The account cannot sign in or may not send; its mail waits.
        case accountRefused
        /// The account goes too fast for the moment: all its mail waits for as long as the server says, else a little, and
        /// longer each time that it says so again.
        case accountSlowed
        /// The account has used up what its provider allows; it stays silent for as long as the provider's
        /// block may last, since trying can prolong it.
        case accountBlocked
    }

    public struct Row: Sendable {
        /// Its name in docs/SENDING.md.
        public let name: String
        let codes: Set<Int>
        /// Codes that count only where the reply has no enhanced status: it would say more.
        let bareCodes: Set<Int>
        /// Class, subject and detail of an enhanced status; nil fits any.
        let statuses: [Status]
        let words: [String]
        let stages: Set<SMTPStage>
        /// 4 for what may pass, 5 for what will not; empty for both.
        let classes: Set<Int>
        public let action: Action
        public let remedy: String?

        struct Status: Sendable {
            let `class`: Int?
            let subject: Int?
            let detail: Int?

            func fits(_ status: EnhancedStatus) -> Bool {
                (self.class ?? status.class) == status.class && (subject ?? status.subject) == status.subject
                    && (detail ?? status.detail) == status.detail
            }
        }

        /// - Parameter statuses: such as `5.1.1`, `4.x.x` or `x.2.2`.
        init(
            _ name: String, codes: Set<Int> = [], bareCodes: Set<Int> = [], _ statuses: [String] = [],
            words: [String] = [], at stages: Set<SMTPStage> = [], classes: Set<Int> = [], _ action: Action,
            _ remedy: String? = nil
        ) {
            self.name = name
            self.codes = codes
            self.bareCodes = bareCodes
            self.statuses = statuses.map { text in
                let parts = text.split(separator: ".").map { Int($0) }
                return Status(class: parts[0], subject: parts[1], detail: parts[2])
            }
            self.words = words
            self.stages = stages
            self.classes = classes
            self.action = action
            self.remedy = remedy
        }

        /// One of the codes, statuses or words must fit, and the stage and the class if any are named.
        func fits(_ reply: SMTPReply, _ lowered: String, at stage: SMTPStage) -> Bool {
            guard stages.isEmpty || stages.contains(stage) else { return false }
            guard classes.isEmpty || classes.contains(reply.code / 100) else { return false }
            if codes.contains(reply.code) { return true }
            if reply.status == nil, bareCodes.contains(reply.code) { return true }
            if let status = reply.status, statuses.contains(where: { $0.fits(status) }) { return true }
            // What our server only passes on is about another one's limits.
            let passedOn = stage == .rcpt ? lowered.firstRange(of: " said: ") : nil
            let own = lowered[..<(passedOn?.lowerBound ?? lowered.endIndex)]
            return words.contains { own.contains($0) }
        }
    }

    /// What says unmistakably that the account itself has sent too much.
    private static let limitWords = [
        "sending limit", "sending quota", "daily user sending",
        "quota exceeded for sending", "limit exceeded for sender", "submissionquotaexceeded",
        "sending too many", "maximum sending rate", "exceeded the maximum number of messages",
        "exceeded the max emails",
    ]
    /// What says that somebody's time is used up: the account's, or at a recipient the recipient's.
    private static let usedUpWords = ["daily limit", "hourly limit"]
    /// What says that something goes too fast, and not for whom.
    private static let rateWords = [
        "rate limit", "ratelimit", "message rate", "sending rate", "too many messages", "limits are exceeded",
    ]
    /// What says at MAIL that it goes too fast, where nothing says that it is for long.
    private static let paceWords = [
        "too many", "too much", "too fast", "too quickly", "too often", "too frequent", "rate exceeded",
        "rate-limit", " rate ", "throttl", "slow down",
    ]
    private static let limitRemedy =
        "The provider's limit is reached; the account waits by itself. Send less, or spread it over days. If it was"
        + " lifted before: mailworker outbox limits ACCOUNT --resume."

    public static let rows: [Row] = [
        Row(
            "recipient-rate", ["4.2.1"],
            words: [
                "recipient has exceeded", "recipient is receiving mail", "contact is receiving mail",
                "recipient rate",
            ], classes: [4], .later(1800)),
        Row("mailbox-full", ["x.2.2"], at: [.rcpt, .data, .endOfData], .later(3600)),
        // RFC 3463 makes x.4.5 the congestion of a mail system, which passes; only as a permanent refusal is it
        // Gmail's word for a used-up day.
        Row(
            "account-limit", ["5.4.5", "4.7.28", "5.7.28", "5.1.90"], words: limitWords, .accountBlocked,
            limitRemedy),
        Row(
            "account-limit", words: usedUpWords, at: [.mail, .data, .endOfData], .accountBlocked, limitRemedy),
        Row("account-rate", words: rateWords, at: [.mail], .accountBlocked, limitRemedy),
        Row(
            "account-rate", words: rateWords, at: [.data, .endOfData], classes: [4], .accountBlocked,
            limitRemedy),
        // At a recipient it may be the recipient's own limit, which keeps nobody else's mail back.
        Row("rate", words: rateWords, at: [.rcpt], classes: [4], .later(1800)),
        Row("rate", words: usedUpWords, at: [.rcpt], .later(1800)),
        Row(
            "sign-in", codes: [530, 534, 535, 538], ["5.7.8", "5.7.9", "5.7.11", "x.7.12"],
            .accountRefused, "Check the account's SMTP login and password: mailworker account check NAME."),
        Row(
            "spam", words: ["spam", "suspicio", "unsolicited", "junk mail", "virus", "5.7.26"],
            at: [.data, .endOfData, .mail], classes: [5], .held,
            "The server takes the mail for spam or malware. Change it, or ask the server's administrator; then"
                + " release it or cancel it."),
        Row(
            "greylisted", words: ["greylist", "graylist", "grey-list", "grey list"], .later(330)),
        Row(
            "sender-refused", ["5.1.7", "5.1.8", "5.7.1", "5.7.27"], at: [.mail], .held,
            "The server does not let this account send under that address. Send from the account's own"
                + " address, or have the other one confirmed there."),
        Row(
            "sender-not-owned", words: ["not owned by user", "sender address rejected"], classes: [5], .held,
            "The server does not let this account send under that address."),
        Row(
            "too-large", bareCodes: [552], ["5.3.4", "5.2.3"], at: [.mail, .data, .endOfData], .failed,
            "Send fewer or smaller attachments."),
        Row(
            "unknown-address", ["5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"],
            at: [.rcpt], .failed, "Correct the address."),
        Row("too-many-recipients", ["x.5.3"], words: ["too many recipients"], at: [.rcpt], .nextMessage),
        Row(
            "content-refused", ["5.6.x"],
            words: ["its content presents", "attachment type", "file type", "blocked attachment"],
            at: [.data, .endOfData, .mail], classes: [5], .failed,
            "The server does not take what the mail contains. Leave out what it names, such as programs among the"
                + " attachments."),
        Row(
            "protocol", codes: [500, 501, 502, 503, 504], ["5.5.0", "5.5.1", "5.5.2", "5.5.4"],
            at: [.mail, .data, .endOfData], .held,
            "The server did not understand us. See its words; release the mail to try again."),
        // No mail is heard of by then: the next one would only be told the same.
        Row(
            "account-pace", codes: [421], ["4.7.x"], words: paceWords, at: [.mail], classes: [4],
            .accountSlowed,
            "The server wants the account to send more slowly; it waits by itself. If that happens often:"
                + " mailworker outbox limits ACCOUNT --per-minute N."),
        Row("transient", codes: Set(400...499), [], .later(nil)),
        Row("permanent", codes: Set(500...599), [], .failed),
    ]

    /// - Returns: a row; the last two fit every refusal.
    public static func row(for reply: SMTPReply, at stage: SMTPStage) -> Row {
        let lowered = reply.text.lowercased()
        return rows.first { $0.fits(reply, lowered, at: stage) } ?? rows[rows.count - 1]
    }
}
