import GRDB
public import MailModel

/// In whose name the archive is read and changed.
public enum Viewer: Sendable, Hashable {
    /// Whoever owns the archive's files: the operating system's administrator at the terminal, and
    /// the worker itself.
    case administrator
    /// A user of the CRM, whose rights are looked up in the transaction that they are needed in.
    ///
    /// - Parameter rights: those of the user's that count here; an API token has fewer.
    case user(UserID, rights: Set<Right> = Set(Right.allCases))
}

extension MailFailure.Code {
    public static let rightMissing = Self("rights.missing")
    /// There is mail, and its user shows no more of it to colleagues.
    public static let undisclosed = Self("rights.undisclosed")
}

extension MailFailure {
    /// A refusal says what is needed, and nothing about what it was asked for.
    static func missing(_ right: Right, _ scope: Scope = .own) -> MailFailure {
        MailFailure(
            .rightMissing, kind: .needsPerson, "This user's role does not give the right",
            detail: "\(right.rawValue), \(scope.rawValue)",
            remedy: "An administrator can change that; see: mailworker role list")
    }
}

extension Archive {
    /// The same archive as somebody may see and change it. What they may not see does not exist
    /// in it: reads leave it out, and asking for it by number is asking for nothing.
    public func seen(by viewer: Viewer) -> Archive { Archive(self, viewer: viewer) }

    /// A user, to be asked what they may see.
    ///
    /// - Throws: `unknown.user`, also for one who is disabled.
    public func viewer(named name: String) throws(MailFailure) -> Viewer {
        let id = try read { db in
            try Int64.fetchOne(
                db, sql: "SELECT id FROM users WHERE name = ? AND is_enabled = 1", arguments: [name])
        }
        guard let id else { throw Self.unknownUser(name) }
        return .user(UserID(rawValue: id))
    }

    /// The rights of whom this archive is seen by; nil for the administrator, who needs none.
    public func rights() throws(MailFailure) -> Rights? {
        try read { db in try Sight(viewer, db).rights }
    }

    /// One transaction that only an administrator may cause.
    ///
    /// - Throws: `rights.missing`.
    func administer<Value>(_ body: (Database) throws -> Value) throws(MailFailure) -> Value {
        try write { db in
            try Sight(viewer, db).demand(.administer, .all)
            return try body(db)
        }
    }

    /// - Throws: `rights.missing`.
    public func demand(_ right: Right, _ scope: Scope) throws(MailFailure) {
        try read { db in try Sight(viewer, db).demand(right, scope) }
    }
}
