public import MailModel

/// A mail as a session takes it.
public struct SMTPMail: Sendable {
    public enum Content: Sendable {
        case bytes([UInt8])
        /// Read piece by piece until an empty one: a large mail is never in memory as a whole.
        case pieces(@Sendable (Int) async throws(MailFailure) -> [UInt8])
    }

    /// Nil is the null reverse-path.
    public var sender: SMTPPath?
    public var recipients: [SMTPPath]
    /// Printable ASCII; told to servers that offer DSN (RFC 3461).
    public var envelopeID: String
    /// Header fields hold what only SMTPUTF8 carries.
    public var needsSMTPUTF8: Bool
    /// In bytes, before dot stuffing.
    public var size: Int
    public var content: Content
    /// The SHA-256 of the content, without which it does not go out; nil where nobody knows it.
    public var digest: [UInt8]?

    public init(
        sender: SMTPPath?, recipients: [SMTPPath], envelopeID: String, needsSMTPUTF8: Bool, size: Int,
        content: Content, digest: [UInt8]? = nil
    ) {
        self.sender = sender
        self.recipients = recipients
        self.envelopeID = envelopeID
        self.needsSMTPUTF8 = needsSMTPUTF8
        self.size = size
        self.content = content
        self.digest = digest
    }
}

/// How far a session had come.
public enum SMTPStage: String, Sendable, Hashable, CaseIterable {
    case connect, mail, rcpt, data
    case endOfData = "end-of-data"
}

/// All that happened to one mail on one session.
public struct Transmission: Sendable, Hashable {
    public enum Ending: Sendable, Hashable {
        /// The server has taken it for every recipient whose RCPT it had accepted.
        case accepted(SMTPReply)
        /// It is not taken for anybody who has no refusal of their own.
        case refused(SMTPStage, SMTPReply)
        /// Each recipient has a refusal of their own.
        case nobodyAccepted
        /// The connection was lost before the end of the data was sent: the server cannot have it.
        case broken(SMTPStage, MailFailure)
        /// The end of the data may have arrived, and its reply did not: nobody knows.
        case unanswered(MailFailure)
        /// This server cannot be given this mail; nothing of it was sent.
        case unsendable(MailFailure)
        /// The caller could not go on before the data.
        case abandoned(MailFailure)
    }

    /// To RCPT, by the recipient's place in the mail.
    public var recipientReplies: [Int: SMTPReply]
    public var ending: Ending

    public init(recipientReplies: [Int: SMTPReply], ending: Ending) {
        self.recipientReplies = recipientReplies
        self.ending = ending
    }
}
