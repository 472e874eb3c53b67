import GRDB
import MailModel
import Matcher

/// Brings what came back to the mail and the recipient that it is about, in the transaction that records the
/// report's message.
///
/// Who forges a report must name a mail that was sent from here, by an identifier that only those have seen whom
/// it reached, and one of its recipients; all else does nothing. Whoever had the mail can do that: what nothing more
/// vouches for is shown, and counts against nobody.
struct ReportFiling {
    /// A recipient of ours that a report speaks of.
    struct Place {
        var item: OutboxID
        var position: Int
        var canonical: String
        var isUncertain: Bool
        var voucher: ReportVoucher?
        var report: ReturnedReport.Recipient
    }

    /// Identifiers that a report may name, and recipients; the rest of an absurd one is not looked at.
    private static let identifierLimit = 20
    private static let recipientLimit = 1000
    private static let diagnosticBytes = 2000

    let db: Database
    let time: UnixTime
    let rule: BounceRule

    /// Nothing for a report on no mail of ours.
    func places(_ report: ReturnedReport, by author: ReportVouching.Author) throws -> [Place] {
        guard let (item, isEnveloped) = try item(report) else { return [] }
        let voucher =
            isEnveloped ? .envelope : try ReportVouching(db: db).voucher(of: item, author: author)
        let query = try PreparedStatement(
            db,
            """
            SELECT r.position, r.state = 'uncertain' AND o.state = 'uncertain'
            FROM outbox_recipients r JOIN outbox o ON o.id = r.item
            WHERE r.item = ? AND r.canonical = ?
                AND r.state IN ('sending', 'sent', 'uncertain', 'failed', 'retry')
            """)
        var found: [Place] = []
        for recipient in report.recipients.prefix(Self.recipientLimit) {
            for canonical in recipient.addresses.map({ CanonicalAddress($0).rawValue }) {
                query.bind(1, item.rawValue)
                try query.bind(2, canonical)
                guard let row = try query.first({ (Int($0.int64(0)), $0.int64(1) != 0) }) else { continue }
                if !found.contains(where: { $0.position == row.0 }) {
                    found.append(
                        Place(
                            item: item, position: row.0, canonical: canonical, isUncertain: row.1,
                            voucher: voucher,
                            report: recipient))
                }
                break
            }
        }
        return found
    }

