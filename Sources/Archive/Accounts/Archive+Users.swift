import GRDB
public import MailModel
import Matcher

/// What is known about a user besides their name.
public struct UserDraft: Sendable, Hashable {
    public var displayName: String?
    public var email: EmailAddress?
    /// By name.
    public var role: String?
    /// By name; nil for none.
    public var department: String?
    public var isEnabled = true

    public init(email: EmailAddress? = nil, role: String? = BuiltInRole.employee.rawValue) {
        self.email = email
        self.role = role
    }

    public init(_ user: User) {
        displayName = user.displayName
        email = user.email
        role = user.role
        department = user.department
        isEnabled = user.isEnabled
    }
}

extension Archive {
    /// Mail that waits under their address follows: between users it is internal.
    ///
    /// - Throws: `name.taken`, `value.invalid`, `unknown.role`, `unknown.department`.
    @discardableResult
    public func addUser(name: String, _ draft: UserDraft) throws(MailFailure) -> UserID {
        guard !name.isEmpty else {
            throw MailFailure.invalid("A user needs a name", remedy: "Give one with --name.")
        }
        let time = now()
        return try administer { db in
            Act.concerns("user \(name)")
            guard try Self.userID(named: name, db) == nil else { throw MailFailure.taken("user", name) }
            try db.execute(
                sql: "INSERT INTO users(name, created_at) VALUES (?, ?)", arguments: [name, time.rawValue])
            let id = db.lastInsertedRowID
            try OwnAddresses(db, policy: matching, time: time).change(from: nil, to: draft.email) {
                try Self.fill(id, draft, db)
            }
            return UserID(rawValue: id)
        }
    }

    /// - Throws: `name.taken`, `value.invalid`.
    @discardableResult
    public func addUser(
        name: String, displayName: String? = nil, email: EmailAddress? = nil
    ) throws(MailFailure) -> UserID {
        var draft = UserDraft(email: email)
        draft.displayName = displayName
        return try addUser(name: name, draft)
    }

    /// By name.
    public func users() throws(MailFailure) -> [User] {
        try read { db in
            try Row.fetchAll(db, sql: Self.selectUsers + " ORDER BY u.name").map(Self.user)
        }
    }

    /// - Throws: `unknown.user`.
    public func user(named name: String) throws(MailFailure) -> User {
        let found = try read { db in
            try Row.fetchOne(db, sql: Self.selectUsers + " WHERE u.name = ?", arguments: [name])
                .map(Self.user)
        }
        guard let found else { throw Self.unknownUser(name) }
        return found
    }

    /// Replaces what is known about a user.
    ///
    /// - Throws: `unknown.user`, `unknown.role`, `unknown.department`.
    public func editUser(_ id: UserID, _ draft: UserDraft) throws(MailFailure) {
        let time = now()
        try administer { db in
            let known = try Row.fetchOne(
                db, sql: "SELECT name, email FROM users WHERE id = ?", arguments: [id.rawValue])
            guard let known else { throw Self.unknownUser(id.description) }
            Act.concerns("user \(known["name"] as String)")
            try OwnAddresses(db, policy: matching, time: time).change(
                from: Self.address(known["email"]), to: draft.email
            ) { try Self.fill(id.rawValue, draft, db) }
        }
    }

    /// - Throws: `unknown.user`.
    public func editUser(
        _ id: UserID, displayName: String?, email: EmailAddress?
    ) throws(MailFailure) {
        guard let user = try users().first(where: { $0.id == id }) else {
            throw Self.unknownUser(id.description)
        }
        var draft = UserDraft(user)
        draft.displayName = displayName
        draft.email = email
        try editUser(id, draft)
    }

    private static func fill(_ id: Int64, _ draft: UserDraft, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE users SET display_name = ?, email = ?, address = ?, role = ?, department = ?,
                    is_enabled = ?
                WHERE id = ?
                """,
            arguments: [
                draft.displayName, draft.email?.addrSpec, try draft.email.map { try addressID($0, db) },
                try draft.role.map { try roleID(named: $0, db).rawValue },
                try draft.department.map { try departmentID(named: $0, db).rawValue }, draft.isEnabled, id,
            ])
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

    private static let selectUsers = """
        SELECT u.id, u.name, u.display_name, u.email, r.name AS role, d.name AS department, u.is_enabled,
            u.password IS NOT NULL AS has_password
        FROM users u LEFT JOIN roles r ON r.id = u.role LEFT JOIN departments d ON d.id = u.department
        """

    private static func user(_ row: Row) -> User {
        User(
            id: UserID(rawValue: row["id"]), name: row["name"], displayName: row["display_name"],
            email: address(row["email"]), role: row["role"], department: row["department"],
            isEnabled: row["is_enabled"], hasPassword: row["has_password"])
    }
}
