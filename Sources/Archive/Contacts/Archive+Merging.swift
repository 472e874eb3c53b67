import GRDB
public import MailModel
public import Matcher

extension Archive {
    /// Makes several contacts one, in one transaction: fields as `ContactMerge` says, histories united,
    /// people of an organisation moved, and mail that waits under any of the addresses follows. The others'
    /// numbers and external ids lead to the kept contact from then on.
    ///
    /// - Parameter isTrial: finds out what would happen, and changes nothing.
    /// - Throws: `unknown.contact`, `rights.missing`, `value.invalid` for an organisation and a person.
    @discardableResult
    public func mergeContacts(
        _ others: [ContactID], into kept: ContactID, taking: Set<ContactMerge.Field> = [],
        isTrial: Bool = false
    ) throws(MailFailure) -> MergeOutcome {
        let time = now()
        var seen: Set<ContactID> = [kept]
        let others = others.filter { seen.insert($0).inserted }
        guard !others.isEmpty else {
            throw MailFailure.invalid(
                "There is nothing to merge", kept.description, remedy: "Name another contact besides.")
        }
        func run(_ db: Database) throws -> MergeOutcome {
            let sight = try Sight(viewer, db)
            for id in [kept] + others { try Self.requireContact(id, db, sight, toChange: true) }
            func contact(_ id: ContactID) throws -> Contact {
                guard
                    let found = try Self.contacts(db, .administrator, "c.id = ?", [id.rawValue]).first
                else { throw Self.unknownContact(id.description) }
                return found
            }
            let before = try contact(kept)
            let merged = try others.map(contact)
            guard let draft = ContactMerge.draft(into: before, merged, taking: taking) else {
                throw MailFailure.invalid(
                    "An organisation and a person cannot become one", before.name,
                    remedy: "Change the kind of one with: mailworker contact edit, or name the organisation "
                        + "of the person.")
            }
            Act.concerns("contact \(kept)")
            let closed = try ClosedHistories(among: [kept] + others, db, sight)
            var outcome = MergeOutcome(kept: before, others: merged, result: before)
            let writer = try ContactWriter(db, sight, time: time, policy: matching)
            for other in merged {
                Act.concerns("contact \(other.id)")
                try writer.absorb(other, into: kept, giving: draft.externalID, &outcome)
            }
            if let replaced = before.externalID, replaced != draft.externalID {
                try writer.keep(replaced, for: kept)
            }
            try writer.update(kept, draft)
            outcome.gain = try writer.setAddresses(draft.emails, of: kept, losing: .leaves)
            try closed.demandStillClosed(in: kept, db, sight)
            // The draft is made of all that the contacts have; what is told of them is what the viewer sees.
            outcome.kept = try Self.shown(before, db, sight)
            outcome.others = try merged.map { try Self.shown($0, db, sight) }
            outcome.result = try Self.shown(contact(kept), db, sight)
            return outcome
        }
        return isTrial ? try rehearse(run) : try writeReversibly(.contacts) { db in try run(db) }
    }
}

extension ContactWriter {
    /// Moves everything that leads to a contact to another one, and takes it away.
    ///
    /// - Parameter externalID: the one that the kept contact will have itself.
    fileprivate func absorb(
        _ other: Contact, into kept: ContactID, giving externalID: String?, _ outcome: inout MergeOutcome
    ) throws {
        func run(_ sql: String, _ arguments: StatementArguments) throws -> Int {
            try db.execute(sql: sql, arguments: arguments)
            return db.changesCount
        }
        let (from, to) = (other.id.rawValue, kept.rawValue)
        // What a person took out of one history and somebody else's still has is in the common one.
        _ = try run(
            """
            DELETE FROM history WHERE contact = ?2 AND removed_at IS NOT NULL AND message IN (
                SELECT message FROM history WHERE contact = ?1 AND removed_at IS NULL)
            """, [from, to])
        outcome.sharedMessages +=
            try Int.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM history a JOIN history b ON b.message = a.message AND b.contact = ?2
                    WHERE a.contact = ?1 AND a.removed_at IS NULL AND b.removed_at IS NULL
                    """, arguments: [from, to]) ?? 0
        outcome.movedMessages +=
            try Int.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM history a WHERE a.contact = ?1 AND a.removed_at IS NULL
                        AND NOT EXISTS (SELECT 1 FROM history b WHERE b.message = a.message AND b.contact = ?2)
                    """, arguments: [from, to]) ?? 0
        // The message stands once; that a person has put it there stays.
        _ = try run(
            """
            UPDATE history SET linked_by = o.linked_by, person = o.person, linked_at = o.linked_at
            FROM history o WHERE history.contact = ?2 AND history.linked_by <> 'person'
                AND o.message = history.message AND o.contact = ?1 AND o.linked_by = 'person'
                AND o.removed_at IS NULL
            """, [from, to])
        _ = try run("UPDATE OR IGNORE history SET contact = ?2 WHERE contact = ?1", [from, to])
        _ = try run("DELETE FROM history WHERE contact = ?1", [from])
        _ = try run("UPDATE OR IGNORE events SET contact = ?2 WHERE contact = ?1", [from, to])
        _ = try run(
            "UPDATE contacts SET organisation = ?2 WHERE organisation = ?1 AND id <> ?2", [from, to])
        _ = try run("UPDATE merged_contacts SET contact = ?2 WHERE contact = ?1", [from, to])
        _ = try run("DELETE FROM contacts WHERE id = ?1", [from])
        // It may have taken back the one of a contact that became part of it.
        _ = try run(
            "UPDATE merged_contacts SET external_id = NULL WHERE external_id = ?", [other.externalID])
        _ = try run(
            "INSERT INTO merged_contacts(id, contact, external_id, merged_at) VALUES (?, ?, ?, ?)",
            [from, to, other.externalID == externalID ? nil : other.externalID, time.rawValue])
    }

    /// The kept contact is found by the external id that it had, too: the row of one that became part of it
    /// and brought none holds it.
    fileprivate func keep(_ externalID: String, for contact: ContactID) throws {
        try db.execute(
            sql: """
                UPDATE merged_contacts SET external_id = ?1 WHERE id = (
                    SELECT id FROM merged_contacts WHERE contact = ?2 AND external_id IS NULL ORDER BY id LIMIT 1)
                    AND NOT EXISTS (SELECT 1 FROM merged_contacts WHERE external_id = ?1)
                """, arguments: [externalID, contact.rawValue])
    }
}
