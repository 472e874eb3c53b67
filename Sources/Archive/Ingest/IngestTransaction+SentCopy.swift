import GRDB
import MailModel
import Matcher

/// What the sender's own copy of a message adds to one that was met elsewhere before.
extension IngestTransaction {
    /// The sender's own copy has the Bcc field that the recipients' copies lack. Only
    /// such a copy may add people: anybody could send us another copy of a mail.
    func addBlindRecipients(of content: Content, to message: ArchivedMessageID) throws {
        let present = try PreparedStatement(
            db, "SELECT role, address, position FROM participants WHERE message = ?")
        present.bind(1, message.rawValue)
        var known: Set<Int64> = []
        var next: Int64 = 0
        try present.forEachRow { row in
            if row.text(0) == ParticipantRole.bcc.rawValue { known.insert(row.int64(1)) }
            next = max(next, row.int64(2) + 1)
        }
        var added: [KnownParticipant] = []
        for participant in content.participants where participant.role == .bcc {
            let entry = try addresses.entry(participant.mailbox.address)
            guard known.insert(entry.id).inserted else { continue }
            try insertParticipant(participant, address: entry.id, message: message, position: next)
            next += 1
            added.append(
                KnownParticipant(
                    participant: participant, canonical: entry.canonical, standing: entry.standing))
        }
        guard !added.isEmpty else { return }
        try SearchIndex(db).renew(message)
        guard let facts = try decisions.facts(of: message), facts.category != .report else { return }
        let matched = Matcher.matchedContacts(among: added)
        for contact in matched {
            try decisions.link(message, contact: contact, by: .arrival, sortDate: facts.sortDate)
        }
        let wasInternal = facts.state == .ignored && facts.reason == Decisions.internalReason
        if wasInternal { try leaveInternal(message, waits: matched.isEmpty, sortDate: facts.sortDate) }
        if !matched.isEmpty, facts.state == .review || wasInternal {
            try decisions.settle(message, as: .archived, resolution: .linked, by: "rule")
        }
    }

    /// Mail between users went to somebody else as well: what it is does not depend on which of its copies came first.
    private func leaveInternal(
        _ message: ArchivedMessageID, waits: Bool, sortDate: UnixTime
    ) throws {
        guard let finding = try Rejudging(db, policy: policy).judge(message) else { return }
        try db.execute(
            sql: "UPDATE messages SET direction = ? WHERE id = ?",
            arguments: [finding.result.direction.rawValue, message.rawValue])
        guard waits, case .review(let subject) = finding.result.verdict else { return }
        try decisions.settle(message, as: .review, resolution: nil, by: "")
        try decisions.open(
            message, address: try subject.canonical.map { try addresses.entry($0).id },
            email: subject.participant?.mailbox.address.lowercased, reason: subject.reason,
            kind: subject.kind, sortDate: sortDate)
    }

    /// A copy in a Sent folder shows that a user wrote a message, whatever a server said of the copy that came in
    /// before it: a mailing list that sends a user's mail back changes it, and breaks its signature.
    func acknowledge(_ message: ArchivedMessageID, in folder: FolderID) throws {
        let isDoubted = try Bool.fetchOne(
            db,
            sql: """
                SELECT 1 FROM messages m JOIN folders f ON f.id = ?2 AND f.role = 'sent'
                WHERE m.id = ?1 AND (m.direction = 'incoming' OR m.sender_check IS NOT NULL) AND EXISTS (
                    SELECT 1 FROM participants p WHERE p.message = m.id AND p.role = 'from' AND p.address IN (
                        SELECT address FROM users UNION SELECT address FROM accounts))
                """, arguments: [message.rawValue, folder.rawValue])
        guard isDoubted != nil, let finding = try Rejudging(db, policy: policy).judge(message),
            let facts = try decisions.facts(of: message)
        else { return }
        try db.execute(
            sql: """
                UPDATE messages SET sender_check = NULL, sender_check_facts = NULL, direction = ? WHERE id = ?
                """, arguments: [finding.result.direction.rawValue, message.rawValue])
        let kind = try String.fetchOne(
            db, sql: "SELECT kind FROM review_items WHERE message = ? AND state = 'open'",
            arguments: [message.rawValue])
        guard facts.state == .review, kind == ReviewKind.unverified.rawValue else { return }
        switch finding.result.verdict {
        case .linked(let contacts):
            for contact in contacts {
                try decisions.link(message, contact: contact, by: .arrival, sortDate: facts.sortDate)
            }
            try decisions.settle(message, as: .archived, resolution: .linked, by: "rule")
        case .review(let subject):
            try db.execute(
                sql: """
                    UPDATE review_items SET address = ?, email = ?, reason = ?, kind = ?
                    WHERE message = ? AND state = 'open'
                    """,
                arguments: [
                    try subject.canonical.map { try addresses.entry($0).id },
                    subject.participant?.mailbox.address.lowercased, subject.reason, subject.kind.rawValue,
                    message.rawValue,
                ])
        case .ignored(let rule): try decisions.ignore(message, rule: rule, by: "rule")
        case .internal:
            try decisions.settle(
                message, as: .ignored, reason: Decisions.internalReason, resolution: .ignored, by: "rule")
        }
    }
}
