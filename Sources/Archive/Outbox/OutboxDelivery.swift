public import MailModel

/// A mail that this process has claimed and nobody else may touch.
public struct OutboxClaim: Sendable {
    public struct Recipient: Sendable, Hashable {
        /// The recipient's number within the mail.
        public var position: Int
        public var address: EmailAddress
        /// How often the recipient was not accepted for now.
        public var tries = 0
    }

    public let id: OutboxID
    public let account: AccountID
    public let messageID: MessageID
    public let envelopeID: String
    /// Nil for the null reverse-path.
    public let sender: EmailAddress?
    public let kind: OutboxKind
    public let needsUTF8: Bool
    public let size: Int
    /// The number of this attempt, from 1.
    public let attempt: Int
    /// When it was first tried; nil the first time.
    public let firstTry: UnixTime?
    /// When its time had come; nil where nobody needs to know.
    public var dueSince: UnixTime?
    /// Those that have not accepted it yet, and whose time has come.
    public internal(set) var recipients: [Recipient]
    /// The tries of whoever of them has had the most.
    public var tries: Int { recipients.map(\.tries).max() ?? 0 }
    /// The bytes when they are few and could be read; else they are read piece by piece.
    public var content: [UInt8]?
    /// The SHA-256 of the bytes as they were queued; nil where nobody compares it.
    public var digest: [UInt8]?
}

/// What `Archive.claimOutbox` decides upon.
public struct OutboxFacts: Sendable, Hashable {
    public struct Candidate: Sendable, Hashable {
        public var id: OutboxID
        public var recipients: Int
        public var size: Int
        public var priority: Int

        public init(id: OutboxID, recipients: Int, size: Int, priority: Int) {
            self.id = id
            self.recipients = recipients
            self.size = size
            self.priority = priority
        }
    }

    /// Whose time has come, in the order in which they should go; bounded.
    public var due: [Candidate] = []
    /// Recipients whose data was sent in the last 24 hours, and those that are on their way.
    public var recipientsLastDay = 0
    public var recipientsInFlight = 0
    /// Messages of the 60 seconds before.
    public var messagesLastMinute = 0
    public var messagesInFlight = 0
    public var pause: SendPause?
    public var limits = SendLimits()
    /// Of the account's settings.
    public var revision: Int64 = 0

    public init() {}
}

/// Why and how long an account does not send.
public struct SendPause: Sendable, Hashable {
    /// Nil: until the account's settings change.
    public var until: UnixTime?
    /// Failures of one kind in a row; for a refused secret, all that were refused.
    public var failures: Int
    public var failure: MailFailure
    /// How often the secret was refused since the account has sent or was changed, whatever else has failed in between.
    public var refusedSignIns = 0

    public init(until: UnixTime?, failures: Int, failure: MailFailure) {
        self.until = until
        self.failures = failures
        self.failure = failure
    }
}

/// Limits that somebody set for an account; nil where the provider's hold.
public struct SendLimits: Sendable, Hashable, Codable {
    public var recipientsPerDay: Int?
    public var recipientsPerMessage: Int?
    public var messagesPerMinute: Int?
    public var connections: Int?

    public init(
        recipientsPerDay: Int? = nil, recipientsPerMessage: Int? = nil, messagesPerMinute: Int? = nil,
        connections: Int? = nil
    ) {
        self.recipientsPerDay = recipientsPerDay
        self.recipientsPerMessage = recipientsPerMessage
        self.messagesPerMinute = messagesPerMinute
        self.connections = connections
    }

    private enum CodingKeys: String, CodingKey {
        case recipientsPerDay = "recipients_per_day"
        case recipientsPerMessage = "recipients_per_message"
        case messagesPerMinute = "messages_per_minute"
        case connections
    }
}

/// One reply of a server to keep, or the words for what happened instead of one.
public struct OutboxReplyRecord: Sendable, Hashable {
    public enum Stage: String, Sendable, Codable, CaseIterable {
        case connect, mail, rcpt, data
        case endOfData = "end-of-data"
    }

    /// Nil when it is about every recipient of the attempt.
    public var position: Int?
    public var stage: Stage
    public var code: Int?
    public var status: String?
    public var text: String

    public init(position: Int?, stage: Stage, code: Int?, status: String?, text: String) {
        self.position = position
        self.stage = stage
        self.code = code
        self.status = status
        self.text = text
    }
}

/// What a delivery has to have on the disk before it goes on.
public enum OutboxNote: Sendable {
    /// The data is about to be sent to these recipients: from here on the server may have it.
    ///
    /// - Parameter revision: of the account with which the session was opened; when its settings have changed since, or
    ///   it is switched off, the mail must not begin. Nil where that does not matter.
    case begins(OutboxID, recipients: [Int], revision: Int64? = nil)
    case ended(OutboxEnding)
}

/// How an attempt ended.
public struct OutboxEnding: Sendable {
    public var item: OutboxID
    public var attempt: Int
    /// By position. Recipients that are not named stay as they are.
    public var outcomes: [Int: OutboxRecipientState]
    public var replies: [OutboxReplyRecord]
    /// When those that are left are tried again, where `nextTries` does not say.
    public var nextTry: UnixTime
    /// By position, for those that were not accepted for now.
    public var nextTries: [Int: UnixTime]
    /// Those that are left wait for a person.
    public var isHeld: Bool
    /// Why something is left, failed or uncertain; nil when all is sent.
    public var failure: MailFailure?
    /// What of it counts against the mail.
    public var weight: Weight
    /// Whether the Sent folder gets its copy without us.
    public var isCopiedByServer: Bool

    public enum Weight: Sendable, Hashable {
        /// A try of the mail.
        case attempt
        /// It was the account that could not send at all. No try of the mail, whose days begin all the same; it says why
        /// it waits.
        case account
        /// The server was not asked about this mail: the claim is given back as if nothing had been.
        case nothing
    }

    public init(item: OutboxID, attempt: Int, nextTry: UnixTime) {
        self.item = item
        self.attempt = attempt
        outcomes = [:]
        replies = []
        self.nextTry = nextTry
        nextTries = [:]
        isHeld = false
        failure = nil
        weight = .attempt
        isCopiedByServer = false
    }
}
