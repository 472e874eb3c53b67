import GRDB
public import MailModel
public import Matcher

extension Archive {
    /// Puts a message, wherever it stands, into the histories of further contacts; an open item of the queue
    /// is settled by that.
    ///
    /// - Parameter person: who decided; shown with the link.
    /// - Throws: `unknown.message` (also for a private one, of which nothing is left), `unknown.contact`,
    ///   `rights.missing`, `rights.undisclosed`; then nothing has changed.
    public func link(
        _ message: ArchivedMessageID, to contacts: [ContactID], by person: String
    ) throws(MailFailure) {
        let time = now()
        try writeReversibly(.review) { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.review)
            let isSeen = try Bool.fetchOne(
                db, sql: "SELECT 1 FROM messages m WHERE m.id = ? AND \(sight.mayReview(message: "m.id"))",
                arguments: [message.rawValue])
            let decisions = try Decisions(db, time: time)
            guard isSeen != nil, let facts = try decisions.facts(of: message), facts.state != .private else {
                throw Self.unknownMessage(message.description)
            }
            guard !contacts.isEmpty else { throw Self.unknownContact("") }
            try Self.demandMayFollow(message, db, sight)
            Act.concerns("message \(message)")
            for contact in contacts {
                try Self.requireContact(contact, db, sight, toChange: false)
                Act.concerns("contact \(contact)")
                try decisions.link(
                    message, contact: contact, role: nil, email: nil, by: .person(person),
                    sortDate: facts.sortDate)
            }
            guard facts.state != .archived else { return }
            try decisions.settle(message, as: .archived, resolution: .linked, by: person)
        }
    }

    /// Takes a message out of a contact's history. When it was in no other, it waits in
    /// the queue again, unless it is a report on mail of ours: that stands with the mail.
    ///
    /// - Throws: `unknown.message` when it is not in that history, `rights.missing`.
    public func unlink(
        _ message: ArchivedMessageID, from contact: ContactID, by person: String
    ) throws(MailFailure) {
        let time = now()
        try writeReversibly(.review) { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.review)
            let isSeen = try Bool.fetchOne(
                db,
                sql: """
                    SELECT 1 FROM history h JOIN contacts c ON c.id = h.contact
                    WHERE h.message = ? AND h.contact = ? AND \(sight.reaches(.read, contact: "c"))
                        AND \(sight.mayReview(message: "h.message"))
                    """, arguments: [message.rawValue, contact.rawValue])
            guard isSeen != nil else { throw Self.unknownMessage(message.description) }
            Act.concerns("message \(message)")
            Act.concerns("contact \(contact)")
            try db.execute(
                sql: """
                    UPDATE history SET removed_at = ?, removed_by = ?
                    WHERE message = ? AND contact = ? AND removed_at IS NULL
                    """, arguments: [time.rawValue, person, message.rawValue, contact.rawValue])
            guard db.changesCount == 1 else { throw Self.unknownMessage(message.description) }
            let stands = try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM history WHERE message = ?1 AND removed_at IS NULL)
                        OR EXISTS (SELECT 1 FROM delivery_reports WHERE report = ?1)
                        OR EXISTS (SELECT 1 FROM other_reports WHERE report = ?1 AND message IS NOT NULL)
                    """, arguments: [message.rawValue])
            guard stands == false else { return }
            try Self.reopen(message, reason: "Taken out of a history by \(person)", db, at: time)
        }
    }
}
