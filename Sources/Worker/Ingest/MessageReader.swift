public import Archive
import Crypto
public import MIMEParse
public import MailModel
import Matcher

/// One message as it came from a server or a file.
public struct ReceivedMessage: Sendable {
    public var folder: FolderID
    public var uidValidity: UIDValidity
    /// Nil for imported mail.
    public var uid: UID?
    /// When the server took the message in (RFC 9051, 2.3.3).
    public var internalDate: UnixTime?
    public var bytes: MessageBytes

    public init(
        folder: FolderID, uidValidity: UIDValidity, uid: UID?, internalDate: UnixTime?, bytes: MessageBytes
    ) {
        self.folder = folder
        self.uidValidity = uidValidity
        self.uid = uid
        self.internalDate = internalDate
        self.bytes = bytes
    }
}

/// Turns what was received and read into what the archive stores. Pure, and safe to run side by side.
public enum MessageReader {
    /// Characters of the body that are kept beside the message for listings.
    static let snippetLength = 200

    /// The digest is taken here, of the very bytes that are stored, whoever has read them.
    static func arrival(of received: ReceivedMessage, read outcome: ParseOutcome) -> Arrival {
        let digest = received.bytes.withUnsafeBytes { bytes in
            // A SHA-256 has 32 bytes.
            Digest256(bytes: SHA256.hash(data: bytes))!
        }
        return Arrival(
            folder: received.folder, uidValidity: received.uidValidity, uid: received.uid,
            internalDate: received.internalDate, original: received.bytes, originalDigest: digest,
            content: content(of: outcome), parserVersion: MIMEParser.version)
    }

    /// What ingest stores of a message besides its bytes.
    /// Nil when it could not be read: such a message is quarantined with its original.
    public static func content(of outcome: ParseOutcome) -> Content? {
        guard case .read(let parsed) = outcome else { return nil }
        var content = Content(contentDigest: parsed.contentDigest)
        content.formDigest = parsed.formDigest
        content.messageID = parsed.messageID
        content.subject = parsed.subject
        content.date = parsed.date
        content.participants = participants(of: parsed)
        content.attachments = parsed.attachments
        content.isDeliveryReport = parsed.automation.isDeliveryReport
        content.returned = returned(in: parsed)
        content.category = category(of: parsed.automation)
        content.inReplyTo = parsed.inReplyTo
        content.references = parsed.references
        content.authenticationResults = parsed.authenticationResults
        content.snippet = parsed.text.map(snippet)
        content.defects = parsed.defects.map(\.rawValue)
        content.signature = SignatureLines.text(of: parsed)
        return content
    }

    /// What came back, whichever way it was written: a report's fields (RFC 3464), X-Failed-Recipients, or words.
    private static func returned(in parsed: ParsedMessage) -> ReturnedReport? {
        guard let report = parsed.special?.deliveryReport else { return nil }
        // Exchange and Gmail name the mail in the thread fields too, and some name it nowhere else.
        let named =
            report.original?.messageID.map { [$0] } ?? (parsed.inReplyTo + parsed.references.reversed())
        return ReturnedReport(
            envelopeID: report.envelopeID, messageIDs: named,
            recipients: report.recipients.map { recipient in
                ReturnedReport.Recipient(
                    addresses: [recipient.originalRecipient, recipient.finalRecipient].compactMap {
                        $0.flatMap { EmailAddress($0) }
                    },
                    action: recipient.action?.rawValue,
                    failure: recipient.failure.flatMap { ReturnedReport.Failure(rawValue: $0.rawValue) },
                    status: recipient.status?.text, diagnostic: recipient.diagnostic)
            })
    }

    private static func participants(of parsed: ParsedMessage) -> [Participant] {
        let fields: [(ParticipantRole, [Mailbox])] = [
            (.from, parsed.from), (.sender, parsed.sender), (.replyTo, parsed.replyTo),
            (.to, parsed.to), (.cc, parsed.cc), (.bcc, parsed.bcc),
        ]
        return fields.flatMap { role, mailboxes in mailboxes.map { Participant(role: role, mailbox: $0) } }
    }

    private static func category(of automation: Automation) -> MessageCategory {
        if automation.isDeliveryReport { return .report }
        if automation.listID != nil || automation.isBulk { return .list }
        if automation.isAutoSubmitted { return .automatic }
        return .personal
    }

    /// The first words on one line. Works on UTF-8, since it runs for every message.
    static func snippet(of text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 * snippetLength)
        var pendingSpace = false
        var characters = 0
        for byte in text.utf8 {
            if byte == 0x20 || (0x09...0x0D).contains(byte) {
                pendingSpace = !bytes.isEmpty
                continue
            }
            // Counts what begins a character, so that none is cut in two.
            if byte & 0xC0 != 0x80 {
                characters += pendingSpace ? 2 : 1
                if characters > snippetLength { break }
                if pendingSpace { bytes.append(0x20) }
                pendingSpace = false
            }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
