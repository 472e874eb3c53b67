public import MailModel

/// The field of a message in which an address took part.
public enum ParticipantRole: String, Sendable, Codable, CaseIterable {
    case from, sender
    case replyTo = "reply-to"
    case to, cc, bcc
}

/// One address of a message, with the field it stood in.
public struct Participant: Hashable, Sendable, Codable {
    public var role: ParticipantRole
    public var mailbox: Mailbox

    public init(role: ParticipantRole, mailbox: Mailbox) {
        self.role = role
        self.mailbox = mailbox
    }
}

/// Which way a message went, seen from the company.
public enum Direction: String, Sendable, Codable {
    case incoming, outgoing, `internal`
}

/// What the matcher needs to know about one message.
public struct MatchFacts: Sendable, Hashable {
    /// In the order of the message.
    public var participants: [Participant]
    /// A delivery report quotes the people whom mail did not reach, in places where
    /// others name their senders; its addresses link nobody.
    public var isDeliveryReport: Bool

    public init(participants: [Participant], isDeliveryReport: Bool = false) {
        self.participants = participants
        self.isDeliveryReport = isDeliveryReport
    }
}

/// What is known of a message besides its participants.
public struct MessageCircumstances: Sendable, Hashable {
    public var isDeliveryReport: Bool
    /// Nil without a configured authority.
    public var senderCheck: SenderCheck?
    /// A copy lies in a Sent folder of ours, which only a user fills: the field From of mail that came in
    /// may be anybody's work.
    public var hasSentCopy: Bool
    /// The message that we sent and that this one answers; nil when it answers none.
    public var answered: AnsweredMessage?

    public init(
        isDeliveryReport: Bool = false, senderCheck: SenderCheck? = nil, hasSentCopy: Bool = false,
        answered: AnsweredMessage? = nil
    ) {
        self.isDeliveryReport = isDeliveryReport
        self.senderCheck = senderCheck
        self.hasSentCopy = hasSentCopy
        self.answered = answered
    }

    /// It came in, and the authority says that its author did not write it.
    public var isDisowned: Bool { !hasSentCopy && senderCheck?.outcome == .failed }
}

/// A message of a user's own, to which another one refers.
public struct AnsweredMessage: Sendable, Hashable {
    /// Where the archive has it, with its number there.
    public enum Place: Sendable, Hashable {
        case message(Int64)
        /// It has left by the outbox, and is in no history yet.
        case outbox(Int64)
    }

    public var place: Place
    /// In whose histories it stands, or will.
    public var contacts: [ContactID]

    public init(_ place: Place, contacts: [ContactID]) {
        self.place = place
        self.contacts = contacts
    }
}

/// What is known about one address.
public struct AddressStanding: Sendable, Hashable {
    /// A user of the company, or a mailbox that is polled.
    public var isOwn: Bool
    /// Everybody who has the address; usually nobody or one.
    public var contacts: [ContactID]
    /// The rule that ignores mail with this address, when there is one.
    public var ignoredBy: IgnoreRuleID?

    public init(isOwn: Bool = false, contacts: [ContactID] = [], ignoredBy: IgnoreRuleID? = nil) {
        self.isOwn = isOwn
        self.contacts = contacts
        self.ignoredBy = ignoredBy
    }

    public static let unknown = AddressStanding()
}
