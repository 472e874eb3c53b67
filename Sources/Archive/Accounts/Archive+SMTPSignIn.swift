import Foundation
import GRDB
public import MailModel
import Matcher

/// How an account signs in to its SMTP server where that is not as for IMAP.
public struct SMTPSignIn: Sendable {
    public var login: String
    public var password: Secret
}

extension Archive {
    /// Nil where SMTP is as IMAP.
    ///
    /// - Throws: `unknown.account`, `key.missing`, `key.wrong`; `smtp-password-missing` where only the login is left, as after
    ///   a key was lost.
    public func smtpSignIn(of id: AccountID) throws(MailFailure) -> SMTPSignIn? {
        try read { db in
            guard
                let row = try Row.fetchOne(
                    db, sql: "SELECT smtp_login, smtp_secret, name FROM accounts WHERE id = ?",
                    arguments: [id.rawValue])
            else { throw Self.unknownAccount(id.description) }
            guard let login: String = row[0] else { return nil }
            guard let sealed: Data = row[1] else {
                let name: String = row[2]
                throw MailFailure(
                    .smtpPasswordMissing, kind: .credential, "The account has no password for SMTP",
                    detail: name,
                    remedy:
                        "Give it one: mailworker account smtp-login \(name) --login \(login) --password-file FILE."
                )
            }
            guard let key else { throw SecretKey.missing }
            let bytes = try key.open(Array(sealed), for: Self.smtpContext(id))
            return SMTPSignIn(login: login, password: Secret(String(decoding: bytes, as: UTF8.self)))
        }
    }

    /// The login of the account's own SMTP sign-in; nil where SMTP is as IMAP. Needs no key.
    public func smtpLogin(of id: AccountID) throws(MailFailure) -> String? {
        try read { db in
            try String.fetchOne(
                db, sql: "SELECT smtp_login FROM accounts WHERE id = ?", arguments: [id.rawValue])
        }
    }

    /// Sets, or with nil takes back, a sign-in of its own for SMTP. What kept the account from sending is
    /// forgotten.
    ///
    /// - Throws: `unknown.account`, `key.missing`, `value.invalid` for an empty login.
    public func setSMTPSignIn(_ login: String?, _ password: Secret?, of id: AccountID) throws(MailFailure) {
        if let login, login.isEmpty || password == nil {
            throw MailFailure.invalid(
                "A sign-in needs a login and a password", remedy: "Give --login and --password-file.")
        }
        if login != nil, key == nil { throw SecretKey.missing }
        try write { db in
            Act.concerns("account \(id)")
            var sealed: Data?
            if login != nil, let password {
                guard let key else { throw SecretKey.missing }
                let context = Self.smtpContext(id)
                sealed = Data(try password.withRevealed { try key.seal(Array($0.utf8), for: context) })
            }
            try db.execute(
                sql:
                    "UPDATE accounts SET smtp_login = ?, smtp_secret = ?, revision = revision + 1 WHERE id = ?",
                arguments: [login, sealed, id.rawValue])
            guard db.changesCount == 1 else { throw Self.unknownAccount(id.description) }
        }
    }

    private static func smtpContext(_ id: AccountID) -> String { "account-smtp-secret:\(id)" }
}

extension MailFailure.Code {
    public static let smtpPasswordMissing = Self("smtp-password-missing")
}
