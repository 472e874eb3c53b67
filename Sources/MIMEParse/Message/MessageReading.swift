public import MailModel

/// A message as `mailworker parse` prints it: one JSON object, every key always
/// present, null where there is nothing. Only the keys of special content, and those of a
/// text's parts, stand there just where a message has such.
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
    /// The other texts, behind `text` in the mail; left out where there are none.
    public var furtherText: String?
    /// The parts of `text`, where it has quotations or a signature; left out otherwise.
    public var ownText: String?
    public var quotedText: String?
    public var signature: String?
    public var hasHTML: Bool
    /// Every leaf of the message that is an attachment.
    public var attachments: [File]
    /// Files that stand within those: of a winmail.dat, of signed content. They count behind the
    /// attachments they were in wherever attachments are numbered.
    public var unpacked: [File]?
    public var defects: [Defect]
    public var calendar: CalendarContent?
    public var contacts: [VCard]?
    public var deliveryReport: DeliveryReport?
    public var readReceipt: ReadReceipt?
    public var abuseReport: AbuseReport?
    public var protection: Protection?

    public init(path: String, message: ParsedMessage) {
        self.path = path
        messageID = message.messageID?.rawValue
        subject = message.subject
        from = message.from.map(\.address.lowercased)
        to = message.to.map(\.address.lowercased)
        cc = message.cc.map(\.address.lowercased)
        date = message.date?.rawValue
        text = message.text
        furtherText = message.furtherText
        if let text = message.text, let split = message.split {
            ownText = split.ownText(in: text)
            quotedText = split.quotedText(in: text)
            signature = split.signatureText(in: text)
        }
        hasHTML = message.hasHTML
        attachments = message.attachments.filter { !$0.isUnpacked }.map(File.init)
        let files = message.attachments.filter(\.isUnpacked).map(File.init)
        unpacked = files.isEmpty ? nil : files
        defects = message.defects
        calendar = message.special?.calendar
        contacts = message.special.flatMap { $0.contacts.isEmpty ? nil : $0.contacts }
        deliveryReport = message.special?.deliveryReport
        readReceipt = message.special?.readReceipt
        abuseReport = message.special?.abuseReport
        protection = message.special?.protection
    }

    /// One attachment. `filename` is what the mail says, so that the reading can be held
    /// against it; whatever stores or saves a file goes by `safe_filename`.
    public struct File: Codable, Hashable, Sendable {
        public var filename: String?
        public var safeFilename: String?
        public var contentType: String
        public var size: Int
        public var sha256: Digest256
        public var isInline: Bool
        public var contentID: String?

        init(_ attachment: Attachment) {
            filename = attachment.declaredName
            safeFilename = attachment.filename
            contentType = attachment.contentType
            size = attachment.size
            sha256 = attachment.sha256
            isInline = attachment.isInline
            contentID = attachment.contentID
        }

        enum CodingKeys: String, CodingKey {
            case filename, size, sha256
            case safeFilename = "safe_filename"
            case contentType = "content_type"
            case isInline = "inline"
            case contentID = "content_id"
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(filename, forKey: .filename)
            try container.encode(safeFilename, forKey: .safeFilename)
            try container.encode(contentType, forKey: .contentType)
            try container.encode(size, forKey: .size)
            try container.encode(sha256, forKey: .sha256)
            try container.encode(isInline, forKey: .isInline)
            try container.encode(contentID, forKey: .contentID)
        }
    }

    enum CodingKeys: String, CodingKey {
        case path, subject, from, to, cc, date, text, signature, attachments, unpacked, defects
        case ownText = "own_text"
        case furtherText = "further_text"
        case quotedText = "quoted_text"
        case messageID = "message_id"
        case hasHTML = "has_html"
        case calendar, contacts, protection
        case deliveryReport = "delivery_report"
        case readReceipt = "read_receipt"
        case abuseReport = "abuse_report"
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
        try container.encodeIfPresent(furtherText, forKey: .furtherText)
        try container.encodeIfPresent(ownText, forKey: .ownText)
        try container.encodeIfPresent(quotedText, forKey: .quotedText)
        try container.encodeIfPresent(signature, forKey: .signature)
        try container.encode(hasHTML, forKey: .hasHTML)
        try container.encode(attachments, forKey: .attachments)
        try container.encodeIfPresent(unpacked, forKey: .unpacked)
        try container.encode(defects, forKey: .defects)
        try container.encodeIfPresent(calendar, forKey: .calendar)
        try container.encodeIfPresent(contacts, forKey: .contacts)
        try container.encodeIfPresent(deliveryReport, forKey: .deliveryReport)
        try container.encodeIfPresent(readReceipt, forKey: .readReceipt)
        try container.encodeIfPresent(abuseReport, forKey: .abuseReport)
        try container.encodeIfPresent(protection, forKey: .protection)
    }
}
