import MailModel

/// Of whom leads are made without a person's asking.
public enum LeadCreation: String, Sendable, Hashable, CaseIterable {
    /// Of nobody.
    case off
    /// Of people whom a user has written to.
    case correspondents
    /// Of these, and of everybody who writes to a user in person.
    case personal
}

/// Why a lead was made.
public enum LeadReason: String, Sendable, Hashable, Codable {
    case correspondent, sender

    /// For people.
    public var words: String {
        switch self {
        case .correspondent: "somebody whom a user has written to"
        case .sender: "somebody who has written to a user"
        }
    }
}

/// What is known of the one whom a message waits for.
public struct LeadFacts: Sendable, Hashable {
    public var direction: Direction
    /// Neither a list's nor a program's, nor a report.
    public var isPersonal: Bool
    public var subject: ReviewSubject
    /// Authors of incoming mail, recipients of outgoing.
    public var companions: Int
    public var senderCheck: SenderCheck.Outcome?
    /// The message lies in a Sent folder of ours: the field From alone could be forged.
    public var isFromSentFolder: Bool

    public init(
        direction: Direction, isPersonal: Bool, subject: ReviewSubject, companions: Int,
        senderCheck: SenderCheck.Outcome?, isFromSentFolder: Bool
    ) {
        self.direction = direction
        self.isPersonal = isPersonal
        self.subject = subject
        self.companions = companions
        self.senderCheck = senderCheck
        self.isFromSentFolder = isFromSentFolder
    }
}

extension LeadCreation {
    /// More recipients than a letter has: a mailing, whose people nobody has written to in person.
    private static let mailing = 10

    /// Whether mail makes a lead of the one whom it waits for, as far as the mail itself says. Who looks like
    /// somebody known, or is disowned by the domain, is a person's to judge.
    ///
    /// - Parameter wasWrittenTo: whether a user has written to the address; asked only where it matters.
    public func reason<Failure: Error>(
        for facts: LeadFacts, wasWrittenTo: () throws(Failure) -> Bool
    ) throws(Failure) -> LeadReason? {
        guard self != .off, facts.isPersonal, facts.subject.kind == .unknown,
            let participant = facts.subject.participant,
            let canonical = facts.subject.canonical, facts.senderCheck != .failed,
            canonical.domain.contains("."), !UnattendedAddress.contains(canonical),
            !participant.mailbox.namesAnother
        else { return nil }
        switch facts.direction {
        case .internal: return nil
        case .outgoing:
            return facts.isFromSentFolder && facts.companions <= Self.mailing ? .correspondent : nil
        case .incoming:
            guard participant.role == .from, facts.companions == 1 else { return nil }
            if try wasWrittenTo() { return .correspondent }
            return self == .personal ? .sender : nil
        }
    }
}
