public import MailModel
public import Matcher

/// What a search is narrowed to, besides its words.
public struct SearchFilter: Sendable, Hashable {
    public enum Order: String, Sendable, CaseIterable {
        case relevance
        /// The newest first.
        case date
    }

    /// In the history of this contact, or of one of its people.
    public var contact: ContactID?
    /// With a copy in this account, by name.
    public var account: String?
    /// A part of the address or of the name of whom it is from.
    public var from: String?
    /// The same of one of its recipients.
    public var to: String?
    public var direction: Direction?
    public var notBefore: UnixTime?
    public var before: UnixTime?
    public var hasAttachment = false
    public var order = Order.relevance

    public init() {}
}

/// One message that was found.
public struct SearchHit: Sendable, Hashable, Encodable {
    public var message: ArchivedMessageID
    public var messageID: MessageID?
    public var subject: String?
    /// Of the Date field; nil when absent or unreadable.
    public var date: UnixTime?
    public var direction: Direction
    /// In lower case.
    public var from: String?
    public var to: [String]
    /// Where the words stand, between `[` and `]`; nil when the viewer sees no text of it.
    public var snippet: String?
    /// How much of the message the viewer sees; nothing else was searched.
    public var disclosure: Disclosure

    private enum CodingKeys: String, CodingKey {
        case message
        case messageID = "message_id"
        case subject, date, direction, from, to, snippet, disclosure
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(message, forKey: .message)
        try container.encode(messageID, forKey: .messageID)
        try container.encode(subject, forKey: .subject)
        try container.encode(date, forKey: .date)
        try container.encode(direction, forKey: .direction)
        try container.encode(from, forKey: .from)
        try container.encode(to, forKey: .to)
        try container.encode(snippet, forKey: .snippet)
        try container.encode(disclosure, forKey: .disclosure)
    }
}

/// The text of a message, read for the index.
public struct SearchText: Sendable, Hashable {
    public var message: ArchivedMessageID
    /// Nil when the message has no text, or it could not be read: then people, subject and names of
    /// files are found.
    public var body: String?

    public init(message: ArchivedMessageID, body: String?) {
        self.message = message
        self.body = body
    }
}
