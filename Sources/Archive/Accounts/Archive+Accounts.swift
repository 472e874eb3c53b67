import Foundation
import GRDB
public import MailModel
import Matcher

extension Archive {
    /// Mail that waits under its address follows: between users it is internal.
    ///
    /// - Parameter secret: sealed before it is stored; nil for an account without one.
    /// - Throws: `name.taken`, `value.invalid`, `key.missing`.
    @discardableResult
    public func addAccount(
        _ settings: AccountSettings, secret: Secret? = nil
    ) throws(MailFailure) -> AccountID {
        try Self.check(settings)
        if secret != nil, key == nil { throw SecretKey.missing }
        let time = now()
        return try write { db in
            Act.concerns("account \(settings.name)")
            try Self.demandFree(settings.name, db)
            let columns = Self.settingColumns
            var id = AccountID(rawValue: 0)
            try OwnAddresses(db, policy: matching, time: time).change(from: nil, to: settings.email) {
                try db.execute(
                    sql: """
                        INSERT INTO accounts(\(columns.joined(separator: ", ")), id)
                        VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")), ?)
                        """,
                    arguments: try Self.arguments(settings, db) + [try Self.lastAccount(db) + 1])
                id = AccountID(rawValue: db.lastInsertedRowID)
            }
            if let secret { try store(.password(secret), id, db) }
            return id
        }
    }

    /// Replaces the settings; the secret stays. When they differ from what they were, what
    /// the old ones led to is forgotten, and the account is tried again at once. With an
    /// earlier starting date the ledger forgets the UIDs that only the later one had left
    /// out, so that the next poll fetches them.
    ///
    /// - Throws: `unknown.account`, `name.taken`, `value.invalid`.
    public func editAccount(_ id: AccountID, _ settings: AccountSettings) throws(MailFailure) {
        try Self.check(settings)
        let time = now()
        try write { db in
            Act.concerns("account \(settings.name)")
            let before = try Row.fetchOne(
                db, sql: Self.selectAccounts + " WHERE a.id = ?", arguments: [id.rawValue]
            ).map(Self.account)
            guard let before else { throw Self.unknownAccount(id.description) }
            if !before.settings.name.utf8.elementsEqual(settings.name.utf8) {
                try Self.demandFree(settings.name, for: id, db)
            } else if before.settings == settings {
                return
            }
            try OwnAddresses(db, policy: matching, time: time).change(
                from: before.settings.email, to: settings.email
            ) {
                try db.execute(
                    sql: """
                        UPDATE accounts SET \(Self.settingColumns.map { "\($0) = ?" }.joined(separator: ", ")),
                            next_poll = NULL, failures = 0, refused_sign_ins = NULL, revision = revision + 1,
                            state = CASE state WHEN 'stopped' THEN 'new' ELSE state END
                        WHERE id = ?
                        """,
                    arguments: try Self.arguments(settings, db) + [id.rawValue])
            }
            if !settings.isEnabled { try Self.holdMail(of: id, named: settings.name, db) }
            try db.execute(
                sql: """
                    DELETE FROM ledger
                    WHERE folder IN (SELECT id FROM folders WHERE account = ?1)
                        AND state = 'ignored' AND message IS NULL AND reason = ?2
                        AND internal_date >= coalesce(?3, internal_date)
                    """,
                arguments: [
                    id.rawValue, UnfetchedReason.beforeSince.reason, settings.since?.rawValue,
                ])
        }
    }

    /// A name that only looks the same is taken too: nobody could tell the two apart (`é` in one character and in two).
    private static func demandFree(_ name: String, for id: AccountID? = nil, _ db: Database) throws {
        // Beside its own bytes only what is not plain ASCII can look like it.
        let names = try String.fetchAll(
            db,
            sql: """
                SELECT name FROM accounts
                WHERE (name = ?1 OR length(CAST(name AS BLOB)) <> length(name)) AND id IS NOT ?2
                """, arguments: [name, id?.rawValue])
        guard !names.contains(name) else { throw MailFailure.taken("account", name) }
    }

    /// By name.
    public func accounts() throws(MailFailure) -> [Account] {
        try read { db in
            try Row.fetchAll(db, sql: Self.selectAccounts + " ORDER BY a.name").map(Self.account)
        }
    }

