public import MailModel

/// What one message says, read from its bytes.
///
/// Parsing never fails on bad mail: whatever could be read is here, and each
/// oddity met on the way is named in `defects`. The value holds no bytes of
/// attachments; those are read out of the original when asked for
/// (`MIMEParser.attachmentContent`).
public struct ParsedMessage: Codable, Hashable, Sendable {
    /// The Message-ID field's first identifier (RFC 5322, 3.6.4).
    public var messageID: MessageID?
    /// Decoded (RFC 2047), unfolded, white space collapsed; nil without the field.
    public var subject: String?
    public var from: [Mailbox]
    public var sender: [Mailbox]
    public var replyTo: [Mailbox]
    public var to: [Mailbox]
    public var cc: [Mailbox]
    public var bcc: [Mailbox]
    /// Where the author wants answers for everybody to go (Mail-Followup-To); empty without the field.
    public var followupTo: [Mailbox]
    /// The first Date field in UTC; nil when absent or unreadable.
    public var date: UnixTime?
    public var inReplyTo: [MessageID]
    public var references: [MessageID]
    /// The Authentication-Results fields (RFC 8601) as they stand there, the topmost first. Anybody can write one:
    /// only a server that is believed makes one of them true. One that is too long to be read is empty.
    public var authenticationResults: [String]
    /// The best plain reading of the body: text/plain, else HTML made readable;
    /// lines end in LF. Nil when there is no readable body.
    public var text: String?
    /// Texts behind the first one that are neither attachments nor another version
    /// of it: what stands between pictures, a list's footer. Belongs to what people
    /// read and search; nil when there is none.
    public var furtherText: String?
    /// Quotations and signature within `text`; nil when all of it is the author's own.
    public var split: TextSplit?
    /// Where `text` came from.
    public var textSource: TextSource
    public var hasHTML: Bool
    /// Every leaf that is not the inline body text, in the order of the message.
    public var attachments: [Attachment]
    /// What the header says about how the message came to be; empty for personal mail.
    public var automation: Automation
    /// Calendars, contacts, reports and protection as values; nil for most mail.
    public var special: SpecialContent?
    /// Equal for two copies that differ only in transport header fields (Received,
    /// Return-Path, Bcc, flags …): a digest over the canonical content fields and the
    /// body with its line ends normalised. Used together with the Message-ID, never alone.
    public var contentDigest: Digest256
    /// A digest over how the body is to be read: the message's own Content-Type and Content-Transfer-Encoding, as they
    /// were understood. The same body reads differently under another boundary, charset or encoding, and then is no copy.
    public var formDigest: Digest256
    /// What was odd or broken, each named once, in order of first meeting.
    public var defects: [Defect]

    public enum TextSource: String, Codable, Sendable {
        case plain, html, none
    }

    public init(contentDigest: Digest256) {
        messageID = nil
        subject = nil
        from = []
        sender = []
        replyTo = []
        to = []
        cc = []
        bcc = []
        followupTo = []
        date = nil
        inReplyTo = []
        references = []
        authenticationResults = []
        text = nil
        furtherText = nil
        split = nil
        textSource = .none
        hasHTML = false
        attachments = []
        automation = Automation()
        special = nil
        self.contentDigest = contentDigest
        formDigest = .zero
        defects = []
    }
}

/// Signs that a program wrote or forwarded the message.
public struct Automation: Codable, Hashable, Sendable {
    /// Auto-Submitted other than `no` (RFC 3834), or a well-known equivalent.
    public var isAutoSubmitted = false
    /// List-Id (RFC 2919) without its brackets, or another sign of a mailing list.
    public var listID: String?
    /// The address that one writes to for the whole list (RFC 2369, 3.4); it comes from the sender and proves nothing.
    public var listPost: EmailAddress?
    /// Precedence bulk, junk or list, or a List-Unsubscribe field.
    public var isBulk = false
    /// How to leave a mailing list (RFC 2369, 3.2); nil where the header does not say.
    public var unsubscribe: Unsubscribe?
    /// A delivery status report (RFC 3464) or a bounce in free text.
    public var isDeliveryReport = false
    /// A calendar invite or reply (text/calendar part).
    public var isCalendar = false
    /// What of the message says the first three of these, and that it is a report.
    public var signs = AutomationSigns()

    /// The List-Unsubscribe field. Its addresses come from the sender and prove nothing.
    public struct Unsubscribe: Codable, Hashable, Sendable {
        public var urls: [String]
        /// One POST to the https address is enough (RFC 8058).
        public var isOneClick: Bool

        public init(urls: [String], isOneClick: Bool) {
            self.urls = urls
            self.isOneClick = isOneClick
        }
    }

    public init() {}

    public var isPersonal: Bool { self == Automation() }
}

/// One thing that was wrong with a message. Defects describe mail, not our failures.
public enum Defect: String, Codable, Sendable, CaseIterable {
    case emptyMessage
    case missingMessageID
    case missingDate
    case unreadableDate
    case missingFrom
    case unreadableAddress
    case duplicateField
    case malformedHeaderLine
    case rawEightBitHeader
    case malformedEncodedWord
    case malformedParameter
    case unknownCharset
    case undecodableText
    case mislabelledCharset
    case malformedBase64
    case malformedQuotedPrintable
    case unknownTransferEncoding
    case missingBoundary
    case missingClosingBoundary
    case structureRepaired
    case malformedHTML
    /// A packed file (yEnc, winmail.dat, a signed S/MIME body) is cut or contradicts its checksum.
    case damagedFile
    case depthLimit
    case partLimit
    case headerLimit
    case fieldLimit
    case addressLimit
    case textLimit
    /// A full reading failed; what is there was read by our own code alone.
    case parserFailure
}
