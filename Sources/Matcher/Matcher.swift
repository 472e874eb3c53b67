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
        return match(known, MessageCircumstances(isDeliveryReport: facts.isDeliveryReport))
    }

    /// The same for participants whose standing has been looked up already.
    public static func match(
        _ known: [KnownParticipant], _ circumstances: MessageCircumstances = MessageCircumstances(),
        policy: MatchPolicy = MatchPolicy()
    ) -> MatchResult {
        let direction = direction(of: known, circumstances)
        let matched = circumstances.isDeliveryReport ? [] : matchedContacts(among: known)
        if !matched.isEmpty {
            if let subject = unverified(known, matched, circumstances, policy) {
                return MatchResult(direction: direction, verdict: .review(subject))
            }
            return MatchResult(direction: direction, verdict: .linked(matched))
        }
        if direction == .internal { return MatchResult(direction: direction, verdict: .internal) }

        if let user = ownAuthor(forgedIn: known, circumstances) {
            if let rule = user.standing.ignoredBy {
                return MatchResult(direction: direction, verdict: .ignored(rule))
            }
            let forged = ReviewSubject(
                participant: user.participant, canonical: user.canonical, kind: .unverified,
                facts: circumstances.senderCheck?.facts)
            return MatchResult(direction: direction, verdict: .review(forged))
        }
        let counterparts = counterparts(among: known, direction: direction)
        if let waiting = counterparts.first(where: { $0.standing.ignoredBy == nil }) {
            let verdict = verdict(on: waiting, circumstances, policy, direction)
            return MatchResult(direction: direction, verdict: verdict)
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

    /// A known author, or a user, who by the authority's word did not write the message. Nil also where
    /// the administrator links such mail all the same.
    private static func unverified(
        _ known: [KnownParticipant], _ matched: [MatchedContact], _ circumstances: MessageCircumstances,
        _ policy: MatchPolicy
    ) -> ReviewSubject? {
        let authors = known.filter { $0.participant.role == .from }
        guard policy.unverified == .review, circumstances.isDisowned,
            let author = authors.first(where: { !$0.standing.isOwn }) ?? authors.first,
            author.standing.isOwn || matched.contains(where: { !$0.role.isRecipient })
        else { return nil }
        return ReviewSubject(
            participant: author.participant, canonical: author.canonical, kind: .unverified,
            facts: circumstances.senderCheck?.facts)
    }

    /// The user in whose name alone a message came that is not the user's. Where it names no contact it is nobody's
    /// history, and neither is it mail among users.
    private static func ownAuthor(
        forgedIn known: [KnownParticipant], _ circumstances: MessageCircumstances
    ) -> KnownParticipant? {
        guard circumstances.isDisowned, !circumstances.isDeliveryReport else { return nil }
        let authors = known.filter { $0.participant.role == .from }
        return authors.allSatisfy(\.standing.isOwn) ? authors.first : nil
    }

    /// What becomes of mail whose counterpart nobody knows: it waits, unless it answers mail of
    /// ours and the administrator lets that link it. A reference to anybody else's message can be
    /// copied by a stranger and links nothing.
    private static func verdict(
        on waiting: KnownParticipant, _ circumstances: MessageCircumstances, _ policy: MatchPolicy,
        _ direction: Direction
    ) -> Verdict {
        var subject = ReviewSubject(participant: waiting.participant, canonical: waiting.canonical)
        guard policy.threads == .link, direction == .incoming, !circumstances.isDeliveryReport,
            circumstances.senderCheck?.outcome != .failed, let answered = circumstances.answered,
            let contact = answered.contacts.first
        else { return .review(subject) }
        guard answered.contacts.count == 1 else {
            subject.kind = .ambiguous
            return .review(subject)
        }
        return .linked([
            MatchedContact(
                contact: contact, role: waiting.participant.role, canonical: waiting.canonical,
                address: waiting.participant.mailbox.address, answered: answered.place)
        ])
    }

    private static func direction(
        of known: [KnownParticipant], _ circumstances: MessageCircumstances
    ) -> Direction {
        let authors = authors(of: known)
        // Anybody may put a user's address beside another author's, and one's own in a Sent folder nobody may.
        let isOurs =
            circumstances.hasSentCopy
            ? authors.contains(where: \.standing.isOwn)
            : !authors.isEmpty && authors.allSatisfy(\.standing.isOwn)
        guard isOurs, !circumstances.isDisowned else { return .incoming }
        let recipients = known.filter { $0.participant.role.isRecipient }
        // Without a readable recipient nothing says that the mail stayed inside.
        return !recipients.isEmpty && recipients.allSatisfy(\.standing.isOwn) ? .internal : .outgoing
    }

    /// Who stands in From, or where that is missing in Sender.
    static func authors(of known: [KnownParticipant]) -> [KnownParticipant] {
        let hasFrom = known.contains { $0.participant.role == .from }
        return known.filter { $0.participant.role == (hasFrom ? .from : .sender) }
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
