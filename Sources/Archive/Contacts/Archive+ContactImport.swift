import GRDB
public import MailModel
import Matcher

extension Archive {
    /// Imports contacts in one transaction. A row updates the contact with its
    /// external id, else the one that has one of its addresses (and no other external
    /// id), else makes a new one. Addresses are added, never taken away.
    ///
    /// Organisations are imported first, whatever the order, so that people find them.
    public func importContacts(_ rows: [ContactImportRow]) throws(MailFailure) -> ContactImportReport {
        let time = now()
        return try write { db in
            let importer = try ContactImporter(db, time: time)
            for (index, row) in rows.enumerated() where row.kind == .organisation {
                try importer.add(row, index)
            }
            for (index, row) in rows.enumerated() where row.kind != .organisation {
                try importer.add(row, index)
            }
            importer.report.refused.sort { $0.row < $1.row }
            return importer.report
        }
    }
}

/// The working state of one import.
private final class ContactImporter {
    var report = ContactImportReport()
    private let db: Database
    private let time: UnixTime
    private let writer: ContactWriter
    private var organisations: [String: ContactID] = [:]
    private var owners: [String: UserID] = [:]
    private let byExternalID, byAddress, byName, userByName, userByEmail, update: PreparedStatement

    init(_ db: Database, time: UnixTime) throws {
        self.db = db
        self.time = time
        writer = try ContactWriter(db, time: time)
        byExternalID = try PreparedStatement(db, "SELECT id FROM contacts WHERE external_id = ?")
        byAddress = try PreparedStatement(
            db,
            """
            SELECT c.id FROM contact_addresses ca JOIN contacts c ON c.id = ca.contact
            WHERE ca.address = ?1 AND (c.external_id IS NULL OR ?2 IS NULL) ORDER BY c.id LIMIT 1
            """)
        byName = try PreparedStatement(
            db,
            """
            SELECT id FROM contacts WHERE name_key = ? AND kind = 'organisation'
                AND (external_id IS NULL OR ?2 IS NULL) ORDER BY id LIMIT 1
            """)
        userByName = try PreparedStatement(db, "SELECT id FROM users WHERE name = ?")
        userByEmail = try PreparedStatement(db, "SELECT id FROM users WHERE address = ? LIMIT 1")
        update = try PreparedStatement(
            db,
            """
            UPDATE contacts SET kind = ?2, name = ?3, name_key = ?4, external_id = coalesce(?5, external_id),
                organisation = coalesce(?6, organisation), owner = coalesce(?7, owner),
                do_not_email = coalesce(?8, do_not_email), notify_owner = coalesce(?9, notify_owner),
                is_private = coalesce(?10, is_private), updated_at = ?11
            WHERE id = ?1
            """)
    }

    func add(_ row: ContactImportRow, _ index: Int) throws {
        do {
            try add(row)
        } catch let failure as MailFailure {
            report.refused.append(.init(row: index, failure: failure))
        }
    }

    private func add(_ row: ContactImportRow) throws {
        guard !row.name.isEmpty else {
            throw MailFailure.invalid("A contact needs a name", remedy: "Fill in the name column.")
        }
        let externalID = row.externalID.flatMap { $0.isEmpty ? nil : $0 }
        let owner = try row.owner.flatMap { $0.isEmpty ? nil : try user($0) }
        let organisation = try row.organisation.flatMap { $0.isEmpty ? nil : try self.organisation($0) }
        let id: ContactID
        if let known = try find(row, externalID) {
            guard organisation != known else {
                throw MailFailure.invalid(
                    "A contact cannot be its own organisation", row.name, remedy: "Leave that column empty.")
            }
            try change(known, row, externalID, owner, organisation)
            id = known
            report.updated += 1
        } else {
            var draft = ContactDraft(kind: row.kind, name: row.name)
            draft.externalID = externalID
            draft.organisation = organisation
            draft.owner = owner
            draft.doNotEmail = row.doNotEmail ?? false
            draft.notifyOwner = row.notifyOwner ?? false
            draft.isPrivate = row.isPrivate ?? false
            id = try writer.insert(draft)
            report.added += 1
        }
        if row.kind == .organisation {
            organisations[ContactWriter.nameKey(row.name)] = id
        }
        for email in row.emails { report.gain = try report.gain + writer.give(email, to: id) }
    }

    private func find(_ row: ContactImportRow, _ externalID: String?) throws -> ContactID? {
        if let externalID {
            try byExternalID.bind(1, externalID)
            if let id = try byExternalID.first({ $0.int64(0) }) { return ContactID(rawValue: id) }
        }
        for email in row.emails {
            byAddress.bind(1, try writer.addresses.entry(email).id)
            try byAddress.bind(2, externalID)
            if let id = try byAddress.first({ $0.int64(0) }) { return ContactID(rawValue: id) }
        }
        guard row.kind == .organisation else { return nil }
        return try organisation(named: row.name, externalID)
    }

    private func change(
        _ id: ContactID, _ row: ContactImportRow, _ externalID: String?, _ owner: UserID?,
        _ organisation: ContactID?
    ) throws {
        update.bind(1, id.rawValue)
        try update.bind(2, row.kind.rawValue)
        try update.bind(3, row.name)
        try update.bind(4, ContactWriter.nameKey(row.name))
        try update.bind(5, externalID)
        update.bind(6, organisation?.rawValue)
        update.bind(7, owner?.rawValue)
        update.bind(8, row.doNotEmail.map { $0 ? 1 : 0 })
        update.bind(9, row.notifyOwner.map { $0 ? 1 : 0 })
        update.bind(10, row.isPrivate.map { $0 ? 1 : 0 })
        update.bind(11, time.rawValue)
        try update.run()
    }

    private func organisation(_ text: String) throws -> ContactID {
        let key = ContactWriter.nameKey(text)
        if let known = organisations[key] { return known }
        let id: ContactID
        try byExternalID.bind(1, text)
        if let known = try byExternalID.first({ $0.int64(0) }) {
            id = ContactID(rawValue: known)
        } else if let known = try organisation(named: text, nil) {
            id = known
        } else {
            id = try writer.insert(ContactDraft(kind: .organisation, name: text))
            report.organisationsAdded += 1
        }
        organisations[key] = id
        return id
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
