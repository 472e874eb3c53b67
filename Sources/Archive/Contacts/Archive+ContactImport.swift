import GRDB
public import MailModel
import Matcher

extension Archive {
    /// Imports contacts in one transaction. A row updates the contact with its
    /// external id, else the one that has one of its addresses and its name (and no other external
    /// id), else makes a new one. Addresses are added, never taken away.
    ///
    /// An address alone does not make two people one: several may share it. A row of another name than the
    /// address's contact is refused without an external id; but two rows of one file are two contacts.
    ///
    /// Organisations are imported first, whatever the order, so that people find them.
    ///
    /// A row that would change a contact which the viewer may not change is refused; what a
    /// user imports without naming an owner is theirs.
    ///
    /// - Parameters:
    ///   - isTrial: finds out what would happen, and changes nothing.
    ///   - progress: called now and then with the number of rows that are done.
    /// - Throws: `rights.missing`.
    public func importContacts(
        _ rows: [ContactImportRow], isTrial: Bool = false, progress: ((Int) -> Void)? = nil
    ) throws(MailFailure) -> ContactImportReport {
        let time = now()
        func run(_ db: Database) throws -> ContactImportReport {
            let sight = try Sight(viewer, db)
            try sight.demand(.contacts)
            let importer = try ContactImporter(db, sight, time: time, policy: matching, isListing: isTrial)
            var done = 0
            for isOrganisation in [true, false] {
                for (index, row) in rows.enumerated() where (row.kind == .organisation) == isOrganisation {
                    try importer.add(row, index)
                    done += 1
                    if done.isMultiple(of: 1000) { progress?(done) }
                }
            }
            importer.report.refused.sort { $0.row < $1.row }
            importer.report.changes.sort { $0.row < $1.row }
            return importer.report
        }
        return isTrial ? try rehearse(run) : try writeReversibly(.contacts) { db in try run(db) }
    }
}

/// The working state of one import.
private final class ContactImporter {
    var report = ContactImportReport()
    private let db: Database
    private let sight: Sight
    private let time: UnixTime
    private let isListing: Bool
    private let writer: ContactWriter
    private var organisations: [String: ContactID] = [:]
    private var owners: [String: UserID] = [:]
    /// To whom the viewer may give contacts, as far as rows have asked.
    private var possibleOwners: Set<UserID> = []
    /// The row in which an external id stood first.
    private var externalIDs: [String: Int] = [:]
    /// Contacts that a row has made or changed.
    private var touched: Set<ContactID> = []
    private let holders: ImportedHolders
    private let byExternalID, organisationByExternalID, byName: PreparedStatement
    private let userByName, userByEmail, update, setUpdated, facts: PreparedStatement

    /// - Parameter isListing: notes what becomes of each row.
    init(_ db: Database, _ sight: Sight, time: UnixTime, policy: MatchPolicy, isListing: Bool) throws {
        self.db = db
        self.sight = sight
        self.time = time
        self.isListing = isListing
        writer = try ContactWriter(db, sight, time: time, policy: policy)
        byExternalID = try PreparedStatement(
            db,
            """
            SELECT c.id, \(sight.sees(contact: "c")) FROM contacts c WHERE c.external_id = ?1
                OR c.id IN (SELECT contact FROM merged_contacts WHERE external_id = ?1)
            ORDER BY c.external_id IS NOT ?1 LIMIT 1
            """)
        organisationByExternalID = try PreparedStatement(
            db,
            """
            SELECT c.id, \(sight.sees(contact: "c")) FROM contacts c
            WHERE c.kind = 'organisation' AND (c.external_id = ?1
                OR c.id IN (SELECT contact FROM merged_contacts WHERE external_id = ?1))
            ORDER BY c.external_id IS NOT ?1 LIMIT 1
            """)
        holders = try ImportedHolders(db, sight)
        byName = try PreparedStatement(
            db,
            """
            SELECT c.id FROM contacts c WHERE c.name_key = ? AND c.kind = 'organisation'
                AND (c.external_id IS NULL OR ?2 IS NULL) AND \(sight.sees(contact: "c"))
            ORDER BY c.id LIMIT 1
            """)
        userByName = try PreparedStatement(db, "SELECT id FROM users WHERE name = ?")
        userByEmail = try PreparedStatement(db, "SELECT id FROM users WHERE address = ? LIMIT 1")
        facts = try PreparedStatement(
            db,
            """
            SELECT kind, name, external_id, organisation, owner, do_not_email, notify_owner, is_private, type
            FROM contacts WHERE id = ?
            """)
        update = try PreparedStatement(
            db,
            """
            UPDATE contacts SET kind = ?2, name = ?3, name_key = ?4, external_id = coalesce(?5, external_id),
                organisation = coalesce(?6, organisation), owner = coalesce(?7, owner),
                do_not_email = coalesce(?8, do_not_email), notify_owner = coalesce(?9, notify_owner),
                is_private = coalesce(?10, is_private), type = coalesce(?11, type), name_words = ?12
            WHERE id = ?1
            """)
        setUpdated = try PreparedStatement(db, "UPDATE contacts SET updated_at = ? WHERE id = ?")
    }

