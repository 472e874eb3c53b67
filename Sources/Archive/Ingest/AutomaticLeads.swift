import GRDB
import MailModel
import Matcher

/// Makes leads of people whose mail would wait for a person, where the administrator wants that. Each is made in the
/// transaction that records the mail, stands in the audit log, and can be taken back like an action of a person's;
/// then its address makes no lead again.
final class AutomaticLeads {
    /// As the logs of actions name it.
    static let action = "lead create"

    /// A message that waits, as it was just recorded.
    struct Waiting {
        var message: ArchivedMessageID
        var item: ReviewItemID
        var folder: FolderID
        var subject: ReviewSubject
        var content: Content
        var direction: Direction
        var senderCheck: SenderCheck.Outcome?
    }

    private let db: Database
    private let creation: LeadCreation
    private let addresses: AddressBook
    private let bounds: UndoLog.Bounds
    private let time: UnixTime
    private let writer: ContactWriter
    private let suggester: Suggester
    private let place, wasWrittenTo, isDeclined, hasName, insertReason: PreparedStatement
    private var hasLogged = false

    init(
        _ db: Database, _ policy: MatchPolicy, addresses: AddressBook, undo bounds: UndoLog.Bounds,
        time: UnixTime
    ) throws {
        self.db = db
        creation = policy.leads
        self.addresses = addresses
        self.bounds = bounds
        self.time = time
        writer = try ContactWriter(db, .administrator, time: time, policy: policy, addresses: addresses)
        suggester = try Suggester(db, .administrator)
        place = try PreparedStatement(
            db,
            """
            SELECT f.role = 'sent', a.user FROM folders f JOIN accounts a ON a.id = f.account WHERE f.id = ?
            """)
        wasWrittenTo = try PreparedStatement(
            db,
            """
            SELECT 1 FROM participants p JOIN messages m ON m.id = p.message
            WHERE p.address = ? AND p.role IN ('to', 'cc', 'bcc') AND m.direction = 'outgoing' AND EXISTS (
                SELECT 1 FROM ledger l JOIN folders f ON f.id = l.folder
                WHERE l.message = m.id AND f.role = 'sent')
            LIMIT 1
            """)
        isDeclined = try PreparedStatement(db, "SELECT 1 FROM declined_leads WHERE address = ?")
        hasName = try PreparedStatement(db, "SELECT 1 FROM contacts WHERE name_key = ? LIMIT 1")
        insertReason = try PreparedStatement(
            db, "INSERT INTO automatic_leads(contact, reason, message) VALUES (?, ?, ?)")
    }

    /// Makes a lead of the one whom a message waits for; this and other mail of the address enters its history.
    ///
    /// - Returns: nil when the message goes on waiting.
    func consider(_ waiting: Waiting) throws -> ContactID? {
        guard let participant = waiting.subject.participant, let canonical = waiting.subject.canonical,
            let email = Archive.address(participant.mailbox.address.lowercased)
        else { return nil }
        let entry = try addresses.entry(canonical)
        place.bind(1, waiting.folder.rawValue)
        let (isSent, owner) = try place.first { ($0.int64(0) != 0, $0.optionalInt64(1)) } ?? (false, nil)
        guard let reason = try reason(for: waiting, isSent: isSent, entry.id),
            try isNobodyKnown(entry, participant.mailbox.displayName, waiting.item)
        else { return nil }
        let act = Act(person: "rule", systemUser: "mailworker", origin: "-", action: Self.action)
        return try Act.$current.withValue(act) {
            let log = UndoLog(db)
            let known = try log.lastAddress()
            let recording = try ChangeRecording(db)
            var draft = ContactDraft(
                kind: .lead,
                name: PersonName.bounded(
                    displayName: participant.mailbox.displayName, address: participant.mailbox.address),
                emails: [email])
            draft.owner = owner.map { UserID(rawValue: $0) }
            draft.organisation = try Archive.organisation(at: canonical, db, .administrator)
            let lead = try writer.insert(draft)
            _ = try writer.give(email, to: lead)
            insertReason.bind(1, lead.rawValue)
            try insertReason.bind(2, reason.rawValue)
            insertReason.bind(3, waiting.message.rawValue)
            try insertReason.run()
            addresses.note(lead, has: canonical)
            Act.concerns("message \(waiting.message)")
            if let changes = try recording.end() {
                act.undo = try log.add(
                    changes, of: act, user: draft.owner, right: .contacts, scope: .own, known: known,
                    at: time,
                    bounds, isPruning: false)
                hasLogged = true
            }
            try act.record(db, at: time)
            return lead
        }
    }

    /// Lets go of what is too old or too much to be taken back.
    func finish() throws {
        if hasLogged { try UndoLog(db).prune(at: time, bounds) }
        hasLogged = false
    }

    private func reason(for waiting: Waiting, isSent: Bool, _ address: Int64) throws -> LeadReason? {
        let content = waiting.content
        let companions = content.participants.count {
            waiting.direction == .incoming ? $0.role == .from : $0.role.isRecipient
        }
        let facts = LeadFacts(
            direction: waiting.direction,
            isPersonal: content.category == .personal && !content.isDeliveryReport && content.returned == nil,
            subject: waiting.subject, companions: companions, senderCheck: waiting.senderCheck,
            isFromSentFolder: isSent)
        return try creation.reason(for: facts) {
            wasWrittenTo.bind(1, address)
            return try wasWrittenTo.first { _ in true } != nil
        }
    }

    /// Whoever may be a contact with another address, or one of our own people, is a person's to judge, as is an
    /// address of which a lead was taken back.
    private func isNobodyKnown(
        _ entry: AddressBook.Entry, _ name: String?, _ item: ReviewItemID
    ) throws -> Bool {
        guard !entry.standing.isOwn, entry.standing.contacts.isEmpty,
            try !writer.looks.isOurs(String(entry.canonical.domain))
        else { return false }
        if let key = name.map(ContactWriter.nameKey), !key.isEmpty {
            try hasName.bind(1, key)
            if try hasName.first({ _ in true }) != nil { return false }
        }
        isDeclined.bind(1, entry.id)
        return try isDeclined.first { _ in true } == nil && !suggester.meansSomebodyKnown(item)
    }
}

// MARK: - Taking back

extension AutomaticLeads {
    /// The address of a lead that was taken back makes none again.
    static func decline(_ changeset: Changeset, _ db: Database, at time: UnixTime) throws {
        let names = try db.columns(in: "contact_addresses").map(\.name)
        guard let column = names.firstIndex(of: "address") else { return }
        var addresses: Set<Int64> = []
        try changeset.forEachChange { change in
            guard change.row.table == "contact_addresses" else { return }
            for case .integer(let number) in change.values(ofColumn: column) { addresses.insert(number) }
        }
        for address in addresses.sorted() {
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO declined_leads(address, at)
                    SELECT id, ? FROM addresses WHERE id = ?
                    """, arguments: [time.rawValue, address])
        }
    }
}
