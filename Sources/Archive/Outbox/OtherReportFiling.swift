import GRDB
import MailModel
import Matcher

/// Brings what came back about mail that another program sent to that mail, which a Sent folder has shown.
///
/// The mail may be known later than the report, since a bounce is quick and INBOX is read first: what a report says
/// waits until then. All that vouches for such a report is a Message-ID that whoever had the mail has seen. So it
/// only counts in a mailbox of the user in whose Sent folder the mail is, only for a recipient whom the mail names,
/// and it is only shown: no address is suppressed for it.
struct OtherReportFiling {
    /// What a report says of one recipient of one mail.
    struct Claim {
        var named: MessageID
        var address: EmailAddress
        var report: ReturnedReport.Recipient
        /// The mail, where it is known and its own recipients include this one.
        var message: ArchivedMessageID?
    }

    /// What is kept of one report; the rest of an absurd one is not looked at.
    private static let identifierLimit = 5
    private static let recipientLimit = 100
    private static let diagnosticBytes = 2000

    let db: Database
    let time: UnixTime

    /// - Parameter folder: where the report was found.
    /// - Returns: nothing for a report that names mail of the outbox, which has its own rules.
    func claims(_ report: ReturnedReport, in folder: FolderID) throws -> [Claim] {
        var claims: [Claim] = []
        for named in report.messageIDs.prefix(Self.identifierLimit) where !named.rawValue.isEmpty {
            guard try !isOfOutbox(named) else { return [] }
            let mail = try mail(named, foundBeside: folder)
            for recipient in report.recipients.prefix(Self.recipientLimit) {
                guard let first = recipient.addresses.first else { continue }
                let known = try mail.flatMap { mail in
                    try recipient.addresses.first { try isRecipient($0, of: mail) }
                }
                claims.append(
                    Claim(
                        named: named, address: known ?? first, report: recipient,
                        message: known == nil ? nil : mail))
            }
            // The first identifier whose mail is known is the one that is meant.
            if claims.contains(where: { $0.message != nil }) { return claims.filter { $0.message != nil } }
        }
        return claims
    }

    func file(_ claims: [Claim], as report: ArchivedMessageID, at date: UnixTime) throws {
        guard !claims.isEmpty else { return }
        let insert = try PreparedStatement(
            db,
            """
            INSERT INTO other_reports(report, position, named, named_key, email, canonical, at, action, failure,
                status, diagnostic, message)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        for (position, claim) in claims.enumerated() {
            insert.bind(1, report.rawValue)
            insert.bind(2, position)
            try insert.bind(3, claim.named.rawValue)
            insert.bind(4, IngestTransaction.key(claim.named))
            try insert.bind(5, claim.address.addrSpec)
            try insert.bind(6, CanonicalAddress(claim.address).rawValue)
            insert.bind(7, date.rawValue)
            try insert.bind(8, claim.report.action)
            try insert.bind(9, claim.report.failure?.rawValue)
            try insert.bind(10, claim.report.status)
            try insert.bind(
                11,
                claim.report.diagnostic.map {
                    String(decoding: $0.utf8.prefix(Self.diagnosticBytes), as: UTF8.self)
                })
            insert.bind(12, claim.message?.rawValue)
            try insert.run()
        }
    }

    /// A mail has been found in a Sent folder: what came back about it before is shown at it, and asks nobody any
    /// more.
    ///
    /// - Returns: the reports that stand with it now.
    func adopt(_ mail: ArchivedMessageID, named: MessageID) throws -> [ArchivedMessageID] {
        let waiting = try PreparedStatement(
            db,
            """
            SELECT r.id, r.report FROM other_reports r
            WHERE r.named_key = ?1 AND r.named = ?2 AND r.message IS NULL
                AND EXISTS (SELECT 1 FROM participants p JOIN addresses a ON a.id = p.address
                    WHERE p.message = ?3 AND a.canonical = r.canonical AND p.role IN ('to', 'cc', 'bcc'))
                AND EXISTS (SELECT 1 FROM ledger l WHERE l.message = r.report AND l.folder IN (
                    \(Self.foldersBeside(mail: "?3"))))
            """)
        waiting.bind(1, IngestTransaction.key(named))
        try waiting.bind(2, named.rawValue)
        waiting.bind(3, mail.rawValue)
        var rows: [Int64] = []
        var reports: [ArchivedMessageID] = []
        try waiting.forEachRow { row in
            rows.append(row.int64(0))
            let report = ArchivedMessageID(rawValue: row.int64(1))
            if !reports.contains(report) { reports.append(report) }
        }
        guard !rows.isEmpty, try isOnlyOne(mail, named) else { return [] }
        let set = try PreparedStatement(db, "UPDATE other_reports SET message = ? WHERE id = ?")
        for row in rows {
            set.bind(1, mail.rawValue)
            set.bind(2, row)
            try set.run()
        }
        return reports
    }

    // MARK: - What is ours

    private func isOfOutbox(_ named: MessageID) throws -> Bool {
        let query = try PreparedStatement(db, "SELECT 1 FROM outbox WHERE message_id IN (?, ?)")
        try query.bind(1, named.rawValue)
        try query.bind(2, named.rawValue.lowercased())
        return try query.first { _ in true } ?? false
    }

    /// The folders of the users in whose Sent folders a mail is.
    private static func foldersBeside(mail: String) -> String {
        """
        SELECT other.id FROM ledger sent JOIN folders f ON f.id = sent.folder JOIN accounts a ON a.id = f.account
            JOIN accounts b ON b.id = a.id OR b.user = a.user
            JOIN folders other ON other.account = b.id
        WHERE sent.message = \(mail) AND (f.role = 'sent' OR a.kind = 'import')
        """
    }

    private static let named = """
        SELECT id FROM messages WHERE message_id_key = ?1 AND message_id = ?2 AND direction <> 'incoming'
            AND erased_at IS NULL
        """

    /// Nil for two mails under one identifier: one of them is forged, and nobody knows which.
    private func mail(_ named: MessageID, foundBeside folder: FolderID) throws -> ArchivedMessageID? {
        let query = try PreparedStatement(
            db, Self.named + " AND ?3 IN (\(Self.foldersBeside(mail: "messages.id"))) LIMIT 1")
        query.bind(1, IngestTransaction.key(named))
        try query.bind(2, named.rawValue)
        query.bind(3, folder.rawValue)
        guard let mail = try query.first({ ArchivedMessageID(rawValue: $0.int64(0)) }),
            try isOnlyOne(mail, named)
        else { return nil }
        return mail
    }

    private func isOnlyOne(_ mail: ArchivedMessageID, _ named: MessageID) throws -> Bool {
        let query = try PreparedStatement(db, Self.named)
        query.bind(1, IngestTransaction.key(named))
        try query.bind(2, named.rawValue)
        var found: [Int64] = []
        try query.forEachRow { found.append($0.int64(0)) }
        return found == [mail.rawValue]
    }

    private func isRecipient(_ address: EmailAddress, of mail: ArchivedMessageID) throws -> Bool {
        let query = try PreparedStatement(
            db,
            """
            SELECT 1 FROM participants p JOIN addresses a ON a.id = p.address
            WHERE p.message = ? AND a.canonical = ? AND p.role IN ('to', 'cc', 'bcc') LIMIT 1
            """)
        query.bind(1, mail.rawValue)
        try query.bind(2, CanonicalAddress(address).rawValue)
        return try query.first { _ in true } ?? false
    }
}
