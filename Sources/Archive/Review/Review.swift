public import MailModel
public import Matcher

/// One question of the queue, as listings show it.
public struct ReviewItem: Sendable, Hashable, Encodable {
    public var id: ReviewItemID
    public var message: ArchivedMessageID
    /// In lower case; nil when none could be read.
    public var address: String?
    public var reason: String
    /// The account of the first copy.
    public var account: String?
    public var direction: Direction
    public var category: MessageCategory
    public var messageID: MessageID?
    public var subject: String?
    /// Of the Date field; nil when absent or unreadable.
    public var date: UnixTime?
    public var snippet: String?
    /// What the receiving server says of the sender; nil where none is believed.
    public var senderCheck: SenderCheck?
    public var suggestions: [Suggestion]

    private enum CodingKeys: String, CodingKey {
        case id, message, address, reason, account, direction, category
        case messageID = "message_id"
        case subject, date, snippet, suggestions
        case senderCheck = "sender_check"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(message, forKey: .message)
        try container.encode(address, forKey: .address)
        try container.encode(reason, forKey: .reason)
        try container.encode(account, forKey: .account)
        try container.encode(direction, forKey: .direction)
        try container.encode(category, forKey: .category)
        try container.encode(messageID, forKey: .messageID)
        try container.encode(subject, forKey: .subject)
        try container.encode(date, forKey: .date)
        try container.encode(snippet, forKey: .snippet)
        try container.encode(senderCheck, forKey: .senderCheck)
        try container.encode(suggestions, forKey: .suggestions)
    }
}

/// A contact that an item may belong to; never linked without a person.
public struct Suggestion: Sendable, Hashable, Encodable {
    public var contact: ContactID
    public var name: String
    public var reason: String
}

/// Which open items an action means.
public enum ReviewSelection: Sendable, Hashable {
    case items([ReviewItemID])
    /// All that wait under one address.
    case address(EmailAddress)
}

/// What to ignore from now on.
public enum IgnoreScope: Sendable, Hashable {
    /// These items only.
    case once
    /// These, and all mail that would wait under the same address.
    case address
    /// These, and all mail that would wait under the address's domain.
    case domain
}
