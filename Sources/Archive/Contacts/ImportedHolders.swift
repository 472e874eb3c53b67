import GRDB
import MailModel
import Matcher

/// Finds, within one transaction, the contact that a row of an import means where no external id says it.
struct ImportedHolders {
    private struct Holder {
        var id: ContactID
        var name: String
    }

    private let byAddress, byName, hasPhone: PreparedStatement

    init(_ db: Database, _ sight: Sight) throws {
        byAddress = try PreparedStatement(
            db,
            """
            SELECT c.id, c.name FROM contact_addresses ca JOIN contacts c ON c.id = ca.contact
            WHERE ca.address = ?1 AND (c.external_id IS NULL OR ?2 IS NULL) AND \(sight.sees(contact: "c"))
            ORDER BY c.id LIMIT 100
            """)
        byName = try PreparedStatement(
            db,
            """
            SELECT c.id FROM contacts c LEFT JOIN contacts o ON o.id = c.organisation
            WHERE c.name_key = ?1 AND c.kind = ?2 AND c.external_id IS NULL AND \(sight.sees(contact: "c"))
                AND (?3 IS NULL OR o.id IS NULL OR ?3 = o.name_key OR ?4 = o.external_id)
                AND NOT EXISTS (SELECT 1 FROM contact_addresses WHERE contact = c.id)
            ORDER BY c.id LIMIT 100
            """)
        hasPhone = try PreparedStatement(
            db,
            """
            SELECT count(*), coalesce(sum(digits = ?2), 0) FROM contact_phones WHERE contact = ?1
            """)
    }

    /// The contact with one of the row's addresses and its name, or with no name but an address.
    ///
    /// - Parameter touched: contacts of earlier rows, which are other people when they have another name.
    /// - Throws: `value.invalid` when the address is somebody else's.
    func find(
        _ row: ContactImportRow, _ addresses: AddressBook, touched: Set<ContactID>
    ) throws -> ContactID? {
        var other: (holder: Holder, email: EmailAddress)?
        for email in row.emails {
            var holders: [Holder] = []
            byAddress.bind(1, try addresses.entry(email).id)
            try byAddress.bind(2, row.externalID)
            try byAddress.forEachRow {
                holders.append(Holder(id: ContactID(rawValue: $0.int64(0)), name: $0.text(1)))
            }
            guard let name = row.name else {
                if let first = holders.first { return first.id }
                continue
            }
            if let one = holders.first(where: { Self.agree($0.name, name) }) { return one.id }
            let strangers = holders.filter { !touched.contains($0.id) }
            // It was made of nothing but the address.
            let isNameless = { (holder: Holder) in
                ContactWriter.nameKey(holder.name) == email.lowercased
            }
            if let one = strangers.first(where: isNameless) { return one.id }
            if other == nil, let first = strangers.first { other = (first, email) }
        }
        // An external id says that it is somebody of its own.
        guard let other, row.externalID == nil else { return nil }
        throw MailFailure.invalid(
            "The address belongs to somebody of another name",
            "\(other.email.lowercased), of \(other.holder.name) (\(other.holder.id)), for \(row.name ?? "")",
            remedy:
                "Rename that contact first, or give the row an external_id: then it is another one, and both "
                + "have the address.")
    }

    /// What has neither an external id nor an address is known by its name, with its organisation and numbers.
    func findByName(_ row: ContactImportRow, touched: Set<ContactID>) throws -> ContactID? {
        guard row.externalID == nil, row.emails.isEmpty, let name = row.name else { return nil }
        var found: [ContactID] = []
        try byName.bind(1, ContactWriter.nameKey(name))
        try byName.bind(2, (row.kind ?? .person).rawValue)
        try byName.bind(3, row.organisation.map(ContactWriter.nameKey))
        try byName.bind(4, row.organisation)
        try byName.forEachRow { found.append(ContactID(rawValue: $0.int64(0))) }
        return try found.first { try !touched.contains($0) && sharesPhone($0, row) }
    }

    private func sharesPhone(_ contact: ContactID, _ row: ContactImportRow) throws -> Bool {
        let numbers = row.phones.compactMap { PhoneNumber($0)?.digits }
        guard !numbers.isEmpty else { return true }
        return try numbers.contains { digits in
            hasPhone.bind(1, contact.rawValue)
            try hasPhone.bind(2, digits)
            let (all, same) = try hasPhone.first { ($0.int64(0), $0.int64(1)) } ?? (0, 0)
            return all == 0 || same > 0
        }
    }

    /// Also in another order or alphabet.
    private static func agree(_ one: String, _ other: String) -> Bool {
        ContactWriter.nameKey(one) == ContactWriter.nameKey(other) || NameWords.agree(one, other)
    }
}
