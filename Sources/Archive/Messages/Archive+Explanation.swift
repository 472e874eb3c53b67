import GRDB
public import MailModel
import Matcher

extension Archive {
    /// Why a message is where it is. What the viewer does not see of contacts, mail and mailboxes is no fact of it.
    ///
    /// - Throws: `unknown.message`; `rights.undisclosed` when the viewer sees no more than that there is such a message.
    public func explanation(of id: ArchivedMessageID) throws(MailFailure) -> Explanation {
        let message = try self.message(id)
        guard message.disclosure >= .people else { throw Self.undisclosed }
        let policy = matching
        let decisions = try read { db, sight in
            guard let finding = try Rejudging(db, policy: policy).judge(id) else {
                throw Self.unknownMessage(id.description)
            }
            let explaining = Explaining(
                db: db, sight: sight, policy: policy, message: message, finding: finding)
            return try explaining.decisions()
        }
        return Explanation(message: message, decisions: decisions)
    }
}

/// Puts the facts of one message's decisions into words, within one reading.
private struct Explaining {
    typealias Decision = Explanation.Decision

    let db: Database
    let sight: Sight
    let policy: MatchPolicy
    let message: ArchivedMessage
    let finding: Rejudging.Finding

    func decisions() throws -> [Decision] {
        var decisions = [direction, Decision(about: Explanation.kind, outcome: message.category.rawValue)]
        if let sender { decisions.append(sender) }
        // Blind recipients that the viewer does not see are not among the message's.
        let shown = Set(message.participants.map { Shown($0.role, $0.canonical) })
        for known in finding.participants where shown.contains(Shown(known.participant.role, known.canonical))
        {
            decisions.append(try address(known))
        }
        decisions += try ThreadReference.all(of: message.id, db, sight).map(reference)
        if let lookAlike = try lookAlike() { decisions.append(lookAlike) }
        decisions.append(try verdict())
        return decisions
    }

    private struct Shown: Hashable {
        var role: ParticipantRole
        var canonical: CanonicalAddress

        init(_ role: ParticipantRole, _ canonical: CanonicalAddress) {
            self.role = role
            self.canonical = canonical
        }
    }

    private var direction: Decision {
        let today = finding.result.direction
        var because = [Matcher.directionReason(of: seen, finding.circumstances)]
        if today != message.direction {
            because.append(
                "it would be \(today.rawValue) today: the company's own addresses have changed since")
        }
        return Decision(about: "direction", outcome: message.direction.rawValue, because: because)
    }

    /// The participants whom the viewer sees.
    private var seen: [KnownParticipant] {
        finding.participants.filter { !hidesBlind || $0.participant.role != .bcc }
    }

    /// Whether there are blind recipients whom the viewer does not see.
    private var hidesBlind: Bool {
        finding.participants.contains { $0.participant.role == .bcc }
            && !message.participants.contains { $0.role == .bcc }
    }

    /// Nil for mail of ours, which the server that takes it in does not check.
    private var sender: Decision? {
        guard !finding.circumstances.hasSentCopy else { return nil }
        guard let check = finding.circumstances.senderCheck else {
            guard message.direction == .incoming else { return nil }
            return Decision(
                about: "sender", outcome: "not checked",
                because: [
                    "when it came, no server's Authentication-Results were believed in this mailbox "
                        + "([matching] authorities)"
                ])
        }
        var because = check.facts.map { [$0] } ?? ["the authority says nothing of its domain"]
        if check.outcome == .failed {
            // Under an address of ours it waits in any case.
            var waits = policy.unverified == .review
            if case .review(let subject) = finding.result.verdict, subject.kind == .unverified {
                waits = true
            }
            because.append(
                waits
                    ? "mail of a contact or a user whose domain did not send it waits for a person"
                    : "such mail is linked all the same, by [matching] unverified = \"link\"")
        }
        return Decision(about: "sender", outcome: check.outcome.rawValue, because: because)
    }

