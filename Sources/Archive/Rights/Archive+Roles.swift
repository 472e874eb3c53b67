import GRDB
public import MailModel

/// The roles that every archive has; their rights can be changed, they themselves not removed.
public enum BuiltInRole: String, Sendable, CaseIterable {
    case administrator, manager, employee
}

/// A set of rights that users have.
public struct Role: Sendable, Hashable {
    public var id: RoleID
    public var name: String
    public var isBuiltIn: Bool
    /// What is not in it is not given.
    public var scopes: [Right: Scope]
    /// How many users have it.
    public var users: Int
}

/// Users that belong together.
public struct Department: Sendable, Hashable {
    public var id: DepartmentID
    public var name: String
    public var users: Int
}

extension MailFailure.Code {
    public static let unknownRole = Self("unknown.role")
    public static let unknownDepartment = Self("unknown.department")
    public static let inUse = Self("name.in-use")
}

extension Archive {
    // MARK: - Roles

    /// - Throws: `name.taken`, `value.invalid`.
    @discardableResult
    public func addRole(name: String, _ scopes: [Right: Scope]) throws(MailFailure) -> RoleID {
        guard !name.isEmpty else { throw Self.nameless }
        return try administer { db in
            Act.concerns("role \(name)")
            let known = try Int64.fetchOne(
                db, sql: "SELECT id FROM roles WHERE name = ?", arguments: [name])
            guard known == nil else { throw MailFailure.taken("role", name) }
            try db.execute(sql: "INSERT INTO roles(name) VALUES (?)", arguments: [name])
            let id = RoleID(rawValue: db.lastInsertedRowID)
            try Self.store(scopes, of: id, db)
            return id
        }
    }

    /// Replaces the rights that are named; the others stay as they are.
    ///
    /// - Throws: `unknown.role`, `name.taken`.
    public func editRole(
        named name: String, newName: String? = nil, _ scopes: [Right: Scope]
    ) throws(MailFailure) {
        guard newName != "" else { throw Self.nameless }
        try administer { db in
            Act.concerns("role \(name)")
            let id = try Self.roleID(named: name, db)
            if let newName, newName != name {
                let other = try Row.fetchOne(
                    db, sql: "SELECT id FROM roles WHERE name = ?", arguments: [newName])
                guard other == nil else { throw MailFailure.taken("role", newName) }
                try db.execute(
                    sql: "UPDATE roles SET name = ? WHERE id = ? AND is_built_in = 0",
                    arguments: [newName, id.rawValue])
                guard db.changesCount == 1 else { throw Self.builtIn(name) }
            }
            try Self.store(scopes, of: id, db)
        }
    }

    /// - Throws: `unknown.role`, `name.in-use` when users have it, `value.invalid` for a built-in one.
    public func removeRole(named name: String) throws(MailFailure) {
        try administer { db in
            Act.concerns("role \(name)")
            let id = try Self.roleID(named: name, db)
            let isUsed = try Int64.fetchOne(
                db, sql: "SELECT 1 FROM users WHERE role = ? LIMIT 1", arguments: [id.rawValue])
            guard isUsed == nil else {
                throw Self.inUse(
                    "role", name, remedy: "Give its users another one first: mailworker user edit")
            }
            try db.execute(
                sql: "DELETE FROM roles WHERE id = ? AND is_built_in = 0", arguments: [id.rawValue])
            guard db.changesCount == 1 else { throw Self.builtIn(name) }
        }
    }

