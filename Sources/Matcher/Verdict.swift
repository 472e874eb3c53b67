public import MailModel

/// One contact that takes part in a message, and through which address.
public struct MatchedContact: Sendable, Hashable {
    public var contact: ContactID
    public var role: ParticipantRole
    public var canonical: CanonicalAddress
    public var address: EmailAddress

    public init(
        contact: ContactID, role: ParticipantRole, canonical: CanonicalAddress, address: EmailAddress
    ) {
        self.contact = contact
        self.role = role
        self.canonical = canonical
        self.address = address
    }
}

/// Why a message waits for a person.
public struct ReviewSubject: Sendable, Hashable {
    /// The counterpart whom nobody knows; nil when the message names none.
    public var participant: Participant?
    public var canonical: CanonicalAddress?

    public init(participant: Participant?, canonical: CanonicalAddress?) {
        self.participant = participant
        self.canonical = canonical
    }

    /// The sentence that the queue shows.
    public var reason: String {
        guard let participant else { return "No address could be read" }
        return "No matching contacts for \(participant.mailbox.address.lowercased)"
    }
}

/// Where one message belongs.
public enum Verdict: Sendable, Hashable {
    /// Into the history of every contact that takes part, each named once.
    case linked([MatchedContact])
    /// One item of the queue.
    case review(ReviewSubject)
    /// Nowhere, by a rule of the company's.
    case ignored(IgnoreRuleID)
    /// Nowhere: users of the company wrote to each other.
    case `internal`
}

/// A verdict and the direction it was reached under.
public struct MatchResult: Sendable, Hashable {
    public var direction: Direction
    public var verdict: Verdict

    public init(direction: Direction, verdict: Verdict) {
        self.direction = direction
        self.verdict = verdict
    }
}
