import MailModel

/// Decides to whom a message belongs. Pure: what is known about an address comes
/// in through a function, a verdict goes out.
///
/// Only addr-specs decide, never display names. Every participant is a candidate
/// except the users' own addresses, and all contacts among them are linked.
public enum Matcher {
    /// - Parameter standing: what is known about an address; asked once for each
    ///   participant.
    public static func match<Failure: Error>(
        _ facts: MatchFacts,
        standing: (CanonicalAddress) throws(Failure) -> AddressStanding
    ) throws(Failure) -> MatchResult {
        var known: [KnownParticipant] = []
        known.reserveCapacity(facts.participants.count)
        for participant in facts.participants {
            let canonical = CanonicalAddress(participant.mailbox.address)
            known.append(
                KnownParticipant(
                    participant: participant, canonical: canonical, standing: try standing(canonical)))
        }
        return match(known, isDeliveryReport: facts.isDeliveryReport)
    }

    /// The same for participants whose standing has been looked up already.
    public static func match(_ known: [KnownParticipant], isDeliveryReport: Bool) -> MatchResult {
        let direction = direction(of: known)
        let matched = isDeliveryReport ? [] : matchedContacts(among: known)
        if !matched.isEmpty { return MatchResult(direction: direction, verdict: .linked(matched)) }
        if direction == .internal { return MatchResult(direction: direction, verdict: .internal) }

        let counterparts = counterparts(among: known, direction: direction)
        if let waiting = counterparts.first(where: { $0.standing.ignoredBy == nil }) {
            let subject = ReviewSubject(participant: waiting.participant, canonical: waiting.canonical)
            return MatchResult(direction: direction, verdict: .review(subject))
        }
        if let rule = counterparts.first?.standing.ignoredBy {
            return MatchResult(direction: direction, verdict: .ignored(rule))
        }
        let nobody = ReviewSubject(participant: nil, canonical: nil)
        return MatchResult(direction: direction, verdict: .review(nobody))
    }

    /// The contacts among some participants, each once, named by the first role they
    /// have in the order From, Sender, Reply-To, To, Cc, Bcc.
    public static func matchedContacts(among known: [KnownParticipant]) -> [MatchedContact] {
        var matched: [MatchedContact] = []
        var seen: Set<ContactID> = []
        for role in ParticipantRole.allCases {
            for one in known where one.participant.role == role && !one.standing.isOwn {
                for contact in one.standing.contacts where seen.insert(contact).inserted {
                    matched.append(
                        MatchedContact(
                            contact: contact, role: role, canonical: one.canonical,
                            address: one.participant.mailbox.address))
                }
            }
        }
        return matched
    }

    private static func direction(of known: [KnownParticipant]) -> Direction {
        let hasFrom = known.contains { $0.participant.role == .from }
        let isOurs = known.contains {
            $0.participant.role == (hasFrom ? .from : .sender) && $0.standing.isOwn
        }
        guard isOurs else { return .incoming }
        let recipients = known.filter { $0.participant.role.isRecipient }
        // Without a readable recipient nothing says that the mail stayed inside.
        return !recipients.isEmpty && recipients.allSatisfy(\.standing.isOwn) ? .internal : .outgoing
    }

    /// The strangers whom a review item may stand under, the best first.
    private static func counterparts(among known: [KnownParticipant], direction: Direction)
        -> [KnownParticipant]
    {
        let strangers = known.filter { !$0.standing.isOwn }
        guard direction == .incoming else {
            return [.to, .cc, .bcc].flatMap { role in strangers.filter { $0.participant.role == role } }
        }
        // Of incoming mail only the author counts: To and Cc are other people.
        for role in [ParticipantRole.from, .sender, .replyTo] {
            let authors = strangers.filter { $0.participant.role == role }
            if !authors.isEmpty { return authors }
        }
        return []
    }
}

/// A participant with what is known about the address.
public struct KnownParticipant: Sendable, Hashable {
    public var participant: Participant
    public var canonical: CanonicalAddress
    public var standing: AddressStanding

    public init(participant: Participant, canonical: CanonicalAddress, standing: AddressStanding) {
        self.participant = participant
        self.canonical = canonical
        self.standing = standing
    }
}

extension ParticipantRole {
    public var isRecipient: Bool { self == .to || self == .cc || self == .bcc }
}
