import GRDB
import MailModel
import Matcher

/// The matcher with all that the archive knows: the administrator's policy, the messages that
/// are answered, and addresses that look like known ones.
struct Judgement {
    private let policy: MatchPolicy
    private let looks: LookRegister
    private let answered, contactsOf, sending, recipientsOf, place: PreparedStatement

    init(_ db: Database, policy: MatchPolicy) throws {
        self.policy = policy
        looks = try LookRegister(db)
        // Only a copy in a Sent folder shows that we have sent it: its From field could be forged,
        // and what we never sent gives nobody a right to be linked.
        answered = try PreparedStatement(
            db,
            """
            SELECT m.id FROM messages m WHERE m.message_id_key = ? AND m.message_id = ?
                AND m.direction = 'outgoing' AND m.state = 'archived' AND \(Self.isSent("m"))
            ORDER BY m.id LIMIT 1
            """)
        // What the outbox has sent is ours before any folder has it. Of a mail that is still on its way to others
        // an answer shows that it has arrived.
        sending = try PreparedStatement(
            db,
            """
            SELECT o.id FROM outbox o WHERE o.message_id = ? AND o.message IS NULL AND \(Self.hasLeft("o"))
            """)
        recipientsOf = try PreparedStatement(db, Self.recipients + " ORDER BY ca.contact")
        contactsOf = try PreparedStatement(
            db, "SELECT contact FROM history WHERE message = ? AND removed_at IS NULL ORDER BY contact")
        place = try PreparedStatement(
            db,
            "SELECT a.preset, f.role = 'sent' FROM folders f JOIN accounts a ON a.id = f.account WHERE f.id = ?"
        )
    }

    /// Whether a message has a copy in a Sent folder.
    static func isSent(_ message: String) -> String {
        """
        EXISTS (SELECT 1 FROM ledger l JOIN folders f ON f.id = l.folder
            WHERE l.message = \(message).id AND f.role = 'sent')
        """
    }

    /// Whether a mail of the outbox may have reached anybody.
    static func hasLeft(_ item: String) -> String {
        """
        EXISTS (SELECT 1 FROM outbox_recipients
            WHERE item = \(item).id AND state IN ('sent', 'uncertain'))
        """
    }

    /// The contacts to whom a mail of the outbox goes.
    static let recipients = """
        SELECT DISTINCT ca.contact FROM outbox_recipients r JOIN addresses a ON a.canonical = r.canonical
            JOIN contact_addresses ca ON ca.address = a.id
        WHERE r.item = ?
        """

    func match(
        _ participants: [KnownParticipant], _ circumstances: MessageCircumstances
    ) throws -> MatchResult {
        try match(participants, circumstances, lookAlike: looks.lookAlike)
    }

    /// - Parameter lookAlike: whom an address that nobody has could be taken for.
    func match(
        _ participants: [KnownParticipant], _ circumstances: MessageCircumstances,
        lookAlike: (CanonicalAddress, Mailbox) throws -> LookAlike?
    ) throws -> MatchResult {
        var result = Matcher.match(participants, circumstances, policy: policy)
        if case .review(var subject) = result.verdict, subject.kind == .unknown,
            let canonical = subject.canonical, let participant = subject.participant,
            let lookAlike = try lookAlike(canonical, participant.mailbox)
        {
            subject.lookAlike = lookAlike
            result.verdict = .review(subject)
        }
        return result
    }

    /// - Parameter folder: where the message was met first: the server of its account says who wrote it.
    func circumstances(
        of content: Content, _ participants: [KnownParticipant], in folder: FolderID
    ) throws -> MessageCircumstances {
        let authors = content.participants.filter { $0.role == .from }.map(\.mailbox)
        place.bind(1, folder.rawValue)
        let (preset, isSent) = try place.first { ($0.text(0), $0.int64(1) != 0) } ?? ("", false)
        var check = SenderCheck.read(
            content.authenticationResults, authorities: policy.authorities(ofPreset: preset), from: authors)
        // What a user sends is not checked by the server that takes it in. But what came in under a user's address
        // was, unless that server says nothing: then the user may have sent it from there.
        let isOurs = participants.contains { $0.participant.role == .from && $0.standing.isOwn }
        if isSent || isOurs && check?.facts == nil { check = nil }
        return MessageCircumstances(
            isDeliveryReport: content.isDeliveryReport, senderCheck: check, hasSentCopy: isSent,
            answered: try answeredMessage(IngestTransaction.thread(content)))
    }

    func lookAlike(of address: CanonicalAddress, _ mailbox: Mailbox) throws -> LookAlike? {
        try looks.lookAlike(of: address, mailbox)
    }

    /// The nearest message of ours among those that a message refers to.
    ///
    /// - Parameter thread: Message-IDs with spaces between them, the nearest first.
    func answeredMessage(_ thread: String?) throws -> AnsweredMessage? {
        guard policy.threads == .link, let thread else { return nil }
        for id in thread.split(separator: " ") {
            let messageID = MessageID(rawValue: String(id))
            answered.bind(1, IngestTransaction.key(messageID))
            try answered.bind(2, messageID.rawValue)
            if let number = try answered.first({ $0.int64(0) }) {
                let contacts = try Self.contacts(contactsOf, number)
                if !contacts.isEmpty { return AnsweredMessage(.message(number), contacts: contacts) }
                continue
            }
            try sending.bind(1, messageID.rawValue)
            if let item = try sending.first({ $0.int64(0) }) {
                let contacts = try Self.contacts(recipientsOf, item)
                if !contacts.isEmpty { return AnsweredMessage(.outbox(item), contacts: contacts) }
            }
        }
        return nil
    }

    private static func contacts(_ query: PreparedStatement, _ number: Int64) throws -> [ContactID] {
        var contacts: [ContactID] = []
        query.bind(1, number)
        try query.forEachRow { contacts.append(ContactID(rawValue: $0.int64(0))) }
        return contacts
    }
}
