import GRDB
import MailModel
import Matcher

/// One message to which another refers, as far as a viewer hears of it.
struct ThreadReference {
    enum Place {
        case message(ArchivedMessageID)
        case outbox(OutboxID)
    }

    var id: MessageID
    /// Nil when there is none that the viewer sees.
    var place: Place?
    /// We have sent it: it lies in a Sent folder, or has left by the outbox.
    var isOurs = false
    /// Contacts in whose histories it stands, and whom the viewer sees.
    var contacts: [(id: ContactID, name: String)] = []

    /// The nearest first.
    static func all(of message: ArchivedMessageID, _ db: Database, _ sight: Sight) throws -> [ThreadReference]
    {
        let thread = try String.fetchOne(
            db, sql: "SELECT thread FROM messages WHERE id = ?", arguments: [message.rawValue])
        let messages = try PreparedStatement(
            db,
            """
            SELECT m.id, m.direction = 'outgoing' AND \(Judgement.isSent("m")) FROM messages m
            WHERE m.message_id_key = ? AND m.message_id = ?
                AND \(sight.disclosure(message: "m.id")) >= \(Disclosure.people.rawValue)
            ORDER BY 2 DESC, m.id LIMIT 1
            """)
        let outbox = try PreparedStatement(
            db,
            """
            SELECT o.id FROM outbox o JOIN accounts a ON a.id = o.account
            WHERE o.message_id = ? AND o.message IS NULL AND \(Judgement.hasLeft("o"))
                AND \(sight.maySend(through: "a"))
            """)
        return try (thread ?? "").split(separator: " ").map { text in
            var reference = ThreadReference(id: MessageID(rawValue: String(text)))
            messages.bind(1, IngestTransaction.key(reference.id))
            try messages.bind(2, reference.id.rawValue)
            if let (number, isOurs) = try messages.first({ ($0.int64(0), $0.int64(1) != 0) }) {
                reference.place = .message(ArchivedMessageID(rawValue: number))
                reference.isOurs = isOurs
                reference.contacts = try contacts(
                    "SELECT contact FROM history WHERE message = ? AND removed_at IS NULL", number, db, sight)
                return reference
            }
            try outbox.bind(1, reference.id.rawValue)
            if let number = try outbox.first({ $0.int64(0) }) {
                reference.place = .outbox(OutboxID(rawValue: number))
                reference.isOurs = true
                reference.contacts = try contacts(Judgement.recipients, number, db, sight)
            }
            return reference
        }
    }

    private static func contacts(
        _ query: String, _ number: Int64, _ db: Database, _ sight: Sight
    ) throws -> [(id: ContactID, name: String)] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT c.id, c.name FROM contacts c WHERE c.id IN (\(query)) AND \(sight.sees(contact: "c"))
                ORDER BY c.id
                """, arguments: [number]
        ).map { (ContactID(rawValue: $0[0]), $0[1]) }
    }
}

extension MatchPolicy.Threads {
    /// What a reference to a message does by this setting, for people.
    func words(isOurs: Bool) -> String {
        switch (self, isOurs) {
        case (.suggest, _):
            "[matching] threads = \"suggest\": a reference only suggests, since anybody can copy one"
        case (.link, false):
            "[matching] threads = \"link\": we have not sent that message, and such a reference only suggests, since "
                + "anybody can copy one"
        case (.link, true):
            "[matching] threads = \"link\": what answers mail of ours is filed with whom it was written to"
        }
    }
}