    private func address(_ known: KnownParticipant) throws -> Decision {
        let address = known.participant.mailbox.address
        var because: [String] = []
        let changes = CanonicalAddress.changes(in: address)
        if known.canonical.rawValue != address.lowercased {
            because.append(
                "compared as \(known.canonical.rawValue)"
                    + (changes.isEmpty ? "" : ": " + changes.joined(separator: "; ")))
        }
        if finding.circumstances.isDeliveryReport {
            because.append("a delivery report's addresses are those it quotes, and link nobody")
        }
        let about = "\(known.participant.role.rawValue) \(address.lowercased)"
        if known.standing.isOwn {
            because.append("a user's address, or a mailbox's, links nobody")
            return Decision(about: about, outcome: "of the company", because: because)
        }
        let contacts = try names(of: known.standing.contacts)
        if let rule = known.standing.ignoredBy, let pattern = try pattern(of: rule) {
            because.append("the rule for \(pattern) covers it")
            if !contacts.isEmpty { because.append("a rule takes no mail of a contact") }
        }
        return Decision(
            about: about, outcome: contacts.isEmpty ? "of nobody" : "of \(contacts.joined(separator: ", "))",
            because: because)
    }

    private func reference(_ reference: ThreadReference) -> Decision {
        let outcome: String
        switch reference.place {
        case nil: outcome = "no message that is here"
        case .message(let number)?:
            outcome = "message \(number), " + (reference.isOurs ? "which we sent" : "which we did not send")
        case .outbox(let number)?: outcome = "mail \(number) of the outbox, which is in no history yet"
        }
        var because: [String] = []
        if reference.place != nil {
            let names = reference.contacts.map { "\($0.name) (\($0.id))" }
            because.append(
                names.isEmpty ? "it leads to nobody" : "it leads to \(names.joined(separator: ", "))")
            because.append(policy.threads.words(isOurs: reference.isOurs))
        }
        return Decision(about: "reference <\(reference.id.rawValue)>", outcome: outcome, because: because)
    }

    /// Told to those who decide about the message, as the queue tells it.
    private func lookAlike() throws -> Decision? {
        guard case .review(let subject) = finding.result.verdict, let lookAlike = subject.lookAlike,
            try mayReview(subject)
        else { return nil }
        return Decision(
            about: "look-alike", outcome: try WarningSight(db, sight).shown(lookAlike).warning,
            because: ["\(lookAlike.address) is nobody's; what looks like an address only warns"])
    }

    private func verdict() throws -> Decision {
        let about = "matching today"
        switch finding.result.verdict {
        case .linked(let contacts):
            let names = try names(
                of: contacts.filter { !hidesBlind || $0.role != .bcc }.map(\.contact))
            let answered = contacts.compactMap(\.answered).first.map { place in
                switch place {
                case .message(let number): "it answers message \(number), which we sent"
                case .outbox(let number): "it answers mail \(number) of the outbox"
                }
            }
            return Decision(
                about: about,
                outcome: names.isEmpty ? "linked" : "linked to \(names.joined(separator: ", "))",
                because: [answered, waitsAllTheSame].compactMap { $0 })
        case .review(let subject):
            let reason =
                try mayReview(subject) ? ": \(try WarningSight(db, sight).shown(subject.reason))" : ""
            return Decision(
                about: about, outcome: "waits for a person\(reason)",
                because: subject.kind == .ambiguous ? ["what it answers stands with several contacts"] : [])
        case .ignored(let rule):
            return Decision(
                about: about,
                outcome: hidesBlind
                    ? "ignored by a rule" : "ignored by the rule for \(try pattern(of: rule) ?? "-")",
                because: ["every author or recipient who is of nobody is covered by a rule"])
        case .internal:
            return Decision(
                about: about, outcome: "ignored as internal mail",
                because: ["users of the company wrote to each other, and no contact takes part"])
        }
    }

    private var waitsAllTheSame: String? {
        message.state == .review
            ? "it waits all the same: mail that is here follows an address as far as whoever gives it may decide"
            : nil
    }

    // MARK: - Parts

    /// What waits under the address of a blind recipient is for those who see the blind recipients.
    private func mayReview(_ subject: ReviewSubject) throws -> Bool {
        if hidesBlind, subject.participant?.role == .bcc { return false }
        return try Bool.fetchOne(
            db, sql: "SELECT \(sight.mayReview(message: "m.id")) FROM messages m WHERE m.id = ?",
            arguments: [message.id.rawValue]) ?? false
    }

    private func names(of contacts: [ContactID]) throws -> [String] {
        try contacts.compactMap { contact in
            try String.fetchOne(
                db, sql: "SELECT c.name FROM contacts c WHERE c.id = ? AND \(sight.sees(contact: "c"))",
                arguments: [contact.rawValue]
            ).map { "\($0) (\(contact))" }
        }
    }

    private func pattern(of rule: IgnoreRuleID) throws -> String? {
        try String.fetchOne(
            db, sql: "SELECT pattern FROM ignore_rules WHERE id = ?", arguments: [rule.rawValue])
    }
}
