import Crypto
import Foundation
import GRDB
public import MailModel
import Matcher
import Synchronization

/// One action of a person: everything that the archive changes while it is `current` stands
/// in the audit log, in the same transaction as the change.
public final class Act: Sendable {
    /// Who acts: a user of the CRM, or the user of the operating system.
    public let person: String
    public let systemUser: String
    /// From where: a terminal, or the address of a remote one.
    public let origin: String
    /// Such as `contact erase`.
    public let action: String
    private let subjects = Mutex(ActSubjects())
    private let taken = Mutex<UndoID?>(nil)
    private let tooLarge = Mutex(false)

    @TaskLocal public static var current: Act?

    public init(person: String, systemUser: String, origin: String, action: String) {
        self.person = person
        self.systemUser = systemUser
        self.origin = origin
        self.action = action
    }

    /// Notes what the current action is about. Numbers and the administrator's own names of
    /// things only: what stands in the log cannot be erased.
    static func concerns(_ subject: String) {
        guard let act = current else { return }
        act.subjects.withLock { $0.add(subject) }
    }

    /// Notes an address without naming it, so that the log need not forget it: whether it was this one can be asked.
    static func concerns(_ address: CanonicalAddress, _ db: Database) throws {
        guard current != nil else { return }
        try db.execute(
            sql: "INSERT OR IGNORE INTO settings(name, value) VALUES ('audit-key', randomblob(32))")
        if let word = try word(for: address, db) { concerns(word) }
    }

    /// What stands in the log for an address; nil when none stands there yet.
    static func word(for address: CanonicalAddress, _ db: Database) throws -> String? {
        let key = try Data.fetchOne(db, sql: "SELECT value FROM settings WHERE name = 'audit-key'")
        return key.map { key in
            let digest = HMAC<SHA256>.authenticationCode(
                for: Array(address.rawValue.utf8), using: SymmetricKey(data: key))
            return "address #"
                + digest.prefix(8).map { String(256 + Int($0), radix: 16).dropFirst() }.joined()
        }
    }

    /// By which number the last change can be taken back; nil when it cannot.
    public internal(set) var undo: UndoID? {
        get { taken.withLock { $0 } }
        set { taken.withLock { $0 = newValue } }
    }

    /// Whether the last change was too large to be taken back.
    public internal(set) var isTooLargeToUndo: Bool {
        get { tooLarge.withLock { $0 } }
        set { tooLarge.withLock { $0 = newValue } }
    }

    /// What it is about, as far as that is known by now.
    var subject: String? { subjects.withLock { $0.text } }

    func record(_ db: Database, at time: UnixTime) throws {
        let subject = subject
        subjects.withLock { $0 = ActSubjects() }
        try db.execute(
            sql: """
                INSERT INTO audit(at, person, system_user, origin, action, subject)
                VALUES (?, ?, ?, ?, ?, ?)
                """, arguments: [time.rawValue, person, systemUser, origin, action, subject])
    }
}

/// One entry of the audit log.
public struct AuditEntry: Sendable, Hashable, Encodable {
    public var id: Int64
    public var at: UnixTime
    public var person: String
    public var systemUser: String
    public var origin: String
    public var action: String
    public var subject: String?

    private enum CodingKeys: String, CodingKey {
        case id, at, person
        case systemUser = "system_user"
        case origin, action, subject
    }
}

extension Archive {
    /// Notes the current action when it changes nothing through a transaction of its own, such
    /// as a backup.
    public func noteAct(about subject: String? = nil) throws(MailFailure) {
        guard let act = Act.current else { return }
        if let subject { Act.concerns(subject) }
        let time = now()
        try writeUnaudited { db in try act.record(db, at: time) }
    }

    /// The audit log, newest first.
    ///
    /// - Parameter address: only entries that are about it and do not name it.
    public func auditLog(
        about address: EmailAddress? = nil, limit: Int = .max
    ) throws(MailFailure) -> [AuditEntry] {
        try read { db in
            var word: String?
            if let address {
                word = try Act.word(for: CanonicalAddress(address), db)
                guard word != nil else { return [] }
            }
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT id, at, person, system_user, origin, action, subject FROM audit
                    WHERE ?1 IS NULL OR instr(subject, ?1) > 0 ORDER BY id DESC LIMIT ?2
                    """, arguments: [word, limit]
            ).map { row in
                AuditEntry(
                    id: row[0], at: UnixTime(row[1]), person: row[2], systemUser: row[3], origin: row[4],
                    action: row[5], subject: row[6])
            }
        }
    }
}
