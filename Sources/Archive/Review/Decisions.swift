import GRDB
import MailModel
import Matcher

/// Where a message stands. Its first copy's ledger row says the same.
enum MessageState: String {
    case archived, review, ignored, `private`, quarantined
}

/// The one place that puts a message into a history, opens and closes its review
/// item, and keeps its state and its ledger rows agreed.
struct Decisions {
    enum LinkedBy {
        case arrival, newAddress
        case person(String)
    }

    enum Resolution: String {
        case linked, ignored, `private`
    }

    struct Facts {
        var state: MessageState
        var reason: String?
        var category: MessageCategory
        var sortDate: UnixTime
    }

    static let internalReason = "internal"
    static let ruleReason = "rule"
    static let unreadableReason = "could not be read"

    private let time: UnixTime
    private let insertLink, insertItem, closeItem, setMessage, setLedger, getFacts: PreparedStatement

    init(_ db: Database, time: UnixTime) throws {
        self.time = time
        insertLink = try PreparedStatement(
            db,
            """
            INSERT INTO history(message, contact, sort_date, role, email, linked_by, person, linked_at, thread)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT(message, contact) DO UPDATE
                SET removed_at = NULL, removed_by = NULL, linked_by = 'person', person = excluded.person,
                    linked_at = excluded.linked_at
                WHERE removed_at IS NOT NULL AND excluded.linked_by = 'person'
            """)
        insertItem = try PreparedStatement(
            db,
            """
            INSERT INTO review_items(message, address, email, reason, sort_date, state, opened_at, kind)
            VALUES (?, ?, ?, ?, ?, 'open', ?, ?)
            """)
        closeItem = try PreparedStatement(
            db,
            """
            UPDATE review_items SET state = ?, resolved_at = ?, resolved_by = ?
            WHERE message = ? AND state = 'open'
            """)
        // A signature serves to find out whose a message is; where that is decided nothing of it is kept.
        setMessage = try PreparedStatement(
            db,
            """
            UPDATE messages SET state = ?1, reason = ?2, ignored_by = ?4,
                signature = CASE WHEN ?1 IN ('review', 'quarantined') THEN signature END
            WHERE id = ?3
            """)
        setLedger = try PreparedStatement(
            db, "UPDATE ledger SET state = ?, reason = ? WHERE message = ? AND state <> 'duplicate'")
        getFacts = try PreparedStatement(
            db, "SELECT state, reason, category, sort_date FROM messages WHERE id = ?")
    }

    func facts(of message: ArchivedMessageID) throws -> Facts? {
        getFacts.bind(1, message.rawValue)
        return try getFacts.first { row in
            Facts(
                state: MessageState(rawValue: row.text(0)) ?? .review, reason: row.optionalText(1),
                category: MessageCategory(rawValue: row.text(2)) ?? .personal,
                sortDate: UnixTime(row.int64(3)))
        } ?? nil
    }

    /// Puts a message into a contact's history. A link that a person has removed
    /// comes back by a person's hand only.
    func link(
        _ message: ArchivedMessageID, contact: MatchedContact, by linkedBy: LinkedBy, sortDate: UnixTime
    ) throws {
        try link(
            message, contact: contact.contact, role: contact.role, email: contact.address.addrSpec,
            by: linkedBy, sortDate: sortDate, answered: contact.answered)
    }

    func link(
        _ message: ArchivedMessageID, contact: ContactID, role: ParticipantRole?, email: String?,
        by linkedBy: LinkedBy, sortDate: UnixTime, answered: AnsweredMessage.Place? = nil
    ) throws {
        insertLink.bind(1, message.rawValue)
        insertLink.bind(2, contact.rawValue)
        insertLink.bind(3, sortDate.rawValue)
        try insertLink.bind(4, role?.rawValue)
        try insertLink.bind(5, email)
        switch linkedBy {
        case .arrival:
            try insertLink.bind(6, "arrival")
            try insertLink.bind(7, String?.none)
        case .newAddress:
            try insertLink.bind(6, "new-address")
            try insertLink.bind(7, String?.none)
        case .person(let name):
            try insertLink.bind(6, "person")
            try insertLink.bind(7, name)
        }
        insertLink.bind(8, time.rawValue)
        if case .message(let number)? = answered {
            insertLink.bind(9, number)
        } else {
            insertLink.bind(9, Int64?.none)
        }
        try insertLink.run()
    }

    /// Asks a person where the message belongs.
    func open(
        _ message: ArchivedMessageID, address: Int64?, email: String?, reason: String, kind: ReviewKind,
        sortDate: UnixTime
    ) throws {
        insertItem.bind(1, message.rawValue)
        insertItem.bind(2, address)
        try insertItem.bind(3, email)
        try insertItem.bind(4, reason)
        insertItem.bind(5, sortDate.rawValue)
        insertItem.bind(6, time.rawValue)
        try insertItem.bind(7, kind.rawValue)
        try insertItem.run()
    }

    /// Has a rule take a message.
    func ignore(
        _ message: ArchivedMessageID, rule: IgnoreRuleID, resolution: Resolution? = .ignored,
        by person: String
    ) throws {
        try settle(
            message, as: .ignored, reason: Self.ruleReason, rule: rule, resolution: resolution, by: person)
    }

    /// Gives the message its new state, with its ledger rows, and closes its item.
    ///
    /// - Parameter rule: which has taken it; an earlier one has it no more.
    func settle(
        _ message: ArchivedMessageID, as state: MessageState, reason: String? = nil,
        rule: IgnoreRuleID? = nil, resolution: Resolution?, by person: String
    ) throws {
        try setMessage.bind(1, state.rawValue)
        try setMessage.bind(2, reason)
        setMessage.bind(3, message.rawValue)
        setMessage.bind(4, rule?.rawValue)
        try setMessage.run()
        try setLedger.bind(1, state.rawValue)
        try setLedger.bind(2, reason)
        setLedger.bind(3, message.rawValue)
        try setLedger.run()
        guard let resolution else { return }
        try closeItem.bind(1, resolution.rawValue)
        closeItem.bind(2, time.rawValue)
        try closeItem.bind(3, person)
        closeItem.bind(4, message.rawValue)
        try closeItem.run()
    }
}
