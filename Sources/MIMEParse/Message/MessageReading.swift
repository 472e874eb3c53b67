public import MailModel

/// A message as `mailworker parse` prints it: one JSON object, every key always
/// present, null where there is nothing.
public struct MessageReading: Codable, Hashable, Sendable {
    public var path: String
    public var messageID: String?
    public var subject: String?
    /// Addr-specs in lower case with the local part unquoted, as are `to` and `cc`.
    public var from: [String]
    public var to: [String]
    public var cc: [String]
    /// Unix seconds.
    public var date: Int64?
    public var text: String?
    public var hasHTML: Bool
    public var attachments: [Attachment]
    public var defects: [Defect]

    public init(path: String, message: ParsedMessage) {
        self.path = path
        messageID = message.messageID?.rawValue
        subject = message.subject
        from = message.from.map(\.address.lowercased)
        to = message.to.map(\.address.lowercased)
        cc = message.cc.map(\.address.lowercased)
        date = message.date?.rawValue
        text = message.text
        hasHTML = message.hasHTML
        attachments = message.attachments
        defects = message.defects
    }

    enum CodingKeys: String, CodingKey {
        case path, subject, from, to, cc, date, text, attachments, defects
        case messageID = "message_id"
        case hasHTML = "has_html"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(path, forKey: .path)
        try container.encode(messageID, forKey: .messageID)
        try container.encode(subject, forKey: .subject)
        try container.encode(from, forKey: .from)
        try container.encode(to, forKey: .to)
        try container.encode(cc, forKey: .cc)
        try container.encode(date, forKey: .date)
        try container.encode(text, forKey: .text)
        try container.encode(hasHTML, forKey: .hasHTML)
        try container.encode(attachments, forKey: .attachments)
        try container.encode(defects, forKey: .defects)
    }
}
