import Crypto
import Foundation
import GRDB
public import MailModel

/// A token of a user's, for programs that act in their name. The token itself is shown once, when
/// it is made, and kept nowhere.
public struct APIToken: Sendable, Hashable, Encodable {
    public var id: Int64
    public var user: String
    public var name: String
    /// What it may do of what its user may.
    public var rights: [Right]
    public var createdAt: UnixTime
    public var expiresAt: UnixTime?
    /// To the minute.
    public var usedAt: UnixTime?
    public var revokedAt: UnixTime?

    private enum CodingKeys: String, CodingKey {
        case id, user, name, rights
        case createdAt = "created_at"
        case expiresAt = "expires_at"
        case usedAt = "used_at"
        case revokedAt = "revoked_at"
    }
}

extension MailFailure.Code {
    public static let signInRefused = Self("sign-in.refused")
    public static let unknownToken = Self("unknown.token")
}

extension Archive {
    // MARK: - Passwords

    /// - Throws: `unknown.user`; `value.invalid` for a password that is too weak.
    public func setPassword(_ password: Secret, of user: String) throws(MailFailure) {
        try PasswordRule.check(password)
        let hash: String
        do {
            hash = try PasswordHash(password).text
        } catch {
            throw Self.unhashed
        }
        try administer { db in
            Act.concerns("user \(user)")
            try db.execute(sql: "UPDATE users SET password = ? WHERE name = ?", arguments: [hash, user])
            guard db.changesCount == 1 else { throw Self.unknownUser(user) }
        }
    }

    /// Whoever shows a user's name and password. Takes as long for a name that there is not.
    ///
    /// - Throws: `sign-in.refused`, and nothing about why.
    public func signIn(name: String, password: Secret) throws(MailFailure) -> Viewer {
        let found = try read { db in
            try Row.fetchOne(
                db, sql: "SELECT id, password FROM users WHERE name = ? AND is_enabled = 1", arguments: [name]
            )
        }
        let stored = (found?[1] as String?).flatMap(PasswordHash.init(text:))
        do {
            let matches = try (stored ?? Self.nobody).matches(password)
            guard matches, stored != nil, let found else { throw Self.refusedSignIn }
            return .user(UserID(rawValue: found[0]))
        } catch let failure as MailFailure {
            throw failure
        } catch {
            throw Self.unhashed
        }
    }

    /// What a password is compared with when there is no user of that name.
    private static let nobody = PasswordHash(
        text: "scrypt$15$8$3$" + Data(repeating: 0, count: 16).base64EncodedString() + "$"
            + Data(repeating: 0, count: 32).base64EncodedString())!

    // MARK: - Tokens

    /// Makes a token for a user's programs.
    ///
    /// - Returns: the token, which cannot be had again.
    /// - Throws: `unknown.user`, `name.taken`, `value.invalid`.
    public func addToken(
        _ name: String, for user: String, rights: Set<Right>, expiresAt: UnixTime? = nil
    ) throws(MailFailure) -> Secret {
        guard !name.isEmpty, !rights.isEmpty else {
            throw MailFailure.invalid("A token needs a name and a right", remedy: "Name both.")
        }
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let token = Secret(Self.tokenMark + bytes.map { String(format: "%02x", $0) }.joined())
        let time = now()
        try administer { db in
            Act.concerns("user \(user)")
            Act.concerns("token \(name)")
            guard let id = try Self.userID(named: user, db) else { throw Self.unknownUser(user) }
            let known = try Int64.fetchOne(
                db, sql: "SELECT 1 FROM api_tokens WHERE user = ? AND name = ?", arguments: [id, name])
            guard known == nil else { throw MailFailure.taken("token", name) }
            try db.execute(
                sql: """
                    INSERT INTO api_tokens(user, name, digest, created_at, expires_at) VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [id, name, Self.digest(of: token), time.rawValue, expiresAt?.rawValue])
            let token = db.lastInsertedRowID
            for right in rights {
                try db.execute(
                    sql: "INSERT INTO token_rights(token, right_name) VALUES (?, ?)",
                    arguments: [token, right.rawValue])
            }
        }
        return token
    }

    /// Whoever shows a token: its user, with the token's rights at most.
    ///
    /// - Throws: `sign-in.refused` for one that is unknown, revoked or expired, or whose user is disabled.
    public func signIn(token: Secret) throws(MailFailure) -> Viewer {
        let time = now()
        let digest = Self.digest(of: token)
        let found: (row: Row, rights: Set<Right>)? = try read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT t.id, t.user, t.used_at FROM api_tokens t JOIN users u ON u.id = t.user
                    WHERE t.digest = ?1 AND t.revoked_at IS NULL AND u.is_enabled = 1
                        AND (t.expires_at IS NULL OR t.expires_at > ?2)
                    """, arguments: [digest, time.rawValue])
            guard let row else { return nil }
            return (row, Set(try Self.rights(ofToken: row[0], db)))
        }
        guard let (row, rights) = found else { throw Self.refusedSignIn }
        let used: Int64? = row[2]
        if used.map({ time.rawValue >= $0 + 60 }) ?? true {
            try writeUnaudited { db in
                try db.execute(
                    sql: "UPDATE api_tokens SET used_at = ? WHERE id = ?",
                    arguments: [time.rawValue, row[0] as Int64])
            }
        }
        return .user(UserID(rawValue: row[1]), rights: rights)
    }

