import Foundation
import GRDB
public import MailModel
import Matcher

extension Archive {
    /// Replaces the password; nil removes whatever the account signed in with. What stopped the account
    /// for its credentials is forgotten, so that it is tried again at once.
    ///
    /// - Throws: `unknown.account`, `key.missing`.
    public func setSecret(_ secret: Secret?, of id: AccountID) throws(MailFailure) {
        try setCredential(secret.map { .password($0) }, of: id)
    }

    /// As `setSecret(_:of:)`, for either kind.
    ///
    /// - Throws: `unknown.account`, `key.missing`.
    public func setCredential(_ credential: StoredCredential?, of id: AccountID) throws(MailFailure) {
        if credential != nil, key == nil { throw SecretKey.missing }
        try write { db in
            Act.concerns("account \(id)")
            try db.execute(
                sql: """
                    UPDATE accounts SET secret = NULL, secret_kind = 'password', next_poll = NULL, failures = 0, refused_sign_ins = NULL,
                        revision = revision + 1, state = CASE state WHEN 'stopped' THEN 'new' ELSE state END
                    WHERE id = ?
                    """, arguments: [id.rawValue])
            guard db.changesCount == 1 else { throw Self.unknownAccount(id.description) }
            if let credential { try store(credential, id, db) }
        }
    }

    /// Puts the refresh token that the provider has handed out in exchange in the place of the old one.
    /// Nothing else of the account changes, and nothing at all when it has another credential by now.
    ///
    /// - Throws: `unknown.account`, `key.missing`, `key.wrong`.
    public func renewRefreshToken(
        of id: AccountID, from old: Secret, to new: Secret
    ) throws(MailFailure) {
        try write { db in
            guard try credential(id, db) == .refreshToken(old) else { return }
            try store(.refreshToken(new), id, db)
        }
    }

    /// The password; nil when the account has none, or signs in with a refresh token.
    ///
    /// - Throws: `unknown.account`, `key.missing`, `key.wrong`.
    public func secret(of id: AccountID) throws(MailFailure) -> Secret? {
        guard case .password(let secret) = try credential(of: id) else { return nil }
        return secret
    }

    /// Nil when the account has none.
    ///
    /// - Throws: `unknown.account`, `key.missing`, `key.wrong`.
    public func credential(of id: AccountID) throws(MailFailure) -> StoredCredential? {
        try read { db in try credential(id, db) }
    }

    private func credential(_ id: AccountID, _ db: Database) throws -> StoredCredential? {
        guard
            let row = try Row.fetchOne(
                db, sql: "SELECT secret, secret_kind FROM accounts WHERE id = ?", arguments: [id.rawValue])
        else { throw Self.unknownAccount(id.description) }
        guard let sealed: Data = row[0] else { return nil }
        guard let key else { throw SecretKey.missing }
        let kind = StoredCredential.Kind(rawValue: row[1]) ?? .password
        let bytes = try key.open(Array(sealed), for: Self.secretContext(id, kind))
        let secret = Secret(String(decoding: bytes, as: UTF8.self))
        return kind == .password ? .password(secret) : .refreshToken(secret)
    }

    func store(_ credential: StoredCredential, _ id: AccountID, _ db: Database) throws {
        guard let key else { throw SecretKey.missing }
        let context = Self.secretContext(id, credential.kind)
        let sealed = try credential.secret.withRevealed { try key.seal(Array($0.utf8), for: context) }
        try db.execute(
            sql: "UPDATE accounts SET secret = ?, secret_kind = ? WHERE id = ?",
            arguments: [Data(sealed), credential.kind.rawValue, id.rawValue])
    }

    /// Binds a sealed secret to its account and its kind: a token can never be taken for a password, nor
    /// a password be sent to a token endpoint, whatever the database says.
    private static func secretContext(_ id: AccountID, _ kind: StoredCredential.Kind) -> String {
        switch kind {
        case .password: "account-secret:\(id)"
        case .refreshToken: "account-refresh-token:\(id)"
        }
    }
}