    func file(_ places: [Place], as message: ArchivedMessageID, at date: UnixTime) throws {
        let insert = try PreparedStatement(
            db,
            """
            INSERT OR IGNORE INTO delivery_reports(item, position, report, at, action, failure, status,
                diagnostic, vouched_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        for place in places {
            insert.bind(1, place.item.rawValue)
            insert.bind(2, place.position)
            insert.bind(3, message.rawValue)
            insert.bind(4, date.rawValue)
            try insert.bind(5, place.report.action)
            try insert.bind(6, place.report.failure?.rawValue)
            try insert.bind(7, place.report.status)
            try insert.bind(
                8,
                place.report.diagnostic.map {
                    String(decoding: $0.utf8.prefix(Self.diagnosticBytes), as: UTF8.self)
                })
            try insert.bind(9, place.voucher?.rawValue)
            try insert.run()
            if place.report.failure == .hard, place.voucher != nil {
                try Suppressing(db: db, time: time, rule: rule).consider(place.canonical)
            }
        }
        try settleUncertain(places)
    }

    /// By the envelope's identifier, else by the Message-ID. Two that contradict each other are nobody's.
    private func item(_ report: ReturnedReport) throws -> (OutboxID, isEnveloped: Bool)? {
        let byEnvelope = try PreparedStatement(db, "SELECT id FROM outbox WHERE envelope_id = ?")
        let byMessage = try PreparedStatement(db, "SELECT id FROM outbox WHERE message_id IN (?, ?)")
        var enveloped: OutboxID?
        if let envelopeID = report.envelopeID {
            try byEnvelope.bind(1, envelopeID)
            enveloped = try byEnvelope.first { OutboxID(rawValue: $0.int64(0)) }
        }
        var named: OutboxID?
        for identifier in report.messageIDs.prefix(Self.identifierLimit) where named == nil {
            try byMessage.bind(1, identifier.rawValue)
            // Some programs fold case, and ours are in lower case.
            try byMessage.bind(2, identifier.rawValue.lowercased())
            named = try byMessage.first { OutboxID(rawValue: $0.int64(0)) }
        }
        if let enveloped, let named, enveloped != named { return nil }
        if let enveloped { return (enveloped, isEnveloped: true) }
        return named.map { ($0, isEnveloped: false) }
    }

    /// What is reported on has been taken by our server: nobody has to find that out any more. Of a mail that went in
    /// parts whoever had an earlier one could say so: there a report that nothing vouches for settles nothing.
    private func settleUncertain(_ places: [Place]) throws {
        var uncertain = places.filter(\.isUncertain)
        if let item = uncertain.first?.item, try wasSentToOthers(item) {
            uncertain.removeAll { $0.voucher == nil }
        }
        guard let item = uncertain.first?.item else { return }
        let writer = try OutboxWriter(db, time: time)
        let attempts = try PreparedStatement(db, "SELECT max(attempts, 1) FROM outbox WHERE id = ?")
        attempts.bind(1, item.rawValue)
        let attempt = Int(try attempts.first { $0.int64(0) } ?? 1)
        for place in uncertain {
            let proof = OutboxReplyRecord(
                position: place.position, stage: .endOfData, code: nil, status: nil,
                text: "Resolved as sent: a report on its delivery came back")
            try writer.set(item, place.position, .sent, nil)
            try writer.add(proof, item, attempt: attempt)
        }
        try writer.settle(
            item, nextTry: time, isHeld: false, failure: .outboxUncertain, weight: .nothing, asQueued: true)
    }

    private func wasSentToOthers(_ item: OutboxID) throws -> Bool {
        let query = try PreparedStatement(
            db, "SELECT 1 FROM outbox_recipients WHERE item = ? AND state = 'sent' LIMIT 1")
        query.bind(1, item.rawValue)
        return try query.first { _ in true } != nil
    }
}

/// Sets suppressions for addresses that keep returning mail. A person's own suppression is left alone.
struct Suppressing {
    private static let bounceLimit = 100

    let db: Database
    let time: UnixTime
    let rule: BounceRule

    /// Looks at what has come back from an address, a moment after something has.
    func consider(_ canonical: String) throws {
        let listing = try PreparedStatement(
            db,
            """
            SELECT r.item, d.at, d.status, r.email FROM outbox_recipients r
                JOIN delivery_reports d ON d.item = r.item AND d.position = r.position
            WHERE r.canonical = ?1 AND d.failure = 'hard' AND d.at > ?2 AND d.vouched_by IS NOT NULL
            UNION ALL
            SELECT r.item, r.replied_at, r.status, r.email FROM outbox_recipients r
            WHERE r.canonical = ?1 AND r.state = 'failed' AND r.replied_at > ?2
                AND (r.status GLOB '5.1.*' OR r.status IN ('5.2.1', '5.4.4'))
            ORDER BY 2 DESC LIMIT ?3
            """)
        try listing.bind(1, canonical)
        listing.bind(2, time.rawValue - rule.days * 86_400)
        listing.bind(3, Self.bounceLimit)
        var bounces: [BounceRule.Bounce] = []
        var email: EmailAddress?
        try listing.forEachRow { row in
            bounces.append(
                BounceRule.Bounce(
                    item: OutboxID(rawValue: row.int64(0)), at: UnixTime(row.int64(1)),
                    status: row.optionalText(2)))
            email = email ?? Archive.address(row.text(3))
        }
        guard let email, let decision = rule.decision(bounces, at: time) else { return }
        let isPersons = try PreparedStatement(
            db,
            """
            SELECT 1 FROM suppressions WHERE canonical = ? AND reason = 'person'
                AND (expires_at IS NULL OR expires_at > ?)
            """)
        try isPersons.bind(1, canonical)
        isPersons.bind(2, time.rawValue)
        guard try isPersons.first({ _ in true }) == nil else { return }
        try Archive.suppress(
            email, reason: .hardBounces, evidence: decision.evidence, until: decision.until,
            by: "mailworker", db, at: time)
    }
}
