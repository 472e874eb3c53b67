import GRDB
import MailModel
import Matcher

/// What the matcher would say today about a message that is here.
struct Rejudging {
    private let addresses: AddressBook
    private let judgement: Judgement
    private let facts, participants: PreparedStatement
    private let known = Known()

    /// What costs much to find out and is asked again and again: ten thousand messages may be of one address.
    private final class Known {
        var lookAlikes: [Mailbox: LookAlike?] = [:]
        var addresses: [String: EmailAddress?] = [:]
    }

    /// - Parameter policy: today's.
    init(_ db: Database, policy: MatchPolicy) throws {
        addresses = try AddressBook(db)
        judgement = try Judgement(db, policy: policy)
        facts = try PreparedStatement(
            db,
            """
            SELECT category, sender_check, sender_check_facts, thread, \(Judgement.isSent("messages"))
            FROM messages WHERE id = ?
            """)
        participants = try PreparedStatement(
            db,
            """
            SELECT p.role, p.email, p.name, a.canonical
            FROM participants p JOIN addresses a ON a.id = p.address
            WHERE p.message = ? ORDER BY p.position
            """)
    }

    struct Finding {
        var participants: [KnownParticipant]
        var circumstances: MessageCircumstances
        var result: MatchResult
    }

    /// Nil for a message that does not exist. Addresses must be looked up in the state that
    /// counts: an instance serves until one of them changes hands.
    func judge(_ message: ArchivedMessageID) throws -> Finding? {
        facts.bind(1, message.rawValue)
        let row = try facts.first { row in
            (
                isReport: row.text(0) == MessageCategory.report.rawValue,
                check: row.optionalText(1).flatMap(SenderCheck.Outcome.init), facts: row.optionalText(2),
                thread: row.optionalText(3), hasSentCopy: row.int64(4) != 0
            )
        }
        guard let row else { return nil }
        let circumstances = MessageCircumstances(
            isDeliveryReport: row.isReport,
            senderCheck: row.check.map { SenderCheck(outcome: $0, facts: row.facts) },
            hasSentCopy: row.hasSentCopy,
            answered: try judgement.answeredMessage(row.thread))
        var stored: [(Participant, CanonicalAddress)] = []
        participants.bind(1, message.rawValue)
        try participants.forEachRow { row in
            guard let role = ParticipantRole(rawValue: row.text(0)),
                let address = address(row.text(1))
            else { return }
            let mailbox = Mailbox(displayName: row.optionalText(2), address: address)
            stored.append(
                (Participant(role: role, mailbox: mailbox), CanonicalAddress(rawValue: row.text(3))))
        }
        let parties = try stored.map { participant, canonical in
            KnownParticipant(
                participant: participant, canonical: canonical,
                standing: try addresses.entry(canonical).standing)
        }
        return Finding(
            participants: parties, circumstances: circumstances,
            result: try judgement.match(parties, circumstances, lookAlike: lookAlike))
    }

    private func address(_ text: String) -> EmailAddress? {
        if let address = known.addresses[text] { return address }
        let address = Archive.address(text)
        known.addresses[text] = .some(address)
        return address
    }

    private func lookAlike(of address: CanonicalAddress, _ mailbox: Mailbox) throws -> LookAlike? {
        if let lookAlike = known.lookAlikes[mailbox] { return lookAlike }
        let lookAlike = try judgement.lookAlike(of: address, mailbox)
        known.lookAlikes[mailbox] = .some(lookAlike)
        return lookAlike
    }
}