    /// The built-in ones first, then by name.
    public func roles() throws(MailFailure) -> [Role] {
        try read { db in
            var scopes: [Int64: [Right: Scope]] = [:]
            try PreparedStatement(db, "SELECT role, right_name, scope FROM role_rights").forEachRow { row in
                guard let right = Right(rawValue: row.text(1)) else { return }
                scopes[row.int64(0), default: [:]][right] = Scope(rawValue: row.text(2))
            }
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT id, name, is_built_in, (SELECT count(*) FROM users WHERE role = roles.id)
                    FROM roles ORDER BY is_built_in = 0, CASE is_built_in WHEN 1 THEN id END, name
                    """
            ).map { row in
                Role(
                    id: RoleID(rawValue: row[0]), name: row[1], isBuiltIn: row[2],
                    scopes: scopes[row[0]] ?? [:], users: row[3])
            }
        }
    }

    static func roleID(named name: String, _ db: Database) throws -> RoleID {
        let id = try Int64.fetchOne(db, sql: "SELECT id FROM roles WHERE name = ?", arguments: [name])
        guard let id else {
            throw MailFailure.unknown(
                .unknownRole, "role", name, remedy: "See them with: mailworker role list")
        }
        return RoleID(rawValue: id)
    }

    private static func store(_ scopes: [Right: Scope], of id: RoleID, _ db: Database) throws {
        if let scope = scopes[.administer], scope != .none, scope != .all {
            throw MailFailure.invalid(
                "The right to administer has no such scope", scope.rawValue, remedy: "Give none or all.")
        }
        for (right, scope) in scopes {
            if scope == .none {
                try db.execute(
                    sql: "DELETE FROM role_rights WHERE role = ? AND right_name = ?",
                    arguments: [id.rawValue, right.rawValue])
            } else {
                try db.execute(
                    sql: """
                        INSERT INTO role_rights(role, right_name, scope) VALUES (?, ?, ?)
                        ON CONFLICT DO UPDATE SET scope = excluded.scope
                        """, arguments: [id.rawValue, right.rawValue, scope.rawValue])
            }
        }
    }

    // MARK: - Departments

    /// - Throws: `name.taken`, `value.invalid`.
    @discardableResult
    public func addDepartment(name: String) throws(MailFailure) -> DepartmentID {
        guard !name.isEmpty else { throw Self.nameless }
        return try administer { db in
            Act.concerns("department \(name)")
            try Self.requireFreeDepartment(name, db)
            try db.execute(sql: "INSERT INTO departments(name) VALUES (?)", arguments: [name])
            return DepartmentID(rawValue: db.lastInsertedRowID)
        }
    }

    /// - Throws: `unknown.department`, `name.taken`, `value.invalid`.
    public func renameDepartment(named name: String, to newName: String) throws(MailFailure) {
        guard !newName.isEmpty else { throw Self.nameless }
        try administer { db in
            Act.concerns("department \(name)")
            let id = try Self.departmentID(named: name, db)
            if newName != name { try Self.requireFreeDepartment(newName, db) }
            try db.execute(
                sql: "UPDATE departments SET name = ? WHERE id = ?", arguments: [newName, id.rawValue])
        }
    }

    /// - Throws: `unknown.department`, `name.in-use` when users belong to it.
    public func removeDepartment(named name: String) throws(MailFailure) {
        try administer { db in
            Act.concerns("department \(name)")
            let id = try Self.departmentID(named: name, db)
            let isUsed = try Int64.fetchOne(
                db, sql: "SELECT 1 FROM users WHERE department = ? LIMIT 1", arguments: [id.rawValue])
            guard isUsed == nil else {
                throw Self.inUse(
                    "department", name, remedy: "Move its users elsewhere first: mailworker user edit")
            }
            try db.execute(sql: "DELETE FROM departments WHERE id = ?", arguments: [id.rawValue])
        }
    }

    /// By name.
    public func departments() throws(MailFailure) -> [Department] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT id, name, (SELECT count(*) FROM users WHERE department = departments.id)
                    FROM departments ORDER BY name
                    """
            ).map { Department(id: DepartmentID(rawValue: $0[0]), name: $0[1], users: $0[2]) }
        }
    }

    static func departmentID(named name: String, _ db: Database) throws -> DepartmentID {
        let id = try Int64.fetchOne(db, sql: "SELECT id FROM departments WHERE name = ?", arguments: [name])
        guard let id else {
            throw MailFailure.unknown(
                .unknownDepartment, "department", name, remedy: "See them with: mailworker department list")
        }
        return DepartmentID(rawValue: id)
    }

    private static func requireFreeDepartment(_ name: String, _ db: Database) throws {
        let known = try Int64.fetchOne(
            db, sql: "SELECT id FROM departments WHERE name = ?", arguments: [name])
        guard known == nil else { throw MailFailure.taken("department", name) }
    }

    // MARK: - Refusals

    private static let nameless = MailFailure.invalid("A name is needed", remedy: "Give one.")

    private static func builtIn(_ name: String) -> MailFailure {
        .invalid(
            "A built-in role keeps its name and cannot be removed", name,
            remedy: "Change its rights, or make a role of your own: mailworker role add")
    }

    private static func inUse(_ what: String, _ name: String, remedy: String) -> MailFailure {
        MailFailure(
            .inUse, kind: .permanent, "The \(what) has users", detail: name, remedy: remedy)
    }
}
