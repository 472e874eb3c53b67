public import MailModel

/// One contact that takes part in a message, and through which address.
public struct MatchedContact: Sendable, Hashable {
    public var contact: ContactID
    public var role: ParticipantRole
    public var canonical: CanonicalAddress
    public var address: EmailAddress
    /// The message of ours that was answered, when that is what links the contact; the address
    /// is then the stranger's who answered.
    public var answered: AnsweredMessage.Place?

    public init(
        contact: ContactID, role: ParticipantRole, canonical: CanonicalAddress, address: EmailAddress,
        answered: AnsweredMessage.Place? = nil
    ) {
        self.contact = contact
        self.role = role
        self.canonical = canonical
        self.address = address
        self.answered = answered
    }
}

/// The kinds of questions that the queue asks.
public enum ReviewKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Nobody has the address.
    case unknown
    /// The message could not be read.
    case unreadable
    /// A thread leads to several contacts.
    case ambiguous
    /// A contact's address, of which the authority says that it did not send the message.
    case unverified
    /// An address that could be taken for a known one.
    case lookAlike = "look-alike"
    /// A person took the message out of a history.
    case unlinked
}

/// Why a message waits for a person.
public struct ReviewSubject: Sendable, Hashable {
    /// The counterpart whom nobody knows; nil when the message names none.
    public var participant: Participant?
    public var canonical: CanonicalAddress?
    public var kind: ReviewKind
    /// What an authority said, for an unverified sender.
    public var facts: String?
    /// Whom the address could be taken for.
    public var lookAlike: LookAlike? {
        didSet { if lookAlike != nil, kind == .unknown { kind = .lookAlike } }
    }

    public init(
        participant: Participant?, canonical: CanonicalAddress?, kind: ReviewKind = .unknown,
        facts: String? = nil
    ) {
        self.participant = participant
        self.canonical = canonical
        self.kind = kind
        self.facts = facts
    }

    /// The sentence that the queue shows.
    public var reason: String {
        guard let participant else { return "No address could be read" }
        let address = participant.mailbox.address.lowercased
        let known = "No matching contacts for \(address)"
        switch kind {
        case .unverified: return "Unverified sender \(address)" + (facts.map { ": \($0)" } ?? "")
        case .ambiguous: return known + ": the thread belongs to several contacts"
        default: return known + (lookAlike.map { ": \($0.warning)" } ?? "")
        }
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
