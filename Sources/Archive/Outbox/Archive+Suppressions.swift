import GRDB
public import MailModel
import Matcher

/// An address that automatic and mass mail leaves out. It says nothing about the contact's wishes, which
/// are in do-not-email.
public struct Suppression: Sendable, Hashable, Encodable {
    public enum Reason: String, Sendable, Codable {
        case hardBounces = "hard-bounces"
        case person
    }

    public var address: String
    public var reason: Reason
    public var evidence: String
    public var createdAt: UnixTime
    /// Nil: until a person removes it.
    public var expiresAt: UnixTime?
    public var createdBy: String

    private enum CodingKeys: String, CodingKey {
        case address, reason, evidence
        case createdAt = "created_at"
        case expiresAt = "expires_at"
        case createdBy = "created_by"
    }
}

/// What has to be known of an address before mail is sent to it.
public struct MailStanding: Sendable, Hashable {
    public var address: EmailAddress
    /// Contacts that have the address and must not be mailed.
    public var doNotEmail: [String]
    public var suppression: Suppression?
}

extension Archive {
    /// Those in force, by address.
    public func suppressions(limit: Int = .max) throws(MailFailure) -> [Suppression] {
        let time = now()
        return try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM suppressions WHERE expires_at IS NULL OR expires_at > ?
                    ORDER BY canonical LIMIT ?
                    """, arguments: [time.rawValue, limit]
            ).map(Self.suppression)
        }
    }

    /// Adds or replaces one.
    public func suppress(
        _ address: EmailAddress, reason: Suppression.Reason, evidence: String, until: UnixTime?,
        by person: String
    ) throws(MailFailure) {
        let time = now()
        try write { db in
            try Act.concerns(CanonicalAddress(address), db)
            try Self.suppress(
                address, reason: reason, evidence: evidence, until: until, by: person, db, at: time)
        }
    }

    static func suppress(
        _ address: EmailAddress, reason: Suppression.Reason, evidence: String, until: UnixTime?,
        by person: String, _ db: Database, at time: UnixTime
    ) throws {
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO suppressions(canonical, email, reason, evidence, created_at,
                    expires_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                CanonicalAddress(address).rawValue, address.lowercased, reason.rawValue, evidence,
                time.rawValue, until?.rawValue, person,
            ])
    }

    /// - Returns: whether there was one.
    public func endSuppression(of address: EmailAddress) throws(MailFailure) -> Bool {
        try write { db in
            try db.execute(
                sql: "DELETE FROM suppressions WHERE canonical = ?",
                arguments: [CanonicalAddress(address).rawValue])
            guard db.changesCount > 0 else { return false }
            try Act.concerns(CanonicalAddress(address), db)
            return true
        }
    }

    /// What stands against mail to each of the addresses. It holds for contacts too that the viewer does not
    /// see, without their names.
    public func standing(of addresses: [EmailAddress]) throws(MailFailure) -> [MailStanding] {
        let time = now()
        return try read { db, sight in
            try addresses.map { address in
                let canonical = CanonicalAddress(address).rawValue
                let names = try String.fetchAll(
                    db,
                    sql: """
                        SELECT CASE WHEN \(sight.sees(contact: "c")) THEN c.name ELSE 'a contact' END
                        FROM addresses a JOIN contact_addresses ca ON ca.address = a.id
                        JOIN contacts c ON c.id = ca.contact
                        WHERE a.canonical = ? AND c.do_not_email = 1 ORDER BY c.name
                        """, arguments: [canonical])
                let found = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT * FROM suppressions
                        WHERE canonical = ? AND (expires_at IS NULL OR expires_at > ?)
                        """, arguments: [canonical, time.rawValue]
                ).map(Self.suppression)
                return MailStanding(address: address, doNotEmail: names, suppression: found)
            }
        }
    }

    private static func suppression(_ row: Row) -> Suppression {
        Suppression(
            address: row["email"], reason: Suppression.Reason(rawValue: row["reason"]) ?? .person,
            evidence: row["evidence"], createdAt: UnixTime(row["created_at"]),
            expiresAt: time(row["expires_at"]), createdBy: row["created_by"])
    }
}
