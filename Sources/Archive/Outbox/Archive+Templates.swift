import GRDB
public import MailModel

/// A text for many recipients, as a person has written it; what its tags mean is not the archive's.
public struct StoredTemplate: Sendable, Hashable, Encodable {
    public var name: String
    public var subject: String
    public var text: String?
    public var html: String?
    public var updatedAt: UnixTime
    public var updatedBy: String

    private enum CodingKeys: String, CodingKey {
        case name, subject, text, html
        case updatedAt = "updated_at"
        case updatedBy = "updated_by"
    }
}

/// What stands under the mail of an account.
public struct Signature: Sendable, Hashable, Encodable {
    public var text: String?
    public var html: String?

    public init(text: String?, html: String?) {
        self.text = text
        self.html = html
    }
}

/// Templates are everybody's who may send; whoever may write to many changes them.
extension Archive {
    /// By name.
    public func templates(limit: Int = .max) throws(MailFailure) -> [StoredTemplate] {
        try read { db, sight in
            try sight.demand(.send)
            return try Row.fetchAll(
                db, sql: "SELECT * FROM templates ORDER BY name LIMIT ?", arguments: [limit]
            ).map(Self.template)
        }
    }

    /// - Throws: `unknown.template`, `rights.missing`.
    public func template(named name: String) throws(MailFailure) -> StoredTemplate {
        let found = try read { db, sight in
            try sight.demand(.send)
            return try Row.fetchOne(db, sql: "SELECT * FROM templates WHERE name = ?", arguments: [name])
                .map(Self.template)
        }
        guard let found else { throw Self.unknownTemplate(name) }
        return found
    }

    /// Adds a template, or replaces the one of that name.
    ///
    /// - Returns: whether there was one.
    /// - Throws: `rights.missing`, `value.invalid`.
    @discardableResult
    public func storeTemplate(
        _ name: String, subject: String, text: String?, html: String?, by person: String
    ) throws(MailFailure) -> Bool {
        guard !name.isEmpty, text != nil || html != nil else {
            throw MailFailure.invalid("A template needs a name and a text", remedy: "Give --text or --html.")
        }
        let time = now()
        return try write { db in
            try Sight(viewer, db).demand(.campaigns)
            Act.concerns("template \(name)")
            let wasThere =
                try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM templates WHERE name = ?)", arguments: [name])
                ?? false
            try db.execute(
                sql: """
                    INSERT INTO templates(name, subject, text, html, created_at, updated_at, updated_by)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)
                    ON CONFLICT(name) DO UPDATE SET subject = ?2, text = ?3, html = ?4, updated_at = ?5,
                        updated_by = ?6
                    """, arguments: [name, subject, text, html, time.rawValue, person])
            return wasThere
        }
    }

    /// - Throws: `unknown.template`, `rights.missing`.
    public func removeTemplate(named name: String) throws(MailFailure) {
        try write { db in
            try Sight(viewer, db).demand(.campaigns)
            Act.concerns("template \(name)")
            try db.execute(sql: "DELETE FROM templates WHERE name = ?", arguments: [name])
            guard db.changesCount == 1 else { throw Self.unknownTemplate(name) }
        }
    }

    /// What stands under the mail of an account; nil without one.
    public func signature(of account: AccountID) throws(MailFailure) -> Signature? {
        try read { db in
            try Row.fetchOne(
                db, sql: "SELECT text, html FROM signatures WHERE account = ?", arguments: [account.rawValue]
            ).map { Signature(text: $0[0], html: $0[1]) }
        }
    }

    /// - Parameter signature: nil takes it away.
    /// - Throws: `unknown.account` where the right to send does not reach the account.
    public func setSignature(_ signature: Signature?, of account: Account) throws(MailFailure) {
        try write { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.send)
            try Self.requireSender(account.id, named: account.settings.name, db, sight)
            Act.concerns("account \(account.id)")
            try db.execute(sql: "DELETE FROM signatures WHERE account = ?", arguments: [account.id.rawValue])
            guard let signature, signature.text != nil || signature.html != nil else { return }
            try db.execute(
                sql: "INSERT INTO signatures(account, text, html) VALUES (?, ?, ?)",
                arguments: [account.id.rawValue, signature.text, signature.html])
        }
    }

    private static func template(_ row: Row) -> StoredTemplate {
        StoredTemplate(
            name: row["name"], subject: row["subject"], text: row["text"], html: row["html"],
            updatedAt: UnixTime(row["updated_at"]), updatedBy: row["updated_by"])
    }

    private static func unknownTemplate(_ name: String) -> MailFailure {
        .unknown(.unknownTemplate, "template", name, remedy: "See them with: mailworker template list")
    }
}

extension MailFailure.Code {
    public static let unknownTemplate = Self("unknown.template")
}
