import GRDB
public import MailModel
public import Matcher

extension Archive {
    /// Makes a contact; mail that waits for one of its addresses enters its history in
    /// the same transaction, as far as the viewer sees it or may decide about it. What a user makes
    /// without naming an owner is theirs.
    ///
    /// - Throws: `value.invalid`, `name.taken` for an external id in use, `rights.missing`.
    @discardableResult
    public func addContact(
        _ draft: ContactDraft
    ) throws(MailFailure) -> (id: ContactID, gain: AddressGain) {
        let time = now()
        return try writeReversibly(.contacts) { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.contacts)
            var draft = draft
            draft.owner = draft.owner ?? sight.rights?.user
            try Self.require(draft, within: sight, db)
            try Self.check(draft, besides: nil, db)
            let writer = try ContactWriter(db, sight, time: time, policy: matching)
            let id = try writer.insert(draft)
            var gain = AddressGain()
            for email in draft.emails { gain = try gain + writer.give(email, to: id) }
            return (id, gain)
        }
    }

    /// Changes what is known about a contact, beginning with what stands there at that very moment.
    /// Mail follows the addresses that it gains and loses, in the same transaction.
    ///
    /// - Parameters:
    ///   - isTrial: finds out what would happen, and changes nothing.
    ///   - change: must not use the archive.
    /// - Throws: `unknown.contact`, `value.invalid`, `name.taken`, `rights.missing`.
    @discardableResult
    public func changeContact(
        _ id: ContactID, losing lost: LostHistory = .leaves, isTrial: Bool = false,
        _ change: @escaping (inout ContactDraft) throws -> Void
    ) throws(MailFailure) -> ContactChange {
        let time = now()
        func run(_ db: Database) throws -> ContactChange {
            let sight = try Sight(viewer, db)
            try Self.requireContact(id, db, sight, toChange: true)
            // What the viewer does not see of the contact stays as it is.
            func contact() throws -> Contact? {
                try Self.contacts(db, .administrator, "c.id = ?", [id.rawValue]).first
            }
            guard let before = try contact() else { throw Self.unknownContact(id.description) }
            var draft = ContactDraft(before)
            try change(&draft)
            if draft.organisation != before.organisation {
                try Self.requireOrganisation(of: draft, db, sight)
            }
            if draft.owner != before.owner { try sight.demandMayGive(to: draft.owner, db) }
            try Self.check(draft, besides: id, db)
            Act.concerns("contact \(id)")
            let closed = try ClosedHistories(among: [id], db, sight)
            let writer = try ContactWriter(db, sight, time: time, policy: matching)
            try writer.update(id, draft)
            try closed.demandStillClosed(in: id, db, sight)
            let gain = try writer.setAddresses(draft.emails, of: id, losing: lost)
            return ContactChange(
                before: try Self.shown(before, db, sight),
                after: try Self.shown(contact() ?? before, db, sight), gain: gain)
        }
        return isTrial ? try rehearse(run) : try writeReversibly(.contacts) { db in try run(db) }
    }

    /// Gives a contact one more address; waiting mail follows.
    ///
    /// - Throws: `unknown.contact`.
    @discardableResult
    public func addAddress(
        _ address: EmailAddress, to id: ContactID
    ) throws(MailFailure) -> AddressGain {
        let time = now()
        return try writeReversibly(.contacts) { db in
            let sight = try Sight(viewer, db)
            try Self.requireContact(id, db, sight, toChange: true)
            return try ContactWriter(db, sight, time: time, policy: matching).give(address, to: id)
        }
    }

    /// - Throws: `unknown.contact`.
    public func contact(_ id: ContactID) throws(MailFailure) -> Contact {
        guard let contact = try contacts("c.id = ?", [id.rawValue]).first else {
            throw Self.unknownContact(id.description)
        }
        return contact
    }

    /// By name.
    public func contacts(
        _ filter: ContactFilter = ContactFilter(), limit: Int = .max, offset: Int = 0
    ) throws(MailFailure) -> [Contact] {
        let (condition, arguments) = filter.condition
        return try contacts(
            "\(condition) ORDER BY c.name_key, c.id LIMIT ? OFFSET ?", arguments + [limit, offset])
    }

    /// Everybody who has the address.
    public func contacts(withAddress address: EmailAddress) throws(MailFailure) -> [Contact] {
        try contacts(
            """
            c.id IN (SELECT ca.contact FROM addresses a JOIN contact_addresses ca ON ca.address = a.id
                WHERE a.canonical = ?)
            ORDER BY c.id
            """, [CanonicalAddress(address).rawValue])
    }

    /// The contact that a person means: by number, external id, address or whole
    /// name, in that order.
    ///
    /// - Throws: `unknown.contact`, `ambiguous.contact` when several fit equally.
    public func findContact(_ text: String) throws(MailFailure) -> Contact {
        var found: [Contact] = []
        if let id = ContactID(text) { found = try contacts("c.id = ?", [id.rawValue]) }
        if found.isEmpty { found = try contacts("c.external_id = ?", [text]) }
        if found.isEmpty {
            // The number or external id of a contact that became part of another.
            found = try contacts(
                "c.id IN (SELECT contact FROM merged_contacts WHERE id = ? OR external_id = ?)",
                [ContactID(text)?.rawValue, text])
        }
        if found.isEmpty, let address = EmailAddress(text) { found = try contacts(withAddress: address) }
        if found.isEmpty {
            found = try contacts("c.name_key = ? ORDER BY c.id LIMIT 10", [ContactWriter.nameKey(text)])
        }
        guard let first = found.first else { throw Self.unknownContact(text) }
        guard found.count == 1 else {
            throw MailFailure(
                .ambiguousContact, kind: .permanent, "Several contacts fit",
                detail: found.map { "\($0.id) \($0.name)" }.joined(separator: ", "),
                remedy: "Name one by its number.")
        }
        return first
    }

    static func unknownContact(_ name: String) -> MailFailure {
        .unknown(
            .unknownContact, "contact", name,
            remedy: "Name it by number, external id, address or whole name; see: mailworker contact list")
    }

    /// - Parameter toChange: it must be reached by the right to change contacts too.
    /// - Throws: `unknown.contact` when there is none for this viewer, `rights.missing`.
    static func requireContact(
        _ id: ContactID, _ db: Database, _ sight: Sight, toChange: Bool = false
    ) throws {
        let mayChange = try Bool.fetchOne(
            db,
            sql: """
                SELECT \(sight.reaches(.contacts, contact: "c")) FROM contacts c
                WHERE c.id = ? AND \(sight.sees(contact: "c"))
                """, arguments: [id.rawValue])
        guard let mayChange else { throw unknownContact(id.description) }
        guard mayChange || !toChange else {
            throw MailFailure.missing(.contacts, sight.has(.contacts, .department) ? .all : .department)
        }
    }

    /// What a new contact is given must exist for the one who gives it, and its owner be one whom they may give
    /// contacts to.
    static func require(_ draft: ContactDraft, within sight: Sight, _ db: Database) throws {
        try requireOrganisation(of: draft, db, sight)
        try sight.demandMayGive(to: draft.owner, db)
    }

    private static func requireOrganisation(of draft: ContactDraft, _ db: Database, _ sight: Sight) throws {
        if let organisation = draft.organisation { try requireContact(organisation, db, sight) }
    }

    static func check(_ draft: ContactDraft, besides id: ContactID?, _ db: Database) throws {
        let draft = draft.cleaned
        guard !draft.name.isEmpty else {
            throw MailFailure.invalid("A contact needs a name", remedy: "Give one with --name.")
        }
        try ContactLimits.check(name: draft.name, externalID: draft.externalID, draft.details)
        if let organisation = draft.organisation {
            if let id { try ContactLimits.check(id, in: organisation, draft.name, db) }
            let kind = try String.fetchOne(
                db, sql: "SELECT kind FROM contacts WHERE id = ?", arguments: [organisation.rawValue])
            guard kind == Contact.Kind.organisation.rawValue else {
                throw MailFailure.invalid(
                    "This contact is no organisation", organisation.description,
                    remedy: "Make it one with: mailworker contact edit \(organisation) --kind organisation")
            }
        }
        if let externalID = draft.externalID {
            let other = try Int64.fetchOne(
                db,
                sql: """
                    SELECT id FROM contacts WHERE external_id = ?1 AND id <> ?2
                    UNION ALL SELECT contact FROM merged_contacts WHERE external_id = ?1 AND contact <> ?2
                    """, arguments: [externalID, id?.rawValue ?? 0])
            guard other == nil else { throw MailFailure.taken("external id", externalID) }
        }
    }

    /// The contacts that the viewer sees and that meet a condition.
    func contacts(
        _ condition: String, _ arguments: StatementArguments
    ) throws(MailFailure) -> [Contact] {
        try read { db, sight in try Self.contacts(db, sight, condition, arguments) }
    }

    static func contacts(
        _ db: Database, _ sight: Sight, _ condition: String, _ arguments: StatementArguments
    ) throws -> [Contact] {
        // An organisation that the viewer does not see is not one that they hear of.
        let query = try db.cachedStatement(
            sql: """
                SELECT c.id, c.kind, c.name, c.external_id, o.id AS organisation, o.name AS organisation_name,
                    c.owner, u.name AS owner_name, al.reason AS lead_reason, al.message AS lead_message, c.do_not_email, c.notify_owner, c.is_private, c.type,
                    (SELECT group_concat(tag, char(10)) FROM (
                        SELECT tag FROM contact_tags WHERE contact = c.id ORDER BY tag)) AS tags,
                    (SELECT group_concat(number, char(10)) FROM (
                        SELECT number FROM contact_phones WHERE contact = c.id
                        ORDER BY position)) AS phones,
                    (SELECT group_concat(user || ' ' || name, char(10)) FROM (
                        SELECT cu.user, v.name FROM contact_users cu JOIN users v ON v.id = cu.user
                        WHERE cu.contact = c.id ORDER BY v.name)) AS readers,
                    (SELECT group_concat(email, char(10)) FROM (
                        SELECT email FROM contact_addresses WHERE contact = c.id
                        ORDER BY is_primary DESC, position)) AS emails
                FROM contacts c
                    LEFT JOIN contacts o ON o.id = c.organisation AND \(sight.sees(contact: "o"))
                    LEFT JOIN users u ON u.id = c.owner
                    LEFT JOIN automatic_leads al ON al.contact = c.id
                WHERE \(sight.sees(contact: "c")) AND \(condition)
                """)
        return try Row.fetchAll(query, arguments: arguments).map(Self.contact)
    }

    /// The contact without an organisation that the viewer does not see.
    static func shown(_ contact: Contact, _ db: Database, _ sight: Sight) throws -> Contact {
        guard let organisation = contact.organisation,
            try Bool.fetchOne(
                db, sql: "SELECT 1 FROM contacts o WHERE o.id = ? AND \(sight.sees(contact: "o"))",
                arguments: [organisation.rawValue]) == nil
        else { return contact }
        var shown = contact
        shown.organisation = nil
        shown.organisationName = nil
        return shown
    }

    private static func contact(_ row: Row) -> Contact {
        func lines(_ column: String) -> [String] {
            ((row[column] as String?) ?? "").split(separator: "\n").map(String.init)
        }
        let readers = lines("readers").map { $0.split(separator: " ", maxSplits: 1) }
        var details = ContactDetails()
        details.type = row["type"]
        details.tags = lines("tags")
        details.phones = lines("phones")
        details.users = readers.compactMap { $0.first.flatMap { UserID($0) } }
        return Contact(
            id: ContactID(rawValue: row["id"]), kind: Contact.Kind(rawValue: row["kind"]) ?? .person,
            name: row["name"], externalID: row["external_id"],
            emails: lines("emails").compactMap { address($0) },
            organisation: (row["organisation"] as Int64?).map { ContactID(rawValue: $0) },
            organisationName: row["organisation_name"],
            owner: (row["owner"] as Int64?).map { UserID(rawValue: $0) }, ownerName: row["owner_name"],
            doNotEmail: row["do_not_email"], notifyOwner: row["notify_owner"], isPrivate: row["is_private"],
            details: details, userNames: readers.compactMap { $0.last.map(String.init) },
            origin: (row["lead_reason"] as String?).flatMap(LeadReason.init(rawValue:)).map { reason in
                Contact.Origin(
                    reason: reason,
                    message: (row["lead_message"] as Int64?).map { ArchivedMessageID(rawValue: $0) })
            })
    }
}
