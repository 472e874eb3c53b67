public import MailModel
public import Matcher

/// One mail that is, or was, to be sent.
public struct OutboxID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// Where a mail stands. Which state may follow which is held by the schema; docs/SENDING.md has the table.
public enum OutboxState: String, Sendable, Codable, CaseIterable {
    /// Waits for its time.
    case queued
    /// A living process works on it.
    case sending
    /// Accepted for every recipient.
    case sent
    /// Tried, not accepted for everybody yet; tried again by itself.
    case retry
    /// Some recipient's address or the mail itself was refused for good.
    case failed
    /// The server may have the mail: the connection ended between the end of the data and its reply.
    case uncertain
    /// Waits for a person.
    case held
    case cancelled
}

/// Where a mail stands for one recipient.
public enum OutboxRecipientState: String, Sendable, Codable, CaseIterable {
    case waiting, sending, sent, retry, failed, uncertain, cancelled
}

/// Who caused a mail, and so what it may do.
public enum OutboxKind: String, Sendable, Codable, CaseIterable {
    /// A person wrote it to named people.
    case single
    /// A program wrote it: a notice, a digest, an answer.
    case automatic
    /// One of many of the same text.
    case mass

    /// Lower goes first.
    var priority: Int {
        switch self {
        case .single: 1
        case .automatic: 3
        case .mass: 5
        }
    }
}

/// A mail to be queued, complete in every byte.
public struct OutboxDraft: Sendable {
    public struct Recipient: Sendable, Hashable {
        public var address: EmailAddress
        public var role: ParticipantRole

        public init(_ address: EmailAddress, _ role: ParticipantRole = .to) {
            self.address = address
            self.role = role
        }
    }

    public var account: AccountID
    /// The CRM's user for whom it is sent.
    public var user: UserID?
    public var requestedBy: String
    /// The same key again is the same mail.
    public var idempotencyKey: String?
    /// What was asked for under the key; nil where other words are the same mail.
    public var request: AskedMail?
    public var messageID: MessageID
    /// At most 100 letters, digits, hyphens, underscores and dots (RFC 3461, 4.4); nil lets the archive choose one.
    public var envelopeID: String?
    /// Nil for the null reverse-path of reports.
    public var sender: EmailAddress?
    public var recipients: [Recipient]
    public var subject: String?
    public var kind: OutboxKind
    /// Whether addresses or header fields need SMTPUTF8 (RFC 6531).
    public var needsUTF8: Bool
    /// As they go over the wire, before dot stuffing: CRLF only, at its end too.
    public var content: MessageBytes
    /// The Bcc field with its line end, which only the copy in the Sent folder has.
    public var blindField: [UInt8]
    /// Not tried earlier.
    public var notBefore: UnixTime
    /// Why it waits for a person from the start; nil lets it go.
    public var heldBecause: String?

    public init(
        account: AccountID, requestedBy: String, messageID: MessageID, sender: EmailAddress?,
        recipients: [Recipient], content: MessageBytes, notBefore: UnixTime
    ) {
        self.account = account
        user = nil
        self.requestedBy = requestedBy
        idempotencyKey = nil
        request = nil
        self.messageID = messageID
        envelopeID = nil
        self.sender = sender
        self.recipients = recipients
        subject = nil
        kind = .single
        needsUTF8 = false
        self.content = content
        blindField = []
        self.notBefore = notBefore
        heldBecause = nil
    }
}

/// A mail with all that is known of it.
public struct OutboxItem: Sendable, Hashable {
    public struct Recipient: Sendable, Hashable {
        public var address: String
        public var role: ParticipantRole
        public var state: OutboxRecipientState
        public var code: Int?
        /// The enhanced status (RFC 3463).
        public var status: String?
        public var reply: String?
        public var repliedAt: UnixTime?
        /// What came back, oldest first.
        public var reports: [Report]
    }

