import GRDB
public import MailModel
import Matcher

/// Contacts that may be one. A suggestion: nothing is merged by it.
public struct DuplicateGroup: Sendable, Hashable, Encodable {
    public enum Reason: String, Sendable, Hashable, Codable, CaseIterable {
        /// The same address, as it is written.
        case address
        /// Addresses of one mailbox that are written differently.
        case canonical
        /// The same name, in any spelling, with addresses in one domain that is not a public provider's,
        /// or in one organisation.
        case name
        /// The same telephone number.
        case phone
    }

    public var reasons: [Reason]
    /// What they have in common, for people.
    public var common: [String]
    public var contacts: [Contact]
}

extension Archive {
    /// Groups of contacts that may be one, of those that the viewer sees.
    ///
    /// - Parameter reasons: what makes a group.
    public func duplicates(
        _ reasons: Set<DuplicateGroup.Reason> = Set(DuplicateGroup.Reason.allCases), limit: Int = .max
    ) throws(MailFailure) -> [DuplicateGroup] {
        try read { db, sight in
            var found: [[Int64]: [(DuplicateGroup.Reason, String)]] = [:]
            var order: [[Int64]] = []
            func add(_ reason: DuplicateGroup.Reason, _ common: String, _ members: String) {
                let ids = members.split(separator: ",").compactMap { Int64($0) }.sorted()
                if found[ids] == nil { order.append(ids) }
                found[ids, default: []].append((reason, common))
            }
            if reasons.contains(.address) || reasons.contains(.canonical) {
                for row in try Row.fetchAll(db, sql: Self.sameAddress(sight)) {
                    let reason: DuplicateGroup.Reason =
                        row["spellings"] == 1 ? .address : .canonical
                    if reasons.contains(reason) { add(reason, row["common"], row["members"]) }
                }
            }
            if reasons.contains(.name) {
                for row in try Row.fetchAll(db, sql: Self.sameName(sight)) {
                    let domain: String? = row["domain"]
                    if let domain, PublicMailDomain.contains(domain) { continue }
                    add(.name, "\(row["name"] as String)\(domain.map { " at \($0)" } ?? "")", row["members"])
                }
            }
            if reasons.contains(.phone) {
                for row in try Row.fetchAll(db, sql: Self.samePhone(sight)) {
                    add(.phone, row["common"], row["members"])
                }
            }
            return try order.prefix(limit).map { ids in
                let contacts = try Self.contacts(
                    db, sight, "c.id IN (SELECT value FROM json_each(?)) ORDER BY c.id",
                    ["[\(ids.map(String.init).joined(separator: ","))]"])
                let why = found[ids] ?? []
                return DuplicateGroup(
                    reasons: DuplicateGroup.Reason.allCases.filter { reason in
                        why.contains { $0.0 == reason }
                    }, common: Array(Set(why.map(\.1))).sorted(), contacts: contacts)
            }
        }
    }

    /// An organisation and its people may share an address; they are not one.
    private static func sameAddress(_ sight: Sight) -> String {
        """
        SELECT min(ca.email) AS common, count(DISTINCT lower(ca.email)) AS spellings,
            group_concat(c.id) AS members
        FROM contact_addresses ca JOIN contacts c ON c.id = ca.contact
        WHERE ca.address IN (SELECT address FROM contact_addresses GROUP BY address HAVING count(*) > 1)
            AND \(sight.sees(contact: "c"))
        GROUP BY ca.address, c.kind = 'organisation' HAVING count(*) > 1 ORDER BY min(c.id)
        """
    }

    private static func sameName(_ sight: Sight) -> String {
        let several =
            "c.name_words IN (SELECT name_words FROM contacts WHERE name_words <> '' "
            + "GROUP BY name_words HAVING count(*) > 1)"
        return """
            SELECT min(c.name) AS name, ca.domain AS domain, group_concat(DISTINCT c.id) AS members,
                min(c.id) AS first
            FROM contacts c JOIN contact_addresses ca ON ca.contact = c.id
            WHERE \(several) AND \(sight.sees(contact: "c"))
            GROUP BY c.name_words, ca.domain, c.kind = 'organisation' HAVING count(DISTINCT c.id) > 1
            UNION ALL
            SELECT min(c.name), NULL, group_concat(c.id), min(c.id)
            FROM contacts c WHERE c.organisation IS NOT NULL AND \(several) AND \(sight.sees(contact: "c"))
            GROUP BY c.name_words, c.organisation HAVING count(*) > 1
            ORDER BY first
            """
    }

    private static func samePhone(_ sight: Sight) -> String {
        """
        SELECT min(p.number) AS common, group_concat(c.id) AS members
        FROM contact_phones p JOIN contacts c ON c.id = p.contact
        WHERE p.digits IN (SELECT digits FROM contact_phones GROUP BY digits HAVING count(*) > 1)
            AND \(sight.sees(contact: "c"))
        GROUP BY p.digits, c.kind = 'organisation' HAVING count(*) > 1 ORDER BY min(c.id)
        """
    }
}
