public import MailModel

/// What a delivery report says, as far as it may be about mail that was sent from here. Everything in it comes
/// from outside: it counts only where it names a mail of the outbox and one of that mail's recipients.
public struct ReturnedReport: Sendable, Hashable {
    /// Whether another try may help (RFC 3463, 2); nil for what arrived.
    public enum Failure: String, Sendable {
        case hard, soft, unknown
    }

    public struct Recipient: Sendable, Hashable {
        /// The address that the mail was given for first, then the one where it ended (RFC 3464, 2.3.1, 2.3.2).
        public var addresses: [EmailAddress]
        /// failed, delayed, delivered, relayed or expanded.
        public var action: String?
        public var failure: Failure?
        /// The enhanced status, such as 5.1.1.
        public var status: String?
        public var diagnostic: String?

        public init(
            addresses: [EmailAddress], action: String?, failure: Failure?, status: String?,
            diagnostic: String?
        ) {
            self.addresses = addresses
            self.action = action
            self.failure = failure
            self.status = status
            self.diagnostic = diagnostic
        }
    }

    /// The ENVID that the mail was sent with (RFC 3461, 4.4).
    public var envelopeID: String?
    /// The Message-ID of the mail that came back; where the report returns none, of those that it answers.
    public var messageIDs: [MessageID]
    public var recipients: [Recipient]

    public init(envelopeID: String?, messageIDs: [MessageID], recipients: [Recipient]) {
        self.envelopeID = envelopeID
        self.messageIDs = messageIDs
        self.recipients = recipients
    }
}
