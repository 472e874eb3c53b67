public import MailModel
public import Matcher

/// Something that a user wants to hear of, by its number.
public struct EventID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// A mail to a user about what has come, by its number.
public struct DigestID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// New mail of a contact whose owner wants to hear of it.
public struct Event: Sendable, Hashable, Encodable {
    public enum Kind: String, Sendable, Codable {
        case contactMail = "contact-mail"
    }

    public var id: EventID
    public var at: UnixTime
    public var kind: Kind
    /// The contact's owner at that time.
    public var user: String
    public var contact: ContactID
    public var contactName: String
    public var message: ArchivedMessageID
    /// Nil where the message's mailbox keeps it from colleagues, as is `from`.
    public var subject: String?
    public var from: String?
    public var date: UnixTime?
    public var senderCheck: SenderCheck?
    /// The digest that tells it; nil until one does.
    public var digest: DigestID?

    private enum CodingKeys: String, CodingKey {
        case id, at, kind, user, contact
        case contactName = "contact_name"
        case message, subject, from, date
        case senderCheck = "sender_check"
        case digest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(at, forKey: .at)
        try container.encode(kind, forKey: .kind)
        try container.encode(user, forKey: .user)
        try container.encode(contact, forKey: .contact)
        try container.encode(contactName, forKey: .contactName)
        try container.encode(message, forKey: .message)
        try container.encode(subject, forKey: .subject)
        try container.encode(from, forKey: .from)
        try container.encode(date, forKey: .date)
        try container.encode(senderCheck, forKey: .senderCheck)
        try container.encode(digest, forKey: .digest)
    }
}

/// A digest whose mail is to be queued.
public struct OpenDigest: Sendable, Hashable {
    public var id: DigestID
    public var user: UserID
    public var address: EmailAddress
    public var name: String
}
