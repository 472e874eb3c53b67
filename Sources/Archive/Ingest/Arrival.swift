public import MailModel
public import Matcher

/// One message as it arrived, with what was read from it.
public struct Arrival: Sendable {
    public var folder: FolderID
    public var uidValidity: UIDValidity
    /// Nil for imported mail, which gets the folder's next number.
    public var uid: UID?
    /// The server's INTERNALDATE; orders messages without a readable date.
    public var internalDate: UnixTime?
    public var original: MessageBytes
    /// SHA-256 of `original`; the caller computed it from these very bytes.
    public var originalDigest: Digest256
    /// Nil when the message could not be read: it is quarantined with its original,
    /// and one review item says so.
    public var content: Content?
    /// The version of the parser that read it, or could not: a later one tries again.
    public var parserVersion: Int

    public init(
        folder: FolderID, uidValidity: UIDValidity, uid: UID?, internalDate: UnixTime?,
        original: MessageBytes, originalDigest: Digest256, content: Content?, parserVersion: Int
    ) {
        self.folder = folder
        self.uidValidity = uidValidity
        self.uid = uid
        self.internalDate = internalDate
        self.original = original
        self.originalDigest = originalDigest
        self.content = content
        self.parserVersion = parserVersion
    }
}

/// What the archive keeps of a message besides its bytes.
public struct Content: Sendable {
    public var messageID: MessageID?
    /// Equal for two copies that differ only in transport fields.
    public var contentDigest: Digest256
    /// Of how the body is to be read: copies of one message agree in it. Nil where that is not known.
    public var formDigest: Digest256?
    public var subject: String?
    public var date: UnixTime?
    public var participants: [Participant]
    public var attachments: [Attachment]
    public var isDeliveryReport: Bool
    /// What it reports on the delivery of other mail; nil for nearly all mail.
    public var returned: ReturnedReport?
    public var category: MessageCategory
    public var inReplyTo: [MessageID]
    public var references: [MessageID]
    /// The first words of the text.
    public var snippet: String?
    public var defects: [String]
    /// The Authentication-Results fields (RFC 8601) in their order; anybody can write one.
    public var authenticationResults: [String]
    /// The lines of the author's signature.
    public var signature: String?

    public init(contentDigest: Digest256) {
        messageID = nil
        self.contentDigest = contentDigest
        formDigest = nil
        subject = nil
        date = nil
        participants = []
        attachments = []
        isDeliveryReport = false
        returned = nil
        category = .personal
        inReplyTo = []
        references = []
        snippet = nil
        defects = []
        authenticationResults = []
        signature = nil
    }
}

/// How a message came to be written.
public enum MessageCategory: String, Sendable, Codable, CaseIterable {
    case personal, list, automatic, report
}

/// What became of one arrival.
public enum IngestOutcome: Sendable, Hashable {
    case linked(ArchivedMessageID, contacts: [ContactID])
    case review(ArchivedMessageID)
    /// Another copy of a message that is here already.
    case duplicate(of: ArchivedMessageID)
    /// By a rule, or (without one) as internal mail.
    case ignored(ArchivedMessageID, rule: IgnoreRuleID?)
    case quarantined(ArchivedMessageID)
    /// The ledger had this UID; nothing changed.
    case alreadyKnown
    /// This one could not be recorded; the others of its batch were. It has no ledger
    /// row, so the next pass meets it again.
    case failed(MailFailure)
}
