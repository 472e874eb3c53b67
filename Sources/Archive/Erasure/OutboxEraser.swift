import GRDB
import MailModel

/// Empties, within one transaction, what the outbox holds of erased mail and erased people. Rows stay, so that
/// what was sent is still accounted for: when, through which account, and how it ended.
struct OutboxEraser {
    /// What stands where an address or words of a server stood.
    static let word = "(erased)"

    private let db: Database
    private let mailOf, others, isFor: PreparedStatement
    private let item, recipients, replies, reports, content: PreparedStatement
    private let recipient, repliesAbout, reportsAbout, reason, blindField: PreparedStatement
    private let otherReports, otherReportsBy, otherReportsAbout: PreparedStatement
    private let key, setKey, endedContent: PreparedStatement

    init(_ db: Database) throws {
        self.db = db
        mailOf = try PreparedStatement(db, "SELECT id FROM outbox WHERE message = ?")
        isFor = try PreparedStatement(
            db, "SELECT item, position, role, email FROM outbox_recipients WHERE canonical = ?")
        others = try PreparedStatement(
            db, "SELECT 1 FROM outbox_recipients WHERE item = ? AND canonical <> '\(Self.word)' LIMIT 1")

        item = try PreparedStatement(
            db,
            """
            UPDATE outbox SET subject = NULL, request_digest = NULL, blind_field = NULL, remedy = NULL, copy_error = NULL,
                reason = CASE WHEN reason IS NOT NULL THEN '\(Self.word)' END,
                copy = CASE copy WHEN 'due' THEN 'unneeded' ELSE copy END, copy_next = NULL
            WHERE id = ?
            """)
        recipients = try PreparedStatement(
            db,
            """
            UPDATE outbox_recipients SET email = '\(Self.word)', canonical = '\(Self.word)', status = NULL,
                reply = NULL WHERE item = ?
            """)
        replies = try PreparedStatement(
            db, "UPDATE outbox_replies SET text = '\(Self.word)', status = NULL WHERE item = ?")
        reports = try PreparedStatement(
            db, "UPDATE delivery_reports SET status = NULL, diagnostic = NULL WHERE item = ?")
        content = try PreparedStatement(db, "DELETE FROM outbox_content WHERE item = ?")
        endedContent = try PreparedStatement(
            db,
            """
            DELETE FROM outbox_content WHERE item IN (
                SELECT id FROM outbox WHERE id = ? AND state IN ('failed', 'cancelled') AND copy <> 'due')
            """)
        key = try PreparedStatement(
            db, "SELECT idempotency_key FROM outbox WHERE id = ? AND idempotency_key IS NOT NULL")
        setKey = try PreparedStatement(db, "UPDATE outbox SET idempotency_key = ? WHERE id = ?")

        recipient = try PreparedStatement(
            db,
            """
            UPDATE outbox_recipients SET email = '\(Self.word)', canonical = '\(Self.word)', status = NULL,
                reply = NULL WHERE item = ? AND position = ?
            """)
        repliesAbout = try PreparedStatement(
            db,
            "UPDATE outbox_replies SET text = '\(Self.word)', status = NULL WHERE item = ? AND position = ?")
        reportsAbout = try PreparedStatement(
            db,
            "UPDATE delivery_reports SET status = NULL, diagnostic = NULL WHERE item = ? AND position = ?")
        reason = try PreparedStatement(
            db, "UPDATE outbox SET reason = '\(Self.word)' WHERE id = ? AND reason IS NOT NULL")
        blindField = try PreparedStatement(db, "UPDATE outbox SET blind_field = NULL WHERE id = ?")
        let emptied = """
            UPDATE other_reports SET named = '\(Self.word)', email = '\(Self.word)', canonical = '\(Self.word)',
                status = NULL, diagnostic = NULL
            """
        otherReports = try PreparedStatement(db, emptied + " WHERE message = ?")
        otherReportsBy = try PreparedStatement(db, "DELETE FROM other_reports WHERE report = ?")
        otherReportsAbout = try PreparedStatement(db, emptied + " WHERE canonical = ?")
    }

    /// The mail that became a message which is erased.
    func erase(mailOf message: ArchivedMessageID) throws {
        var items: [Int64] = []
        mailOf.bind(1, message.rawValue)
        try mailOf.forEachRow { items.append($0.int64(0)) }
        for item in items { try empty(item) }
        // Where it reports on other mail nothing is left that could speak of it.
        for statement in [otherReports, otherReportsBy] {
            statement.bind(1, message.rawValue)
            try statement.run()
        }
    }

    /// A person among the recipients. Mail that went to nobody else is emptied whole; of other mail that has come to its end
    /// without being sent the bytes go, since they name the person.
    ///
    /// - Parameter addresses: in their canonical form.
    func erase(recipient addresses: Set<String>) throws {
        var places: [(item: Int64, position: Int64, isBlind: Bool)] = []
        var names = addresses
        for address in addresses {
            try otherReportsAbout.bind(1, address)
            try otherReportsAbout.run()
            try isFor.bind(1, address)
            try isFor.forEachRow {
                places.append(($0.int64(0), $0.int64(1), $0.text(2) == "bcc"))
                names.insert($0.text(3))
            }
        }
        for place in places {
            for statement in [recipient, repliesAbout, reportsAbout] {
                statement.bind(1, place.item)
                statement.bind(2, place.position)
                try statement.run()
            }
            // It says of whom it speaks.
            reason.bind(1, place.item)
            try reason.run()
            if place.isBlind {
                blindField.bind(1, place.item)
                try blindField.run()
            }
        }
        let words = ServerWordEraser(db: db, addresses: names)
        for item in Set(places.map(\.item)).sorted() {
            try words.erase(from: item)
            try eraseKey(of: item)
            endedContent.bind(1, item)
            try endedContent.run()
            others.bind(1, item)
            if try others.first({ _ in true }) == nil { try empty(item) }
        }
        try words.eraseFromAccounts()
    }

    /// - Throws: `outbox.state` while mail to one of the addresses may still be sent, or is in no history yet.
    func demandNothingOnItsWay(to addresses: Set<String>) throws {
        let query = try PreparedStatement(
            db,
            """
            SELECT o.id FROM outbox_recipients r JOIN outbox o ON o.id = r.item
            WHERE r.canonical = ? AND (o.filing = 'due'
                OR o.state IN ('queued', 'sending', 'retry', 'held', 'uncertain')) LIMIT 1
            """)
        for address in addresses.sorted() {
            try query.bind(1, address)
            guard let item = try query.first({ $0.int64(0) }) else { continue }
            throw MailFailure(
                .outboxState, kind: .needsPerson, "Mail to the contact is on its way still",
                detail: "outbox \(item)",
                remedy:
                    "Let it be sent, cancel it or resolve it, and erase again: mailworker outbox show \(item)"
            )
        }
    }

    func empty(_ id: Int64) throws {
        for statement in [item, recipients, replies, reports, content] {
            statement.bind(1, id)
            try statement.run()
        }
        try eraseKey(of: id)
    }

    /// Whoever comes with the key again is still told of this mail.
    private func eraseKey(of id: Int64) throws {
        key.bind(1, id)
        guard let known = try key.first({ OutboxKey(text: $0.text(0)) }) else { return }
        try setKey.bind(1, known.digest)
        setKey.bind(2, id)
        try setKey.run()
    }
}
