public import MailModel

/// What somebody wants to send, before it is a message.
///
/// Nothing here is trusted: `Composer.compose` checks every value and refuses what no header
/// may hold. Text is Unicode; how it goes over the wire is the composer's business.
public struct MailDraft: Sendable {
    /// The identity that the mail comes from.
    public var from: Mailbox
    public var to: [Mailbox] = []
    public var cc: [Mailbox] = []
    /// Recipients that the others do not see: in the envelope, and in no field of the mail.
    public var bcc: [Mailbox] = []
    public var replyTo: [Mailbox] = []
    /// One line. White space is collapsed; control characters and line breaks are refused.
    public var subject = ""
    /// The plain version; made from `html` where it is nil. Line ends of any kind.
    public var text: String?
    public var html: String?
    /// Files behind the text, in this order.
    public var attachments: [Enclosure] = []
    /// Pictures that `html` refers to by `cid:`; attachments where there is no HTML.
    public var inlineImages: [Enclosure] = []
    /// The message that this one answers (RFC 5322, 3.6.4); see `ThreadPosition`.
    public var thread = ThreadPosition()
    /// Further fields, each at most once a kind.
    public var fields: [ExtraField] = []
    /// Where reports on the delivery go.
    public var returnPath: ReturnPath = .author
    public var date: UnixTime
    /// The writer's offset from UTC, as the Date field shows it.
    public var zoneMinutes = 0
    public var messageID: MessageID

    /// The reverse-path of the envelope (RFC 5321, 4.5.5).
    public enum ReturnPath: Sendable, Hashable {
        /// The address of `from`.
        case author
        case address(EmailAddress)
        /// `<>`: for automatic mail that nothing may answer.
        case null
    }

    public init(from: Mailbox, date: UnixTime, messageID: MessageID) {
        self.from = from
        self.date = date
        self.messageID = messageID
    }
}

/// Where a message stands in its thread (RFC 5322, 3.6.4). Identifiers that no field may
/// hold are left out: they come from others' mail, and a reply must be possible.
public struct ThreadPosition: Sendable, Hashable {
    public var inReplyTo: [MessageID] = []
    /// Oldest first.
    public var references: [MessageID] = []

    public init() {}

    /// Behind `parent`: its references (or, where it has none, the one message that it answered),
    /// and then itself.
    public init(
        answering parent: MessageID, references: [MessageID], inReplyTo: [MessageID]
    ) {
        self.inReplyTo = [parent]
        var line = references
        if line.isEmpty, inReplyTo.count == 1 { line = inReplyTo }
        line.removeAll { $0 == parent }
        self.references = line + [parent]
    }
}
