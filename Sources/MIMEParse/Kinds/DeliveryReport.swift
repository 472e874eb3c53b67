public import MailModel

/// What a mail system says about the delivery of a message (RFC 3464, RFC 6533), or a bounce
/// in free text says in its own words.
public struct DeliveryReport: Codable, Hashable, Sendable {
    /// What became of the message for one recipient (RFC 3464, 2.3.3).
    public enum Action: String, Codable, Sendable {
        case failed, delayed, delivered, relayed, expanded
    }

    /// Whether trying again may help; only for what has not been delivered.
    public enum Failure: String, Codable, Sendable {
        /// The address will not work.
        case hard
        /// Later it may: a full mailbox, a server that does not answer.
        case soft
        /// The report does not say.
        case unknown
    }

    public struct Recipient: Codable, Hashable, Sendable {
        public var originalRecipient: String?
        public var finalRecipient: String?
        public var action: Action?
        public var status: EnhancedStatus?
        public var failure: Failure?
        /// What the refusing server said.
        public var diagnostic: String?
        public var remoteMTA: String?
        public var willRetryUntil: UnixTime?

        enum CodingKeys: String, CodingKey {
            case action, status, failure, diagnostic
            case originalRecipient = "original_recipient"
            case finalRecipient = "final_recipient"
            case remoteMTA = "remote_mta"
            case willRetryUntil = "will_retry_until"
        }
    }

    public var recipients: [Recipient]
    public var reportingMTA: String?
    /// The ENVID that the sender gave (RFC 3461, 4.4).
    public var envelopeID: String?
    public var original: ReportedMessage?
    /// Read out of words that a program wrote for people, not out of a report's fields: good
    /// for showing, and less certain.
    public var isFreeText: Bool

    enum CodingKeys: String, CodingKey {
        case recipients, original
        case reportingMTA = "reporting_mta"
        case envelopeID = "envelope_id"
        case isFreeText = "free_text"
    }

    /// Reads the fields of a message/delivery-status part; nil without any of them.
    init?(fields bytes: UnsafeRawBufferPointer) {
        let groups = ReportFields.groups(bytes)
        guard let first = groups.first else { return nil }
        // Some writers put no blank line between the message's fields and the recipient's.
        let isMessageGroup = first["final-recipient"] == nil && first["action"] == nil
        reportingMTA = first.typed("reporting-mta")
        envelopeID = first["original-envelope-id"]?.nonEmpty
        recipients = groups.dropFirst(isMessageGroup ? 1 : 0).compactMap(Recipient.init)
        isFreeText = false
        if let identifier = first.identifier("x-original-message-id")
            ?? first.identifier("original-message-id")
        {
            original = ReportedMessage(messageID: identifier)
        }
    }

    init(freeText recipients: [Recipient], original: ReportedMessage?) {
        self.recipients = recipients
        self.original = original
        isFreeText = true
    }
}

extension DeliveryReport.Recipient {
    init?(_ group: ReportFields.Group) {
        guard group.has("final-recipient") || group.has("original-recipient") || group.has("action")
        else { return nil }
        originalRecipient = group.address("original-recipient")
        finalRecipient = group.address("final-recipient")
        action = group["action"].flatMap { value in
            DeliveryReport.Action(rawValue: String(value.lowercased().prefix { $0.isLetter }))
        }
        diagnostic = group.typed("diagnostic-code")
        // The diagnostic often knows more than a status of 5.0.0.
        let written = group["status"].flatMap { EnhancedStatus(firstIn: $0) }
        let said = diagnostic.flatMap { EnhancedStatus(firstIn: $0) }
        status = written.map { $0.isUndefined && said?.class == $0.class ? said ?? $0 : $0 } ?? said
        remoteMTA = group.typed("remote-mta")
        willRetryUntil = group.time("will-retry-until")
        failure = Self.failure(action: action, status: status)
    }

    static func failure(action: DeliveryReport.Action?, status: EnhancedStatus?) -> DeliveryReport.Failure? {
        switch action {
        case .delivered, .relayed, .expanded: nil
        case .delayed: .soft
        case .failed, nil:
            switch status?.class {
            // A full mailbox is failed for this message, and not for the address.
            case 5: status?.isMailboxFull == true ? .soft : .hard
            case 4: .soft
            case 2: nil
            default: .unknown
            }
        }
    }
}

/// The message that a report is about, as far as the report returns it.
public struct ReportedMessage: Codable, Hashable, Sendable {
    public var messageID: MessageID?
    public var subject: String?
    public var to: [String]?

    enum CodingKeys: String, CodingKey {
        case subject, to
        case messageID = "message_id"
    }

    init(messageID: MessageID) { self.messageID = messageID }

    /// Reads a returned message or header (message/rfc822, text/rfc822-headers); nil when it
    /// says nothing of use.
    init?(returned bytes: UnsafeRawBufferPointer, limits: MailLimits) {
        var defects = DefectLog()
        let start = MessageSource.start(of: bytes)
        let header = HeaderReader(bytes: bytes, limits: limits).read(
            from: start, isRoot: true, defects: &defects, stopsAt: { _ in false })
        let message = MessageFields(
            bytes: bytes, header: header, limits: limits, fallbackLabel: nil, defects: defects
        ).read().value
        guard message.messageID != nil || message.subject != nil || !message.to.isEmpty else { return nil }
        messageID = message.messageID
        subject = message.subject
        to = message.to.isEmpty ? nil : message.to.prefix(100).map(\.address.addrSpec)
    }
}
