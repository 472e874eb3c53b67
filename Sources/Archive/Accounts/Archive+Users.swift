import GRDB
public import MailModel
import Matcher

extension Archive {
    /// - Throws: `name.taken`, `value.invalid`.
    @discardableResult
    public func addUser(
        name: String, displayName: String? = nil, email: EmailAddress? = nil
    ) throws(MailFailure) -> UserID {
        guard !name.isEmpty else {
            throw MailFailure.invalid("A user needs a name", remedy: "Give one with --name.")
        }
        let time = now()
        return try write { db in
            Act.concerns("user \(name)")
            guard try Self.userID(named: name, db) == nil else { throw MailFailure.taken("user", name) }
            try db.execute(
                sql: """
                    INSERT INTO users(name, display_name, email, address, created_at) VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    name, displayName, email?.addrSpec, try email.map { try Self.addressID($0, db) },
                    time.rawValue,
                ])
            return UserID(rawValue: db.lastInsertedRowID)
        }
    }

    /// By name.
    public func users() throws(MailFailure) -> [User] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT id, name, display_name, email FROM users ORDER BY name")
                .map(Self.user)
        }
    }

    /// - Throws: `unknown.user`.
    public func user(named name: String) throws(MailFailure) -> User {
        let found = try read { db in
            try Row.fetchOne(
                db, sql: "SELECT id, name, display_name, email FROM users WHERE name = ?", arguments: [name]
            ).map(Self.user)
        }
        guard let found else { throw Self.unknownUser(name) }
        return found
    }

    /// - Throws: `unknown.user`.
    public func editUser(
        _ id: UserID, displayName: String?, email: EmailAddress?
    ) throws(MailFailure) {
        try write { db in
            try db.execute(
                sql: "UPDATE users SET display_name = ?, email = ?, address = ? WHERE id = ?",
                arguments: [
                    displayName, email?.addrSpec, try email.map { try Self.addressID($0, db) }, id.rawValue,
                ])
            guard db.changesCount == 1 else { throw Self.unknownUser(id.description) }
        }
    }

    static func unknownUser(_ name: String) -> MailFailure {
        .unknown(.unknownUser, "user", name, remedy: "See them with: mailworker user list")
    }

    static func userID(named name: String, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(db, sql: "SELECT id FROM users WHERE name = ?", arguments: [name])
    }

    /// The number of an address, made when it is new.
    static func addressID(_ address: EmailAddress, _ db: Database) throws -> Int64 {
        try AddressBook(db).entry(address).id
    }

    /// An address out of a stored addr-spec.
    static func address(_ addrSpec: String?) -> EmailAddress? {
        guard let addrSpec, let at = addrSpec.lastIndex(of: "@") else { return nil }
        return EmailAddress(
            localPart: String(addrSpec[..<at]), domain: String(addrSpec[addrSpec.index(after: at)...]))
    }

    private static func user(_ row: Row) -> User {
        User(id: UserID(rawValue: row[0]), name: row[1], displayName: row[2], email: address(row[3]))
    }
}