    func add(_ row: ContactImportRow, _ index: Int) throws {
        do {
            try add(row.cleaned, at: index)
        } catch let failure as MailFailure {
            report.refused.append(.init(row: index, failure: failure))
        }
    }

    private func add(_ row: ContactImportRow, at index: Int) throws {
        guard row.name != nil || !row.emails.isEmpty else {
            throw MailFailure.invalid("A contact needs a name", remedy: "Fill in the name column.")
        }
        if let externalID = row.externalID, let first = externalIDs.updateValue(index, forKey: externalID) {
            externalIDs[externalID] = first
            throw MailFailure.invalid(
                "An external id stands in the file twice", "\(externalID), of \(row.name ?? "")",
                remedy: "Keep one row of each external id.")
        }
        for phone in row.phones where PhoneNumber(phone) == nil {
            throw MailFailure.invalid(
                "This is not a telephone number", phone, remedy: "Write 7 to 15 digits.")
        }
        let owner = try row.owner.map { try user($0) }
        var details = row.details
        try ContactLimits.check(
            name: row.name, externalID: row.externalID, organisation: row.organisation, details)
        details.users = try row.users.map { try user($0) }
        let known = try find(row)
        if let known { try Archive.requireContact(known, db, sight, toChange: true) }
        if let owner { try demandMayGive(known, to: owner) }
        if let known {
            try ClosedHistories(among: [known], db, sight)
                .demandStillClosed(for: owner, details.users, db, sight)
        }
        let organisation = try row.organisation.map { try self.organisation($0) }
        if let known, let organisation { try ContactLimits.check(known, in: organisation, row.name, db) }
        let id: ContactID
        let change: ContactImportReport.Change
        if let known {
            let fields = try self.change(known, row, owner, organisation, details)
            change = .init(row: index, contact: known, isNew: false, fields: fields)
            id = known
        } else {
            var draft = ContactDraft(
                kind: row.kind ?? .person, name: row.name ?? row.emails.first?.addrSpec ?? "")
            draft.externalID = row.externalID
            draft.organisation = organisation
            draft.owner = owner ?? sight.rights?.user
            draft.doNotEmail = row.doNotEmail ?? false
            draft.notifyOwner = row.notifyOwner ?? false
            draft.isPrivate = row.isPrivate ?? false
            draft.details = details
            id = try writer.insert(draft)
            change = .init(row: index, contact: id, isNew: true, fields: [])
            report.added += 1
        }
        touched.insert(id)
        if row.kind == .organisation, let name = row.name {
            organisations[ContactWriter.nameKey(name)] = id
        }
        var gained: [String] = []
        for email in row.emails {
            let before = db.totalChangesCount
            report.gain = try report.gain + writer.give(email, to: id)
            if db.totalChangesCount > before { gained.append(email.lowercased) }
        }
        if !change.isNew {
            let isChanged = !change.fields.isEmpty || !gained.isEmpty
            report.updated += isChanged ? 1 : 0
            report.unchanged += isChanged ? 0 : 1
            if isChanged { try touch(id) }
        }
        guard isListing else { return }
        var listed = change
        if !listed.isNew { listed.fields += gained.map { "+ \($0)" } }
        report.changes.append(listed)
    }

    /// - Parameter known: nil for a contact that is new.
    private func demandMayGive(_ known: ContactID?, to owner: UserID) throws {
        guard sight.rights != nil, possibleOwners.insert(owner).inserted else { return }
        do {
            try sight.demandMayGive(to: owner, db)
        } catch {
            possibleOwners.remove(owner)
            // Whose it is already, it may stay.
            let present = try known.flatMap {
                try Int64.fetchOne(
                    db, sql: "SELECT owner FROM contacts WHERE id = ?", arguments: [$0.rawValue])
            }
            guard present == owner.rawValue else { throw error }
        }
    }

    private func find(_ row: ContactImportRow) throws -> ContactID? {
        if let externalID = row.externalID {
            try byExternalID.bind(1, externalID)
            if let (id, isSeen) = try byExternalID.first({ ($0.int64(0), $0.int64(1) != 0) }) {
                guard isSeen else { throw Self.hidden(externalID) }
                return ContactID(rawValue: id)
            }
        }
        if let known = try holders.find(row, writer.addresses, touched: touched) { return known }
        guard row.kind == .organisation, let name = row.name else {
            return try holders.findByName(row, touched: touched)
        }
        return try organisation(named: name, row.externalID)
    }

