import Foundation
import GRDB
import MailModel
import Matcher

/// A quarantined message that has been read after all takes its place as if it had arrived
/// readable: same message, same original, same ledger rows.
extension IngestTransaction {
    /// - Parameter content: nil when it still could not be read.
    func reread(_ id: ArchivedMessageID, _ content: Content?, parserVersion: Int) throws -> IngestOutcome {
        guard let facts = try decisions.facts(of: id), facts.state == .quarantined else {
            return .alreadyKnown
        }
        try db.execute(
            sql: "UPDATE messages SET parser_version = ? WHERE id = ?",
            arguments: [parserVersion, id.rawValue])
        guard let content else { return .quarantined(id) }
        if let known = try message(like: content) {
            try join(id, to: known.message)
            if known.erasedOriginal != nil {
                try MessageEraser(db, time: time).eraseCopies(of: known.message)
            }
            return .duplicate(of: known.message)
        }
        return try place(id, content, received: facts.sortDate)
    }

    /// What could not be read was another copy of a message that is here.
    private func join(_ id: ArchivedMessageID, to known: ArchivedMessageID) throws {
        try db.execute(
            sql: "UPDATE ledger SET message = ?, state = 'duplicate', reason = NULL WHERE message = ?",
            arguments: [known.rawValue, id.rawValue])
        try db.execute(
            sql: "UPDATE originals SET message = ? WHERE message = ?",
            arguments: [known.rawValue, id.rawValue])
        // Its question has no object any more.
        try db.execute(sql: "DELETE FROM review_items WHERE message = ?", arguments: [id.rawValue])
        try db.execute(sql: "DELETE FROM messages WHERE id = ?", arguments: [id.rawValue])
    }

    private func place(
        _ id: ArchivedMessageID, _ content: Content, received: UnixTime
    ) throws -> IngestOutcome {
        let participants = try recordParticipants(of: content, in: id)
        for (position, attachment) in content.attachments.enumerated() {
            try insertAttachment(attachment, message: id, position: position)
        }
        let folder = try firstFolder(of: id)
        let circumstances = try judgement.circumstances(of: content, participants, in: folder)
        var result = try judgement.match(participants, circumstances)
        let reported = try reported(in: content, circumstances.senderCheck)
        let others = reported.isEmpty ? try otherReports(in: content, folder: folder) : []
        if !reported.isEmpty || others.contains(where: { $0.message != nil }) { result.verdict = .linked([]) }
        let date = content.date.flatMap { $0 <= received.advanced(bySeconds: 86_400) ? $0 : nil }
        let sortDate = date ?? received
        // Content and state go together: the schema takes neither alone.
        try fill(
            id, content, sortDate: sortDate, direction: result.direction,
            senderCheck: circumstances.senderCheck)
        try file(reported, as: id, at: sortDate)
        try OtherReportFiling(db: db, time: time).file(others, as: id, at: sortDate)
        switch result.verdict {
        case .linked(let contacts):
            for contact in contacts {
                try decisions.link(id, contact: contact, by: .arrival, sortDate: sortDate)
            }
            try decisions.settle(id, as: .archived, resolution: .linked, by: "rule")
            return .linked(id, contacts: contacts.map(\.contact))
        case .review(let subject):
            try decisions.settle(id, as: .review, resolution: nil, by: "")
            let address = try subject.participant.map { try addresses.entry($0.mailbox.address).id }
            try db.execute(
                sql: """
                    UPDATE review_items SET address = ?, email = ?, reason = ?, kind = ?
                    WHERE message = ? AND state = 'open'
                    """,
                arguments: [
                    address, subject.participant?.mailbox.address.lowercased, subject.reason,
                    subject.kind.rawValue, id.rawValue,
                ])
            let item = try Int64.fetchOne(
                db, sql: "SELECT id FROM review_items WHERE message = ? AND state = 'open'",
                arguments: [id.rawValue])
            let made = try leads?.consider(
                AutomaticLeads.Waiting(
                    message: id, item: ReviewItemID(rawValue: item ?? 0), folder: folder, subject: subject,
                    content: content, direction: result.direction,
                    senderCheck: circumstances.senderCheck?.outcome))
            return made.map { .linked(id, contacts: [$0]) } ?? .review(id)
        case .ignored(let rule):
            try decisions.ignore(id, rule: rule, by: "rule")
            return .ignored(id, rule: rule)
        case .internal:
            try decisions.settle(
                id, as: .ignored, reason: Decisions.internalReason, resolution: .ignored, by: "rule")
            return .ignored(id, rule: nil)
        }
    }

    private func recordParticipants(
        of content: Content, in id: ArchivedMessageID
    ) throws -> [KnownParticipant] {
        var known: [KnownParticipant] = []
        var seen: Set<Seen> = []
        for participant in content.participants {
            let entry = try addresses.entry(participant.mailbox.address)
            guard seen.insert(Seen(role: participant.role, address: entry.id)).inserted else { continue }
            try insertParticipant(participant, address: entry.id, message: id, position: Int64(known.count))
            known.append(
                KnownParticipant(
                    participant: participant, canonical: entry.canonical, standing: entry.standing))
        }
        return known
    }

    private func firstFolder(of id: ArchivedMessageID) throws -> FolderID {
        let first = try Int64.fetchOne(
            db,
            sql:
                "SELECT folder FROM ledger WHERE message = ? ORDER BY recorded_at, state = 'duplicate' LIMIT 1",
            arguments: [id.rawValue])
        return FolderID(rawValue: first ?? 0)
    }

    private func fill(
        _ id: ArchivedMessageID, _ content: Content, sortDate: UnixTime, direction: Direction,
        senderCheck: SenderCheck?
    ) throws {
        let messageID = content.messageID.flatMap { $0.rawValue.isEmpty ? nil : $0 }
        let category = content.isDeliveryReport ? MessageCategory.report : content.category
        try db.execute(
            sql: """
                UPDATE messages SET state = 'review', reason = NULL, message_id = ?, message_id_key = ?,
                    content_digest = ?, subject = ?, date = ?, sort_date = ?, direction = ?, category = ?,
                    thread = ?, snippet = ?, defects = ?, sender_check = ?, sender_check_facts = ?,
                    signature = ?, form_digest = ?
                WHERE id = ?
                """,
            arguments: [
                messageID?.rawValue, messageID.map(Self.key), Data(content.contentDigest.bytes),
                content.subject, content.date?.rawValue, sortDate.rawValue, direction.rawValue,
                category.rawValue, Self.thread(content), content.snippet,
                content.defects.isEmpty ? nil : content.defects.joined(separator: " "),
                senderCheck?.outcome.rawValue, senderCheck?.facts, content.signature,
                content.formDigest.map { Data($0.bytes) }, id.rawValue,
            ])
        // Its question was sorted under the day on which it came; now it has a date.
        try db.execute(
            sql: "UPDATE review_items SET sort_date = ? WHERE message = ?",
            arguments: [sortDate.rawValue, id.rawValue])
    }
}