    /// What a delivery report said about a recipient.
    public struct Report: Sendable, Hashable {
        public var message: ArchivedMessageID
        public var at: UnixTime
        public var action: String?
        /// hard, soft or unknown; nil when it was delivered.
        public var failure: String?
        public var status: String?
        public var diagnostic: String?
        /// Whether it may suppress the address: something more than the Message-ID vouches for it.
        public var isVouched: Bool
    }

    /// One reply of a server, or what happened instead of one.
    public struct Reply: Sendable, Hashable {
        public var attempt: Int
        public var at: UnixTime
        public var recipient: String?
        public var stage: String
        public var code: Int?
        public var status: String?
        public var text: String
    }

    public var id: OutboxID
    public var messageID: MessageID
    public var envelopeID: String
    public var account: AccountID
    public var accountName: String
    public var user: UserID?
    public var requestedBy: String
    public var subject: String?
    public var kind: OutboxKind
    public var sender: String
    public var size: Int
    public var state: OutboxState
    public var reason: String?
    public var remedy: String?
    public var recipients: [Recipient]
    public var attempts: Int
    public var createdAt: UnixTime
    public var notBefore: UnixTime
    public var nextTry: UnixTime?
    public var finishedAt: UnixTime?
    /// The message in the archive, once it is filed.
    public var message: ArchivedMessageID?
    /// Why it is in no history yet; nil when it is, or nothing went wrong.
    public var filingError: String?
    /// none, due, done, unneeded or failed: the copy in the account's Sent folder.
    public var copy: String
    public var copyError: String?
    /// Of `outbox show` only.
    public var replies: [Reply]
}

extension OutboxItem: Encodable {
    private enum CodingKeys: String, CodingKey {
        case id, account, subject, kind, sender, size, state, reason, remedy, recipients, attempts, message
        case messageID = "message_id"
        case envelopeID = "envelope_id"
        case requestedBy = "requested_by"
        case createdAt = "created_at"
        case notBefore = "not_before"
        case nextTry = "next_try"
        case finishedAt = "finished_at"
        case filingError = "filing_error"
        case sentCopy = "sent_copy"
        case replies
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(messageID, forKey: .messageID)
        try container.encode(envelopeID, forKey: .envelopeID)
        try container.encode(accountName, forKey: .account)
        try container.encode(requestedBy, forKey: .requestedBy)
        try container.encode(subject, forKey: .subject)
        try container.encode(kind, forKey: .kind)
        try container.encode(sender, forKey: .sender)
        try container.encode(size, forKey: .size)
        try container.encode(state, forKey: .state)
        try container.encode(reason, forKey: .reason)
        try container.encode(remedy, forKey: .remedy)
        try container.encode(recipients, forKey: .recipients)
        try container.encode(attempts, forKey: .attempts)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(notBefore, forKey: .notBefore)
        try container.encode(nextTry, forKey: .nextTry)
        try container.encode(finishedAt, forKey: .finishedAt)
        try container.encode(message, forKey: .message)
        try container.encodeIfPresent(filingError, forKey: .filingError)
        try container.encode(copy, forKey: .sentCopy)
        if !replies.isEmpty { try container.encode(replies, forKey: .replies) }
    }
}

extension OutboxItem.Recipient: Encodable {
    private enum CodingKeys: String, CodingKey {
        case address, role, state, code, status, reply, reports
        case repliedAt = "replied_at"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(address.lowercased(), forKey: .address)
        try container.encode(role.rawValue, forKey: .role)
        try container.encode(state, forKey: .state)
        try container.encode(code, forKey: .code)
        try container.encode(status, forKey: .status)
        try container.encode(reply, forKey: .reply)
        try container.encode(repliedAt, forKey: .repliedAt)
        if !reports.isEmpty { try container.encode(reports, forKey: .reports) }
    }
}

extension OutboxItem.Report: Encodable {
    private enum CodingKeys: String, CodingKey {
        case message, at, action, failure, status, diagnostic
        case isVouched = "vouched"
    }
}

extension OutboxItem.Reply: Encodable {
    private enum CodingKeys: String, CodingKey { case attempt, at, recipient, stage, code, status, text }
}
