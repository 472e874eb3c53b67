/// Who sends and who receives, as the server is told (RFC 5321, 2.3.1). What the header says
/// is another matter.
public struct Envelope: Sendable, Hashable {
    /// Nil: the null reverse-path `<>`.
    public var sender: SMTPPath?
    /// Each address once, in any case of its letters, in the order of To, Cc and Bcc.
    public var recipients: [SMTPPath]

    public init(sender: SMTPPath?, recipients: [SMTPPath]) {
        self.sender = sender
        self.recipients = recipients
    }

    public var needsSMTPUTF8: Bool {
        sender?.needsSMTPUTF8 ?? false || recipients.contains(where: \.needsSMTPUTF8)
    }
}
