import GRDB
import MailModel

/// Claims mails within one transaction, on compiled statements.
struct OutboxClaiming {
    private let db: Database
    private let time: UnixTime
    private let writer: OutboxWriter
    private let take, mail, listing: PreparedStatement

    /// - Parameter holder: the process that claims.
    init(_ db: Database, holder: String, time: UnixTime) throws {
        self.db = db
        self.time = time
        writer = try OutboxWriter(db, time: time)
        take = try PreparedStatement(
            db,
            """
            UPDATE outbox SET state = 'sending', holder = ?1, claimed_at = ?2, next_try = NULL
            WHERE id = ?3
            """)
        try take.bind(1, holder)
        take.bind(2, time.rawValue)
        mail = try PreparedStatement(
            db,
            """
            SELECT account, message_id, envelope_id, sender, kind, needs_utf8, size, attempts, first_try,
                not_before, sha256
            FROM outbox WHERE id = ? AND state IN ('queued', 'retry')
            """)
        listing = try PreparedStatement(
            db,
            """
            SELECT position, email, canonical, tries,
                state = 'waiting' OR \(SendingClock.hasCome("coalesce(next_try, 0)", at: "?2"))
            FROM outbox_recipients WHERE item = ?1 AND state IN ('waiting', 'retry') ORDER BY position
            """)
        listing.bind(2, time.rawValue)
    }

    private struct Candidate {
        var position: Int
        /// Nil for one that cannot be read.
        var address: EmailAddress?
        var canonical: String
        var tries: Int
        var isDue: Bool
    }

    /// - Returns: nil when it is nobody's to claim, or none of its recipients may have it: then it has failed.
    func claim(_ id: OutboxID) throws -> OutboxClaim? {
        mail.bind(1, id.rawValue)
        let found = try mail.first { row in
            OutboxClaim(
                id: id, account: AccountID(rawValue: row.int64(0)),
                messageID: MessageID(rawValue: row.text(1)),
                envelopeID: row.text(2), sender: Archive.address(row.text(3)),
                kind: OutboxKind(rawValue: row.text(4)) ?? .single, needsUTF8: row.int64(5) != 0,
                size: Int(row.int64(6)), attempt: Int(row.int64(7)) + 1,
                firstTry: row.optionalInt64(8).map { UnixTime($0) }, dueSince: UnixTime(row.int64(9)),
                recipients: [], content: nil, digest: row.bytes(10))
        }
        guard var claim = found else { return nil }
        take.bind(3, id.rawValue)
        try take.run()
        for candidate in try candidates(id) {
            guard let address = candidate.address,
                try claim.kind == .single || !Archive.isKeptFromMail(candidate.canonical, db, at: time)
            else {
                try refuse(id, candidate.position)
                continue
            }
            claim.recipients.append(
                OutboxClaim.Recipient(
                    position: candidate.position, address: address, tries: candidate.tries))
        }
        guard claim.recipients.isEmpty else { return claim }
        try writer.settle(id, nextTry: time, isHeld: false, failure: .recipientSuppressed, weight: .nothing)
        return nil
    }

    /// Those who were asked to be tried later are left until then; where nobody else is there, it is their time.
    private func candidates(_ id: OutboxID) throws -> [Candidate] {
        listing.bind(1, id.rawValue)
        var open: [Candidate] = []
        try listing.forEachRow { row in
            open.append(
                Candidate(
                    position: Int(row.int64(0)), address: Archive.address(row.text(1)),
                    canonical: row.text(2), tries: Int(row.int64(3)), isDue: row.int64(4) != 0))
        }
        let due = open.filter(\.isDue)
        return due.isEmpty ? open : due
    }

    private func refuse(_ id: OutboxID, _ position: Int) throws {
        try writer.set(
            id, position, .failed,
            OutboxReplyRecord(
                position: position, stage: .connect, code: nil, status: nil,
                text: "Not sent: the address is suppressed, or the contact must not be mailed"))
    }
}