    /// - Throws: `unknown.account`.
    public func account(named name: String) throws(MailFailure) -> Account {
        let found = try read { db in
            try Row.fetchOne(db, sql: Self.selectAccounts + " WHERE a.name = ?", arguments: [name])
                .map(Self.account)
        }
        guard let found else { throw Self.unknownAccount(name) }
        return found
    }

    /// - Throws: `unknown.account`.
    public func account(_ id: AccountID) throws(MailFailure) -> Account {
        let found = try read { db in
            try Row.fetchOne(db, sql: Self.selectAccounts + " WHERE a.id = ?", arguments: [id.rawValue])
                .map(Self.account)
        }
        guard let found else { throw Self.unknownAccount(id.description) }
        return found
    }

    /// Enabled mailboxes whose time has come, the longest waiting first. Those that
    /// wait for a person are not due. A last attempt in the future means that the clock
    /// was wrong when the next poll was set, which then may be years away: it is due.
    public func dueAccounts(at time: UnixTime) throws(MailFailure) -> [Account] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: Self.selectAccounts + """
                     WHERE a.kind = 'mailbox' AND a.is_enabled = 1 AND a.state <> 'stopped'
                        AND (a.next_poll IS NULL OR a.next_poll <= ?1 OR a.last_attempt > ?1)
                    ORDER BY coalesce(a.last_attempt, 0), a.id
                    """, arguments: [time.rawValue]
            ).map(Self.account)
        }
    }

    /// Removes an account that has no mail yet, neither fetched nor sent; one that has is disabled, since its
    /// ledger and history stay, and its mail that waits to be sent is held.
    ///
    /// - Throws: `unknown.account`.
    @discardableResult
    public func removeAccount(_ id: AccountID) throws(MailFailure) -> AccountRemoval {
        try write { db in
            Act.concerns("account \(id)")
            let name = try String.fetchOne(
                db, sql: "SELECT name FROM accounts WHERE id = ?", arguments: [id.rawValue])
            guard let name else { throw Self.unknownAccount(id.description) }
            try Self.note(lastAccount: Self.lastAccount(db), db)
            let hasFolders =
                try Int64.fetchOne(
                    db,
                    sql: """
                        SELECT 1 FROM folders WHERE account = ?1 UNION ALL
                        SELECT 1 FROM outbox WHERE account = ?1 LIMIT 1
                        """, arguments: [id.rawValue])
                != nil
            try db.execute(
                sql: hasFolders
                    ? "UPDATE accounts SET is_enabled = 0, secret = NULL, smtp_secret = NULL WHERE id = ?"
                    : "DELETE FROM accounts WHERE id = ?", arguments: [id.rawValue])
            return AccountRemoval(
                isGone: !hasFolders, heldMail: hasFolders ? try Self.holdMail(of: id, named: name, db) : 0)
        }
    }

    /// The highest number that an account has, or had: none is given twice. A poll of an account that is removed meanwhile
    /// would file its mail under the next one.
    private static func lastAccount(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db,
            sql: """
                SELECT max(
                    coalesce((SELECT max(id) FROM accounts), 0),
                    coalesce((SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM settings WHERE name = 'last-account'), 0))
                """) ?? 0
    }

    private static func note(lastAccount: Int64, _ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO settings(name, value) VALUES ('last-account', CAST(? AS BLOB))",
            arguments: [String(lastAccount)])
    }

    /// Notes the end of an attempt.
    ///
    /// - Parameters:
    ///   - revision: of the settings that were tried; when they have changed since, the
    ///     attempt says nothing about the account any more, and nothing is noted.
    ///   - failure: nil after a success.
    ///   - nextPoll: nil means at once; ignored while a person must act.
    public func noteAttempt(
        _ id: AccountID, revision: Int64? = nil, startedAt: UnixTime, failure: MailFailure?,
        isInFolder: Bool = false, nextPoll: UnixTime?
    ) throws(MailFailure) {
        let time = now()
        let needsPerson = failure.map { $0.kind == .credential || $0.kind == .needsPerson } ?? false
        try write(.attemptRecorded) { db in
            try db.execute(
                sql: """
                    UPDATE accounts SET last_attempt = ?1, next_poll = ?2,
                        last_success = CASE WHEN ?11 THEN ?4 ELSE last_success END,
                        state = ?5,
                        failures = CASE WHEN ?11 THEN 0 WHEN error_kind IS ?6 THEN failures + 1
                            ELSE 1 END,
                        refused_sign_ins = CASE WHEN ?11 THEN NULL
                            WHEN ?6 = 'credential' THEN coalesce(refused_sign_ins, 0) + 1
                            ELSE refused_sign_ins END,
                        error_code = ?3, error_kind = ?6, error_text = ?7, error_remedy = ?8
                    WHERE id = ?9 AND revision = coalesce(?10, revision)
                    """,
                arguments: [
                    startedAt.rawValue, nextPoll?.rawValue, failure?.code.rawValue, time.rawValue,
                    failure == nil ? "ok" : (needsPerson && nextPoll == nil ? "stopped" : "failing"),
                    failure?.kind.rawValue,
                    failure.map { [$0.summary, $0.detail].compactMap { $0 }.joined(separator: ": ") },
                    failure?.remedy, id.rawValue, revision, failure == nil || isInFolder,
                ])
            guard db.changesCount == 0 else { return }
            let exists = try Int64.fetchOne(
                db, sql: "SELECT 1 FROM accounts WHERE id = ?", arguments: [id.rawValue])
            if exists == nil { throw Self.unknownAccount(id.description) }
        }
    }

    /// Keeps what a server wants the account's user to read.
    public func noteAlert(_ words: String, of id: AccountID) throws(MailFailure) {
        let time = now()
        try writeUnaudited { db in
            try db.execute(
                sql: "UPDATE accounts SET alert = ?, alert_at = ? WHERE id = ?",
                arguments: [words, time.rawValue, id.rawValue])
        }
    }

    static func unknownAccount(_ name: String) -> MailFailure {
        .unknown(.unknownAccount, "account", name, remedy: "See them with: mailworker account list")
    }

    // MARK: - Rows

    private static func check(_ settings: AccountSettings) throws(MailFailure) {
        guard !settings.name.isEmpty else {
            throw MailFailure.invalid("An account needs a name", remedy: "Give one with --name.")
        }
        guard settings.pollMinutes > 0, settings.timeoutSeconds > 0 else {
            throw MailFailure.invalid(
                "Intervals must be positive", remedy: "Give at least one minute between polls.")
        }
        if let proxy = settings.proxy {
            // A setting is stored as it is, and shown: it is no place for a password.
            let scheme = ["socks5://", "socks5h://", "http://"].first { proxy.lowercased().hasPrefix($0) }
            guard let scheme, proxy.count > scheme.count, !proxy.contains("@") else {
                throw MailFailure.invalid(
                    "The proxy is not one that can be used",
                    remedy: "Write socks5://HOST:PORT, socks5h://HOST:PORT or http://HOST:PORT; a proxy that "
                        + "wants a password has to admit this machine without one.")
            }
        }
        guard settings.kind == .import || (settings.email != nil && settings.imap != nil) else {
            throw MailFailure.invalid(
                "A mailbox needs an address and an IMAP server",
                remedy: "Give --email, and --preset or --imap-host.")
        }
    }

    private static let settingColumns = [
        "name", "user", "kind", "email", "address", "preset", "login", "imap_host", "imap_port",
        "imap_security", "smtp_host", "smtp_port", "smtp_security", "poll_minutes", "timeout_seconds",
        "sent_folder", "further_folders", "since", "ca_file", "proxy", "is_declared", "is_enabled",
        "is_watched", "colleagues_see", "pins", "sent_copy",
    ]

    private static func arguments(_ settings: AccountSettings, _ db: Database) throws -> StatementArguments {
        let folders = try JSONEncoder().encode(settings.furtherFolders.map(\.rawValue))
        let pins = try JSONEncoder().encode(settings.pins.map(\.text))
        let values: [(any DatabaseValueConvertible)?] = [
            settings.name, settings.user?.rawValue, settings.kind.rawValue, settings.email?.addrSpec,
            try settings.email.map { try addressID($0, db) }, settings.preset, settings.login,
            settings.imap?.host, settings.imap.map { Int($0.port) }, settings.imap?.security.rawValue,
            settings.smtp?.host, settings.smtp.map { Int($0.port) }, settings.smtp?.security.rawValue,
            settings.pollMinutes, settings.timeoutSeconds, settings.sentFolder?.rawValue,
            String(decoding: folders, as: UTF8.self), settings.since?.rawValue, settings.caFile,
            settings.proxy, settings.isDeclared, settings.isEnabled, settings.isWatched,
            settings.colleaguesSee.name, String(decoding: pins, as: UTF8.self), settings.sentCopy?.rawValue,
        ]
        return StatementArguments(values)
    }

    private static let selectAccounts = """
        SELECT a.*, a.secret IS NOT NULL AS has_secret, u.name AS user_name
        FROM accounts a LEFT JOIN users u ON u.id = a.user
        """

    private static func account(_ row: Row) throws -> Account {
        var settings = AccountSettings(
            name: row["name"], kind: AccountSettings.Kind(rawValue: row["kind"]) ?? .mailbox,
            email: address(row["email"]), login: row["login"])
        settings.user = (row["user"] as Int64?).map { UserID(rawValue: $0) }
        settings.preset = row["preset"]
        settings.imap = endpoint(row, "imap")
        settings.smtp = endpoint(row, "smtp")
        settings.pollMinutes = row["poll_minutes"]
        settings.timeoutSeconds = row["timeout_seconds"]
        settings.sentFolder = (row["sent_folder"] as String?).map { FolderName($0) }
        settings.furtherFolders = try list(row["further_folders"]).map { FolderName($0) }
        settings.sentCopy = (row["sent_copy"] as String?).flatMap(SentCopy.init(rawValue:))
        settings.since = time(row["since"])
        settings.caFile = row["ca_file"]
        settings.pins = try list(row["pins"]).map { text in
            guard let pin = KeyPin(text) else { throw DatabaseError(resultCode: .SQLITE_CORRUPT) }
            return pin
        }
        settings.proxy = row["proxy"]
        settings.isDeclared = row["is_declared"]
        settings.isEnabled = row["is_enabled"]
        settings.isWatched = row["is_watched"]
        settings.colleaguesSee = Disclosure(name: row["colleagues_see"]) ?? .presence
        let failure = (row["error_code"] as String?).map { code in
            MailFailure(
                MailFailure.Code(code), kind: FailureKind(rawValue: row["error_kind"]) ?? .transient,
                row["error_text"], remedy: row["error_remedy"])
        }
        return Account(
            id: AccountID(rawValue: row["id"]), settings: settings, userName: row["user_name"],
            hasSecret: row["has_secret"],
            credentialKind: StoredCredential.Kind(rawValue: row["secret_kind"]) ?? .password,
            revision: row["revision"],
            status: AccountStatus(
                state: AccountStatus.State(rawValue: row["state"]) ?? .new,
                lastAttempt: time(row["last_attempt"]), lastSuccess: time(row["last_success"]),
                nextPoll: time(row["next_poll"]), failures: row["failures"],
                refusedSignIns: row["refused_sign_ins"] ?? 0, failure: failure,
                alert: (row["alert"] as String?).map { ServerAlert(words: $0, at: UnixTime(row["alert_at"])) }
            ))
    }

    /// What cannot be read is no empty list: without its pins an account would trust any server.
    private static func list(_ json: String) throws -> [String] {
        do {
            return try JSONDecoder().decode([String].self, from: Data(json.utf8))
        } catch {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT)
        }
    }

    private static func endpoint(_ row: Row, _ prefix: String) -> ServerEndpoint? {
        guard let host: String = row["\(prefix)_host"], let port: Int = row["\(prefix)_port"],
            let security = TransportSecurity(rawValue: row["\(prefix)_security"] ?? "")
        else { return nil }
        return ServerEndpoint(host: host, port: UInt16(clamping: port), security: security)
    }

    static func time(_ seconds: Int64?) -> UnixTime? { seconds.map { UnixTime($0) } }
}
