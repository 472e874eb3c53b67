public import MailModel
public import Matcher

/// One line of a contact's history.
public struct HistoryEntry: Sendable, Hashable, Encodable {
    public var message: ArchivedMessageID
    public var messageID: MessageID?
    public var subject: String?
    /// Of the Date field; nil when absent or unreadable.
    public var date: UnixTime?
    public var direction: Direction
    public var category: MessageCategory
    /// In lower case.
    public var from: String?
    public var to: [String]
    public var attachments: [Attachment]
    /// The contact itself, or the person of the organisation asked about.
    public var contact: ContactID
    public var contactName: String
    /// `rule`, or the name of the person who decided.
    public var linkedBy: String
    public var reason: String
    public var snippet: String?
    /// How much of the message the viewer sees; what they do not is nil or empty.
    public var disclosure = Disclosure.everything
    /// Who has put other words in place of the message's own; nil when nobody has.
    public var editedBy: String?
    /// What the receiving server says of the sender; nil where none is believed.
    public var senderCheck: SenderCheck?
    /// What came back about its recipients.
    public var returned: [ReturnedMail] = []

    private enum CodingKeys: String, CodingKey {
        case message
        case messageID = "message_id"
        case subject, date, direction, category, from, to, attachments, contact
        case contactName = "contact_name"
        case linkedBy = "linked_by"
        case reason, snippet, disclosure
        case editedBy = "edited_by"
        case returned
        case senderCheck = "sender_check"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(message, forKey: .message)
        try container.encode(messageID, forKey: .messageID)
        try container.encode(subject, forKey: .subject)
        try container.encode(date, forKey: .date)
        try container.encode(direction, forKey: .direction)
        try container.encode(category, forKey: .category)
        try container.encode(from, forKey: .from)
        try container.encode(to, forKey: .to)
        try container.encode(attachments, forKey: .attachments)
        try container.encode(contact, forKey: .contact)
        try container.encode(contactName, forKey: .contactName)
        try container.encode(linkedBy, forKey: .linkedBy)
        try container.encode(reason, forKey: .reason)
        try container.encode(snippet, forKey: .snippet)
        try container.encode(disclosure, forKey: .disclosure)
        try container.encode(editedBy, forKey: .editedBy)
        try container.encode(senderCheck, forKey: .senderCheck)
        if !returned.isEmpty { try container.encode(returned, forKey: .returned) }
    }
}

/// Everything that the archive knows of one message; enough to explain why it is
/// where it is.
public struct ArchivedMessage: Sendable, Hashable, Encodable {
    /// One place where the message was seen.
    public struct Copy: Sendable, Hashable, Encodable {
        public var account: String
        public var folder: String
        public var uidValidity: UInt32
        public var uid: UInt32
        public var state: LedgerState
        public var reason: String?
        public var original: OriginalID
        public var size: Int
        public var sha256: Digest256
        public var internalDate: UnixTime?
        public var recordedAt: UnixTime
        /// When the folder was first found without it.
        public var vanishedAt: UnixTime?
        /// Where Gmail showed it (X-GM-LABELS); empty elsewhere.
        public var labels: [String]

        private enum CodingKeys: String, CodingKey {
            case account, folder
            case uidValidity = "uid_validity"
            case uid, state, reason, original, size, sha256
            case internalDate = "internal_date"
            case recordedAt = "recorded_at"
            case vanishedAt = "vanished_at"
            case labels
        }
    }

    /// One address in one field.
    public struct Party: Sendable, Hashable, Encodable {
        public var role: ParticipantRole
        /// As the message has it.
        public var address: String
        public var name: String?
        /// The form in which it is compared.
        public var canonical: CanonicalAddress
        /// A user's or an account's own address.
        public var isOwn: Bool

        private enum CodingKeys: String, CodingKey {
            case role, address, name, canonical
            case isOwn = "own"
        }
    }

    /// A history that the message is in, or was taken out of.
    public struct Link: Sendable, Hashable, Encodable {
        public var contact: ContactID
        public var contactName: String
        public var linkedBy: String
        public var reason: String
        public var linkedAt: UnixTime
        public var removedAt: UnixTime?
        public var removedBy: String?

        private enum CodingKeys: String, CodingKey {
            case contact
            case contactName = "contact_name"
            case linkedBy = "linked_by"
            case reason
            case linkedAt = "linked_at"
            case removedAt = "removed_at"
            case removedBy = "removed_by"
        }
    }

    /// A question that was asked about it.
    public struct Question: Sendable, Hashable, Encodable {
        public var item: ReviewItemID
        public var reason: String
        public var state: String
        public var openedAt: UnixTime
        public var resolvedAt: UnixTime?
        public var resolvedBy: String?

        private enum CodingKeys: String, CodingKey {
            case item, reason, state
            case openedAt = "opened_at"
            case resolvedAt = "resolved_at"
            case resolvedBy = "resolved_by"
        }
    }

    public var id: ArchivedMessageID
    public var messageID: MessageID?
    public var subject: String?
    public var date: UnixTime?
    public var direction: Direction
    public var category: MessageCategory
    /// Never `duplicate`, `too-large` or `gone`: those are states of copies.
    public var state: LedgerState
    public var stateReason: String?
    /// The pattern of the rule that ignores it.
    public var ignoredBy: String?
    public var snippet: String?
    public var defects: [String]
    public var participants: [Party]
    public var attachments: [Attachment]
    public var copies: [Copy]
    public var links: [Link]
    public var questions: [Question]
    /// How much of it the viewer sees; what they do not is nil or empty.
    public var disclosure = Disclosure.everything
    /// That somebody has put other words in place of its own; nil when nobody has.
    public var edited: EditNote?
    /// What the receiving server says of the sender; nil where none is believed.
    public var senderCheck: SenderCheck?
    /// What came back about its recipients.
    public var returned: [ReturnedMail] = []
    /// The mail whose delivery it reports on.
    public var reportsOn: [ReturnedMail] = []

    private enum CodingKeys: String, CodingKey {
        case id
        case messageID = "message_id"
        case subject, date, direction, category, state
        case stateReason = "state_reason"
        case ignoredBy = "ignored_by"
        case snippet, defects, participants, attachments, copies, links, questions, disclosure, edited,
            returned
        case senderCheck = "sender_check"
        case reportsOn = "reports_on"
    }
}
