import GRDB
import MailModel
import Matcher

/// What speaks for a delivery report being genuine. Everybody who had a mail knows its Message-ID and, from To and Cc,
/// the other recipients: with no more than that, one of them could have another one suppressed.
enum ReportVoucher: String {
    /// It names the envelope identifier, which servers see and recipients do not.
    case envelope
    /// It is from the mail system of the account's own server, which that server says itself.
    case server
    /// Nobody but the recipient can know the Message-ID, as far as the archive can tell.
    case recipient
}

/// Finds out what vouches for a report that found its mail by the Message-ID.
struct ReportVouching {
    let db: Database

    /// Who wrote a report, as far as that is known.
    struct Author {
        var address: EmailAddress?
        var check: SenderCheck?
    }

    /// - Returns: nil for a report that is only to be shown.
    func voucher(of item: OutboxID, author: Author) throws -> ReportVoucher? {
        if try isOwnServer(author, of: item) { return .server }
        return try isKnownToItsRecipientOnly(item) ? .recipient : nil
    }

    private static let daemons: Set<String> = ["mailer-daemon", "postmaster"]
    private static let domains: [String: [String]] = [
        "gmail": ProviderDomains.gmail, "yandex": ProviderDomains.yandex, "mailru": ProviderDomains.mailru,
        "outlook": ProviderDomains.outlook, "icloud": ProviderDomains.icloud,
        "fastmail": ProviderDomains.fastmail, "rambler": ProviderDomains.rambler,
    ]

    private func isOwnServer(_ author: Author, of item: OutboxID) throws -> Bool {
        guard author.check?.outcome == .verified, let address = author.address,
            Self.daemons.contains(address.localPart.lowercased())
        else { return false }
        let domain = CanonicalAddress.canonicalDomain(address.domain)
        let query = try PreparedStatement(
            db, "SELECT a.preset, a.email FROM outbox o JOIN accounts a ON a.id = o.account WHERE o.id = ?")
        query.bind(1, item.rawValue)
        let account = try query.first { ($0.text(0), $0.optionalText(1).flatMap { Archive.address($0) }) }
        guard let (preset, own) = account else { return false }
        if let own, CanonicalAddress.canonicalDomain(own.domain) == domain { return true }
        return Self.domains[preset]?.contains(domain) ?? false
    }

    /// The mail went to one person, and nothing that refers to it is known to have gone to anybody else.
    private func isKnownToItsRecipientOnly(_ item: OutboxID) throws -> Bool {
        let query = try PreparedStatement(
            db,
            """
            SELECT o.message_id, min(r.canonical), count(*) FROM outbox o
                JOIN outbox_recipients r ON r.item = o.id WHERE o.id = ? GROUP BY o.id
            """)
        query.bind(1, item.rawValue)
        guard let mail = try query.first({ (name: $0.text(0), recipient: $0.text(1), count: $0.int64(2)) }),
            mail.count == 1
        else { return false }
        let others = try PreparedStatement(
            db,
            """
            SELECT 1 FROM addresses a JOIN participants mine ON mine.address = a.id
                JOIN messages m ON m.id = mine.message
                JOIN participants p ON p.message = m.id AND p.address <> a.id
            WHERE a.canonical = ?1 AND instr(' ' || m.thread || ' ', ' ' || ?2 || ' ') > 0
                AND NOT EXISTS (SELECT 1 FROM accounts WHERE address = p.address)
                AND NOT EXISTS (SELECT 1 FROM users WHERE address = p.address)
            LIMIT 1
            """)
        try others.bind(1, mail.recipient)
        try others.bind(2, mail.name)
        return try others.first { _ in true } == nil
    }
}
