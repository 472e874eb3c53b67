import GRDB
import MailModel
import Matcher

/// Writes contacts within one transaction, and lets the mail that waits for an
/// address follow it.
final class ContactWriter {
    let db: Database
    private let sight: Sight
    let time: UnixTime
    /// By which mail that loses its contact is matched anew.
    let policy: MatchPolicy
    let addresses: AddressBook
    let decisions: Decisions
    let looks: LookRegister
    /// The weightiest part that an address of a contact has in a message.
    let otherRole: PreparedStatement
    let setLinkName: PreparedStatement
    private let insertContact, insertAddress, hasAddress, waiting: PreparedStatement

    /// - Parameters:
    ///   - sight: of whom the action is: mail follows an address as far as they see it or may decide about it.
    ///   - addresses: what the transaction has looked up already; whoever gives an address notes it there.
    init(
        _ db: Database, _ sight: Sight, time: UnixTime, policy: MatchPolicy,
        addresses book: AddressBook? = nil
    ) throws {
        self.db = db
        self.sight = sight
        self.time = time
        self.policy = policy
        looks = try LookRegister(db)
        addresses = try book ?? AddressBook(db)
        decisions = try Decisions(db, time: time)
        insertContact = try PreparedStatement(
            db,
            """
            INSERT INTO contacts(id, kind, name, name_key, external_id, organisation, owner, do_not_email,
                notify_owner, is_private, created_at, updated_at, type, name_words)
            VALUES (
                -- A number that meant somebody who was erased or merged never means somebody else.
                1 + max(coalesce((SELECT max(id) FROM contacts), 0),
                    coalesce((SELECT max(id) FROM erased_contacts), 0),
                    coalesce((SELECT max(id) FROM merged_contacts), 0)),
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        hasAddress = try PreparedStatement(
            db,
            """
            SELECT EXISTS (SELECT 1 FROM contact_addresses WHERE contact = ?1 AND address = ?2),
                coalesce((SELECT max(position) + 1 FROM contact_addresses WHERE contact = ?1), 0)
            """)
        otherRole = try PreparedStatement(
            db,
            """
            SELECT p.role, p.email FROM participants p
                JOIN contact_addresses ca ON ca.address = p.address AND ca.contact = ?2
            WHERE p.message = ?1 ORDER BY \(Self.weight("p.role")), p.position LIMIT 1
            """)
        setLinkName = try PreparedStatement(
            db, "UPDATE history SET role = ?, email = ? WHERE message = ? AND contact = ?")
        insertAddress = try PreparedStatement(
            db,
            """
            INSERT INTO contact_addresses(contact, address, position, email, domain, is_primary)
            VALUES (?, ?, ?, ?, ?, ?)
            """)
        // Roles in the order of their weight, as the matcher has it.
        waiting = try PreparedStatement(
            db,
            """
            SELECT p.message, p.role, p.email, m.sort_date, m.state, min(\(Self.weight("p.role")))
            FROM participants p JOIN messages m ON m.id = p.message
            WHERE p.address = ?1 AND m.category <> 'report' AND m.state IN ('archived', 'review')
                AND m.created_at > ?2
                -- A forged address becomes no truer by being somebody's.
                AND NOT EXISTS (SELECT 1 FROM review_items
                    WHERE message = m.id AND state = 'open' AND kind = 'unverified')
                AND \(sight.mayFollow(message: "m.id"))
            GROUP BY p.message ORDER BY p.message
            """)
    }

    func insert(_ draft: ContactDraft) throws -> ContactID {
        try insertContact.bind(1, draft.kind.rawValue)
        let draft = draft.cleaned
        try insertContact.bind(2, draft.name)
        try insertContact.bind(3, Self.nameKey(draft.name))
        try insertContact.bind(4, draft.externalID)
        insertContact.bind(5, draft.organisation?.rawValue)
        insertContact.bind(6, draft.owner?.rawValue)
        insertContact.bind(7, draft.doNotEmail)
        insertContact.bind(8, draft.notifyOwner)
        insertContact.bind(9, draft.isPrivate)
        insertContact.bind(10, time.rawValue)
        insertContact.bind(11, time.rawValue)
        try insertContact.bind(12, draft.details.type)
        try insertContact.bind(13, NameWords(draft.name).key)
        try insertContact.run()
        let id = ContactID(rawValue: db.lastInsertedRowID)
        try setDetails(draft.details, of: id)
        Act.concerns("contact \(id)")
        return id
    }

    /// Replaces what is known about a contact, apart from its addresses.
    func update(_ id: ContactID, _ draft: ContactDraft) throws {
        let draft = draft.cleaned
        try db.execute(
            sql: """
                UPDATE contacts SET kind = ?, name = ?, name_key = ?, name_words = ?, external_id = ?,
                    organisation = ?, owner = ?, do_not_email = ?, notify_owner = ?, is_private = ?, type = ?,
                    updated_at = ?
                WHERE id = ?
                """,
            arguments: [
                draft.kind.rawValue, draft.name, Self.nameKey(draft.name), NameWords(draft.name).key,
                draft.externalID, draft.organisation?.rawValue, draft.owner?.rawValue, draft.doNotEmail,
                draft.notifyOwner, draft.isPrivate, draft.details.type, time.rawValue, id.rawValue,
            ])
        if draft.kind != .organisation { try releasePeople(of: id) }
        try setDetails(draft.details, of: id)
    }

    /// People of an organisation that is none any more stand by themselves.
    ///
    /// - Throws: `rights.missing` when some of them are nobody whom the viewer sees.
    func releasePeople(of id: ContactID) throws {
        if sight.rights != nil {
            let hidden = try Bool.fetchOne(
                db,
                sql:
                    "SELECT 1 FROM contacts c WHERE c.organisation = ? AND NOT (\(sight.sees(contact: "c"))) LIMIT 1",
                arguments: [id.rawValue])
            guard hidden == nil else {
                throw MailFailure(
                    .rightMissing, kind: .permanent, "The organisation has people whom you do not see",
                    remedy: "It stays an organisation; ask an administrator.")
            }
        }
        try db.execute(
            sql: "UPDATE contacts SET organisation = NULL WHERE organisation = ?", arguments: [id.rawValue])
    }

    /// Gives a contact exactly these addresses, the first as the primary one.
    func setAddresses(
        _ emails: [EmailAddress], of id: ContactID, losing lost: LostHistory
    ) throws -> AddressGain {
        let kept = try emails.map { try addresses.entry($0).id }
        let present = try Int64.fetchAll(
            db, sql: "SELECT address FROM contact_addresses WHERE contact = ? ORDER BY position",
            arguments: [id.rawValue])
        var gain = AddressGain()
        // What is gained comes first, so that a message with both is never without the contact.
        for email in emails { gain = try gain + give(email, to: id) }
        for address in present where !kept.contains(address) {
            gain = try gain + take(address, from: id, lost)
        }
        try db.execute(
            sql: "UPDATE contact_addresses SET is_primary = 0 WHERE contact = ?", arguments: [id.rawValue])
        for (position, (address, email)) in zip(kept, emails).enumerated() {
            try db.execute(
                sql: """
                    UPDATE contact_addresses SET position = ?, is_primary = ?, email = ?
                    WHERE contact = ? AND address = ? AND is_primary = 0
                    """, arguments: [position, position == 0, email.addrSpec, id.rawValue, address])
        }
        return gain
    }

    /// Gives a contact an address, the primary one when it is its first. An address
    /// that it has already changes nothing.
    func give(_ address: EmailAddress, to contact: ContactID) throws -> AddressGain {
        let entry = try addresses.entry(address)
        hasAddress.bind(1, contact.rawValue)
        hasAddress.bind(2, entry.id)
        let (has, position) = try hasAddress.first { ($0.int64(0) != 0, $0.int64(1)) } ?? (false, 0)
        guard !has else { return AddressGain() }
        insertAddress.bind(1, contact.rawValue)
        insertAddress.bind(2, entry.id)
        insertAddress.bind(3, position)
        try insertAddress.bind(4, address.addrSpec)
        try insertAddress.bind(5, String(entry.canonical.domain))
        insertAddress.bind(6, position == 0)
        try insertAddress.run()
        try looks.add(entry.canonical)
        guard !entry.standing.isOwn else { return AddressGain() }
        return try follow(entry.id, to: contact)
    }

    /// Messages in which the address takes part enter the contact's history, and
    /// those that waited for somebody wait no longer. What a person or a rule has
    /// ignored stays so, as does what is not the acting person's to see or decide about.
    ///
    /// - Parameter start: only messages that were recorded after it.
    func follow(
        _ address: Int64, to contact: ContactID, after start: UnixTime = UnixTime(.min)
    ) throws -> AddressGain {
        struct Waiting {
            var message: ArchivedMessageID
            var role: ParticipantRole?
            var email: String
            var sortDate: UnixTime
            var isInReview: Bool
        }
        var messages: [Waiting] = []
        waiting.bind(1, address)
        waiting.bind(2, start.rawValue)
        try waiting.forEachRow { row in
            messages.append(
                Waiting(
                    message: ArchivedMessageID(rawValue: row.int64(0)),
                    role: ParticipantRole(rawValue: row.text(1)), email: row.text(2),
                    sortDate: UnixTime(row.int64(3)), isInReview: row.text(4) == MessageState.review.rawValue)
            )
        }
        var gain = AddressGain()
        for one in messages {
            let before = db.totalChangesCount
            try decisions.link(
                one.message, contact: contact, role: one.role, email: one.email, by: .newAddress,
                sortDate: one.sortDate)
            guard db.totalChangesCount > before else { continue }
            gain.linkedMessages += 1
            if one.isInReview {
                try decisions.settle(one.message, as: .archived, resolution: .linked, by: "rule")
                gain.closedItems += 1
            }
        }
        return gain
    }

    private static func weight(_ role: String) -> String {
        """
        CASE \(role) WHEN 'from' THEN 0 WHEN 'sender' THEN 1 WHEN 'reply-to' THEN 2
            WHEN 'to' THEN 3 WHEN 'cc' THEN 4 ELSE 5 END
        """
    }

    /// A name in the form in which names are looked up: lower case, single spaces.
    static func nameKey(_ name: String) -> String {
        name.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
