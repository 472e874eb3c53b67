import GRDB
import MailModel
import Matcher

/// Gives, within one transaction, the queue's warnings of what looks like an erased contact's address, or like its
/// domain, the words that they would have if the message came now: the erased one is in none of them.
struct WarningEraser {
    private let looks: LookRegister
    private let warnings, set: PreparedStatement

    init(_ db: Database, _ looks: LookRegister) throws {
        self.looks = looks
        warnings = try PreparedStatement(
            db,
            """
            SELECT r.id, r.reason, r.email, a.canonical
            FROM review_items r LEFT JOIN addresses a ON a.id = r.address WHERE r.kind = 'look-alike'
            """)
        set = try PreparedStatement(db, "UPDATE review_items SET reason = ?, kind = ? WHERE id = ?")
    }

    /// - Parameter addresses: no contact's any more, or another one's too.
    /// - Returns: how a warning ends that names what is no contact's any more.
    func erase(_ addresses: [CanonicalAddress]) throws -> [String] {
        let names = Set(addresses.flatMap { [$0.rawValue, String($0.domain)] }).sorted()
        var found: [(id: Int64, email: String?, canonical: String?)] = []
        try warnings.forEachRow { row in
            let reason = row.text(1)
            guard names.contains(where: { reason.hasSuffix(" \($0)") }) else { return }
            found.append((row.int64(0), row.optionalText(2), row.optionalText(3)))
        }
        for one in found {
            let canonical = one.canonical.map { CanonicalAddress(rawValue: $0) }
            let (reason, kind) = try warning(of: one.email, canonical)
            try set.bind(1, reason)
            try set.bind(2, kind.rawValue)
            set.bind(3, one.id)
            try set.run()
        }
        return try names.filter { try !PublicMailDomain.contains($0) && !looks.isKnown($0) }.map { " \($0)" }
    }

    private func warning(
        of email: String?, _ canonical: CanonicalAddress?
    ) throws -> (reason: String, kind: ReviewKind) {
        guard let canonical, let address = email.flatMap({ Archive.address($0) }) else {
            return ("No matching contacts for \(OutboxEraser.word)", .unknown)
        }
        var subject = ReviewSubject(
            participant: Participant(role: .from, mailbox: Mailbox(address: address)), canonical: canonical)
        subject.lookAlike = try looks.lookAlike(of: canonical)
        return (subject.reason, subject.kind)
    }
}
