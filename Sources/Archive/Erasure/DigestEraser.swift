import GRDB
import MailModel
import Matcher

/// Finds, within one transaction, the digests that tell of somebody or of a message: their mails hold names and subjects,
/// and are erased with what they tell.
struct DigestEraser {
    struct Mail {
        var item: Int64
        /// What it became in the archive; nil when it was never sent.
        var message: ArchivedMessageID?
    }

    private let ofMessage, ofContact: PreparedStatement

    init(_ db: Database) throws {
        func query(_ column: String) throws -> PreparedStatement {
            try PreparedStatement(
                db,
                """
                SELECT DISTINCT o.id, o.message, o.filing = 'due'
                    OR o.state IN ('queued', 'sending', 'retry', 'held', 'uncertain')
                FROM events e JOIN digests d ON d.id = e.digest JOIN outbox o ON o.id = d.item
                WHERE e.\(column) = ? ORDER BY o.id
                """)
        }
        ofMessage = try query("message")
        ofContact = try query("contact")
    }

    /// - Throws: `outbox.state` while one of them may still be sent, or is not in the archive yet.
    func mails(tellingOf message: ArchivedMessageID) throws -> [Mail] {
        try mails(ofMessage, message.rawValue)
    }

    /// - Throws: as above.
    func mails(tellingOf contact: ContactID) throws -> [Mail] { try mails(ofContact, contact.rawValue) }

    private func mails(_ query: PreparedStatement, _ number: Int64) throws -> [Mail] {
        var found: [Mail] = []
        var onItsWay: Int64?
        query.bind(1, number)
        try query.forEachRow { row in
            found.append(
                Mail(
                    item: row.int64(0), message: row.optionalInt64(1).map { ArchivedMessageID(rawValue: $0) })
            )
            if row.int64(2) != 0 { onItsWay = onItsWay ?? row.int64(0) }
        }
        if let onItsWay {
            throw MailFailure(
                .outboxState, kind: .needsPerson, "A digest that tells of it is on its way still",
                detail: "outbox \(onItsWay)",
                remedy: "Let it be sent, or cancel it, and erase again: mailworker outbox show \(onItsWay)")
        }
        return found
    }
}
