import GRDB
public import MailModel
public import Matcher

extension Archive {
    /// Makes a contact; mail that waits for one of its addresses enters its history in
    /// the same transaction. What a user makes without naming an owner is theirs.
    ///
    /// - Throws: `value.invalid`, `name.taken` for an external id in use, `rights.missing`.
    @discardableResult
    public func addContact(
        _ draft: ContactDraft
    ) throws(MailFailure) -> (id: ContactID, gain: AddressGain) {
        let time = now()
        return try write { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.contacts)
            var draft = draft
            draft.owner = draft.owner ?? sight.rights?.user
            try Self.require(draft, within: sight, db)
            try Self.check(draft, besides: nil, db)
            let writer = try ContactWriter(db, time: time)
            let id = try writer.insert(draft)
            var gain = AddressGain()
            for email in draft.emails { gain = try gain + writer.give(email, to: id) }
            return (id, gain)
        }
    }

    /// Replaces what is known about a contact. An address that it loses leaves its
    /// history as it is.
    ///
    /// - Throws: `unknown.contact`, `value.invalid`, `name.taken`.
    @discardableResult
    public func editContact(_ id: ContactID, _ draft: ContactDraft) throws(MailFailure) -> AddressGain {
        let time = now()
        return try write { db in
            let sight = try Sight(viewer, db)
            try Self.requireContact(id, db, sight, toChange: true)
            try Self.require(draft, within: sight, db)
            try Self.check(draft, besides: id, db)
            try db.execute(
                sql: """
                    UPDATE contacts SET kind = ?, name = ?, name_key = ?, external_id = ?, organisation = ?,
                        owner = ?, do_not_email = ?, notify_owner = ?, is_private = ?, updated_at = ?
                    WHERE id = ?
                    """,
                arguments: [
                    draft.kind.rawValue, draft.name, ContactWriter.nameKey(draft.name), draft.externalID,
                    draft.organisation?.rawValue, draft.owner?.rawValue, draft.doNotEmail,
                    draft.notifyOwner, draft.isPrivate, time.rawValue, id.rawValue,
                ])
            guard db.changesCount == 1 else { throw Self.unknownContact(id.description) }
            let writer = try ContactWriter(db, time: time)
            let kept = try draft.emails.map { try writer.addresses.entry($0).id }
            try db.execute(
                sql: """
                    DELETE FROM contact_addresses WHERE contact = ?
                        AND address NOT IN (\(kept.map(String.init).joined(separator: ", ")))
                    """, arguments: [id.rawValue])
            var gain = AddressGain()
            for email in draft.emails { gain = try gain + writer.give(email, to: id) }
            try db.execute(
                sql: "UPDATE contact_addresses SET is_primary = 0 WHERE contact = ?", arguments: [id.rawValue]
            )
            for (position, (address, email)) in zip(kept, draft.emails).enumerated() {
                try db.execute(
                    sql: """
                        UPDATE contact_addresses SET position = ?, is_primary = ?, email = ?
                        WHERE contact = ? AND address = ? AND is_primary = 0
                        """, arguments: [position, position == 0, email.addrSpec, id.rawValue, address])
            }
            return gain
        }
    }

    /// Gives a contact one more address; waiting mail follows.
    ///
    /// - Throws: `unknown.contact`.
    @discardableResult
    public func addAddress(
        _ address: EmailAddress, to id: ContactID
    ) throws(MailFailure) -> AddressGain {
        let time = now()
        return try write { db in
            try Self.requireContact(id, db, Sight(viewer, db), toChange: true)
            return try ContactWriter(db, time: time).give(address, to: id)
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
    public func contacts(limit: Int = .max, offset: Int = 0) throws(MailFailure) -> [Contact] {
        try contacts("1 ORDER BY c.name_key, c.id LIMIT ? OFFSET ?", [limit, offset])
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

    /// What a contact is given must exist for the one who gives it.
    private static func require(_ draft: ContactDraft, within sight: Sight, _ db: Database) throws {
        if let organisation = draft.organisation { try requireContact(organisation, db, sight) }
    }

    private static func check(_ draft: ContactDraft, besides id: ContactID?, _ db: Database) throws {
        guard !draft.name.isEmpty else {
            throw MailFailure.invalid("A contact needs a name", remedy: "Give one with --name.")
        }
        if let externalID = draft.externalID {
            let other = try Int64.fetchOne(
                db, sql: "SELECT id FROM contacts WHERE external_id = ? AND id <> ?",
                arguments: [externalID, id?.rawValue ?? 0])
            guard other == nil else { throw MailFailure.taken("external id", externalID) }
        }
    }

    /// The contacts that the viewer sees and that meet a condition.
    private func contacts(
        _ condition: String, _ arguments: StatementArguments
    ) throws(MailFailure) -> [Contact] {
        try read { db, sight in
            // An organisation that the viewer does not see is not one that they hear of.
            let query = try db.cachedStatement(
                sql: """
                    SELECT c.id, c.kind, c.name, c.external_id, o.id AS organisation, o.name AS organisation_name,
                        c.owner, u.name AS owner_name, c.do_not_email, c.notify_owner, c.is_private,
                        (SELECT group_concat(email, char(10)) FROM (
                            SELECT email FROM contact_addresses WHERE contact = c.id
                            ORDER BY is_primary DESC, position)) AS emails
                    FROM contacts c
                        LEFT JOIN contacts o ON o.id = c.organisation AND \(sight.sees(contact: "o"))
                        LEFT JOIN users u ON u.id = c.owner
                    WHERE \(sight.sees(contact: "c")) AND \(condition)
                    """)
            return try Row.fetchAll(query, arguments: arguments).map(Self.contact)
        }
    }

    private static func contact(_ row: Row) -> Contact {
        let emails: String? = row["emails"]
        return Contact(
            id: ContactID(rawValue: row["id"]), kind: Contact.Kind(rawValue: row["kind"]) ?? .person,
            name: row["name"], externalID: row["external_id"],
            emails: (emails ?? "").split(separator: "\n").compactMap { address(String($0)) },
            organisation: (row["organisation"] as Int64?).map { ContactID(rawValue: $0) },
            organisationName: row["organisation_name"],
            owner: (row["owner"] as Int64?).map { UserID(rawValue: $0) }, ownerName: row["owner_name"],
            doNotEmail: row["do_not_email"], notifyOwner: row["notify_owner"], isPrivate: row["is_private"])
    }
}