    /// - Returns: the fields that have another value now.
    private func change(
        _ id: ContactID, _ row: ContactImportRow, _ owner: UserID?, _ organisation: ContactID?,
        _ details: ContactDetails
    ) throws -> [String] {
        facts.bind(1, id.rawValue)
        let old = try facts.first { row in (0..<9).map { row.optionalText($0) } } ?? []
        guard old.count == 9 else { return [] }
        let kind = row.kind?.rawValue ?? old[0] ?? Contact.Kind.person.rawValue
        let name = row.name ?? old[1] ?? ""
        update.bind(1, id.rawValue)
        try update.bind(2, kind)
        try update.bind(3, name)
        try update.bind(4, ContactWriter.nameKey(name))
        // An id that leads here since a merge stays where it is.
        let isMerged = row.externalID != nil && old[2] != nil && row.externalID != old[2]
        let externalID = isMerged ? nil : row.externalID
        try update.bind(5, externalID)
        update.bind(6, organisation?.rawValue)
        update.bind(7, owner?.rawValue)
        let flags = [row.doNotEmail, row.notifyOwner, row.isPrivate].map { $0.map { $0 ? 1 : 0 } }
        for (offset, flag) in flags.enumerated() { update.bind(Int32(8 + offset), flag.map(Int64.init)) }
        try update.bind(11, row.type)
        try update.bind(12, NameWords(name).key)
        if old[0] == Contact.Kind.organisation.rawValue, kind != old[0] {
            try writer.releasePeople(of: id)
            organisations = organisations.filter { $0.value != id }
        }
        let gained = try writer.addDetails(details, to: id)
        let new: [(String, String?)] =
            [
                ("kind", kind), ("name", name), ("external_id", externalID),
                ("organisation", organisation?.description), ("owner", owner?.description),
            ]
            + zip(["do_not_email", "notify_owner", "private"], flags.map { $0.map(String.init) })
            + [("type", row.type)]
        let changed: [String] = zip(new, old).compactMap { field, was in
            guard let value = field.1, value != was else { return nil }
            // Whose name goes must be seen before it is gone.
            return field.0 == "name" ? "name (was \(was ?? ""))" : field.0
        }
        // A row that says what is known already changes nothing.
        if !changed.isEmpty { try update.run() }
        return changed + (gained.tags ? ["tags"] : []) + (gained.phones ? ["phones"] : [])
            + (gained.users ? ["users"] : [])
    }

    private func touch(_ id: ContactID) throws {
        setUpdated.bind(1, time.rawValue)
        setUpdated.bind(2, id.rawValue)
        try setUpdated.run()
    }

    private func organisation(_ text: String) throws -> ContactID {
        let key = ContactWriter.nameKey(text)
        if let known = organisations[key] { return known }
        let id: ContactID
        try organisationByExternalID.bind(1, text)
        let named = try organisationByExternalID.first { (id: $0.int64(0), isSeen: $0.int64(1) != 0) }
        if let named, named.isSeen {
            id = ContactID(rawValue: named.id)
        } else if let known = try organisation(named: text, nil) {
            id = known
        } else if named != nil {
            throw Self.hidden(text)
        } else {
            var draft = ContactDraft(kind: .organisation, name: text)
            draft.owner = sight.rights?.user
            id = try writer.insert(draft)
            report.organisationsAdded += 1
            if isListing { report.organisations.append(draft.name) }
        }
        organisations[key] = id
        return id
    }

    /// Of a contact that the viewer does not see they hear what they would hear by making one with that id, and no more.
    private static func hidden(_ externalID: String) -> MailFailure {
        var failure = MailFailure.taken("external id", externalID)
        failure.remedy = "It is another user's; leave it out, or ask an administrator."
        return failure
    }

    private func organisation(named name: String, _ externalID: String?) throws -> ContactID? {
        try byName.bind(1, ContactWriter.nameKey(name))
        try byName.bind(2, externalID)
        return try byName.first { ContactID(rawValue: $0.int64(0)) }
    }

    private func user(_ text: String) throws -> UserID {
        if let known = owners[text] { return known }
        try userByName.bind(1, text)
        var id = try userByName.first { $0.int64(0) }
        if id == nil, let address = EmailAddress(text) {
            userByEmail.bind(1, try writer.addresses.entry(address).id)
            id = try userByEmail.first { $0.int64(0) }
        }
        guard let id else { throw Archive.unknownUser(text) }
        owners[text] = UserID(rawValue: id)
        return UserID(rawValue: id)
    }
}