    /// The tokens of one user, or of all, the newest first.
    ///
    /// - Throws: `unknown.user`.
    public func tokens(of user: String? = nil) throws(MailFailure) -> [APIToken] {
        try read { db in
            if let user, try Self.userID(named: user, db) == nil { throw Self.unknownUser(user) }
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT t.*, u.name AS user_name FROM api_tokens t JOIN users u ON u.id = t.user
                    WHERE ?1 IS NULL OR u.name = ?1 ORDER BY t.id DESC
                    """, arguments: [user]
            ).map { row in
                APIToken(
                    id: row["id"], user: row["user_name"], name: row["name"],
                    rights: try Self.rights(ofToken: row["id"], db), createdAt: UnixTime(row["created_at"]),
                    expiresAt: Self.time(row["expires_at"]), usedAt: Self.time(row["used_at"]),
                    revokedAt: Self.time(row["revoked_at"]))
            }
        }
    }

    /// Ends a token for good; its name stays taken, so that the audit log means one thing.
    ///
    /// - Throws: `unknown.token`, also for one that was revoked.
    public func revokeToken(_ name: String, of user: String) throws(MailFailure) {
        let time = now()
        try administer { db in
            Act.concerns("user \(user)")
            Act.concerns("token \(name)")
            try db.execute(
                sql: """
                    UPDATE api_tokens SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL
                        AND user = (SELECT id FROM users WHERE name = ?)
                    """, arguments: [time.rawValue, name, user])
            guard db.changesCount == 1 else {
                throw MailFailure.unknown(
                    .unknownToken, "token", name, remedy: "See them with: mailworker user token list")
            }
        }
    }

    /// Takes a user out: they can neither act nor sign in, their password and tokens are gone. What
    /// they own, and what they decided, stays theirs.
    ///
    /// - Throws: `unknown.user`.
    ///
    /// - Returns: how many mails of theirs waited to be sent, and are held now.
    @discardableResult
    public func disableUser(_ name: String) throws(MailFailure) -> Int {
        let time = now()
        return try administer { db in
            Act.concerns("user \(name)")
            try db.execute(
                sql: "UPDATE users SET is_enabled = 0, password = NULL WHERE name = ?", arguments: [name])
            guard db.changesCount == 1 else { throw Self.unknownUser(name) }
            try db.execute(
                sql: """
                    UPDATE api_tokens SET revoked_at = ? WHERE revoked_at IS NULL
                        AND user = (SELECT id FROM users WHERE name = ?)
                    """, arguments: [time.rawValue, name])
            return try Self.holdMail(ofUser: name, db)
        }
    }

    // MARK: - Parts

    /// Shows whoever finds one what it is.
    private static let tokenMark = "mw_"

    private static func digest(of token: Secret) -> Data {
        token.withRevealed { Data(SHA256.hash(data: Array($0.utf8))) }
    }

    private static func rights(ofToken id: Int64, _ db: Database) throws -> [Right] {
        let names = try String.fetchSet(
            db, sql: "SELECT right_name FROM token_rights WHERE token = ?", arguments: [id])
        return Right.allCases.filter { names.contains($0.rawValue) }
    }

    private static let refusedSignIn = MailFailure(
        .signInRefused, kind: .credential, "The name, password or token is not right",
        remedy: "An administrator can give a new one: mailworker user passwd, or user token add.")

    private static let unhashed = MailFailure(
        .archiveInputOutput, kind: .transient, "The password could not be hashed",
        remedy: "It takes about 100 MB of memory for a moment; try again.")
}
