import GRDB
public import MailModel
import Matcher

/// What came back about one recipient of a mail that was sent from here, or by another program of its user.
public struct ReturnedMail: Sendable, Hashable, Encodable {
    /// The mail, as the archive has it; nil while it is in no history.
    public var message: ArchivedMessageID?
    /// Nil for mail that another program sent.
    public var item: OutboxID?
    /// The message that said so.
    public var report: ArchivedMessageID
    /// In lower case.
    public var address: String
    public var at: UnixTime
    /// failed, delayed, delivered, relayed or expanded.
    public var action: String?
    /// hard, soft or unknown; nil when it was delivered.
    public var failure: String?
    public var status: String?
    public var diagnostic: String?

    private enum CodingKeys: String, CodingKey {
        case message, report, address, at, action, failure, status, diagnostic
        case item = "outbox"
    }
}

extension ReturnedMail {
    private static let select = """
        SELECT d.*, o.message AS message, r.email AS email FROM delivery_reports d
            JOIN outbox o ON o.id = d.item
            JOIN outbox_recipients r ON r.item = d.item AND r.position = d.position
        """

    private static let selectOther = "SELECT r.*, NULL AS item FROM other_reports r"

    /// Whether other recipients see that a mail went to one, too.
    private static let isOpen = """
        EXISTS (SELECT 1 FROM participants p JOIN addresses a ON a.id = p.address
            WHERE p.message = r.message AND a.canonical = r.canonical AND p.role <> 'bcc')
        """

    /// What came back about a message, the oldest first.
    static func about(
        _ message: ArchivedMessageID, withBlindRecipients: Bool, _ db: Database
    ) throws -> [ReturnedMail] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: "\(select) WHERE o.message = ? AND (r.role <> 'bcc' OR ?) ORDER BY d.id"),
            arguments: [message.rawValue, withBlindRecipients]
        ).map(ReturnedMail.init)
            + Row.fetchAll(
                db.cachedStatement(
                    sql: "\(selectOther) WHERE r.message = ? AND (\(isOpen) OR ?) ORDER BY r.id"),
                arguments: [message.rawValue, withBlindRecipients]
            ).map(ReturnedMail.init)
    }

    /// What a message reports on, as far as the viewer sees that mail.
    static func told(by report: ArchivedMessageID, _ db: Database, _ sight: Sight) throws -> [ReturnedMail] {
        try Row.fetchAll(
            db,
            sql: """
                \(select) JOIN accounts a ON a.id = o.account
                WHERE d.report = ? AND (\(sight.maySend(through: "a")) OR (r.role <> 'bcc'
                    AND \(sight.disclosure(message: "o.message")) >= \(Disclosure.people.rawValue)))
                ORDER BY d.id
                """, arguments: [report.rawValue]
        ).map(ReturnedMail.init)
            + Row.fetchAll(
                db,
                sql: """
                    \(selectOther) WHERE r.report = ? AND r.message IS NOT NULL
                        AND \(sight.disclosure(message: "r.message")) >= \(Disclosure.people.rawValue)
                        AND (\(isOpen) OR \(sight.seesBlindRecipients(message: "r.message")))
                    ORDER BY r.id
                    """, arguments: [report.rawValue]
            ).map(ReturnedMail.init)
    }

    private init(_ row: Row) {
        let email: String = row["email"]
        message = (row["message"] as Int64?).map { ArchivedMessageID(rawValue: $0) }
        item = (row["item"] as Int64?).map { OutboxID(rawValue: $0) }
        report = ArchivedMessageID(rawValue: row["report"])
        address = email.lowercased()
        at = UnixTime(row["at"])
        action = row["action"]
        failure = row["failure"]
        status = row["status"]
        diagnostic = row["diagnostic"]
    }
}
