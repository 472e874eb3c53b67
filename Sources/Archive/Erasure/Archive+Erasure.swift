import Foundation
import GRDB
public import MailModel
public import Matcher

extension MailFailure.Code {
    public static let originalErased = Self("archive.original-erased")
    /// What was erased can be read by nobody, and lies in the files still.
    public static let erasureUnfinished = Self("archive.erasure-unfinished")
}

extension Archive {
    /// What `erase` would do now.
    ///
    /// - Throws: `unknown.contact`.
    public func erasurePlan(of contact: ContactID) throws(MailFailure) -> ErasurePlan {
        try read { db, sight in
            try sight.demand(.administer, .all)
            return try ErasurePlan(contact, db, sight)
        }
    }

    /// A person's right to be forgotten: the contact, and all mail that concerns no other contact.
    ///
    /// First one transaction empties the rows and marks the originals; then their bytes are
    /// overwritten in the packs, and the write-ahead log is begun anew. A process that dies in between leaves marked
    /// originals, which nobody can read any more, and a note; the next opening does the rest.
    ///
    /// - Parameter progress: called now and then.
    /// - Throws: `unknown.contact`, `rights.missing`, `outbox.state` while mail to the contact is on its way,
    ///   `archive.busy` while a backup runs, and what the disk says: then nothing has changed.
    ///   `archive.erasure-unfinished` when only the overwriting is still due.
    @discardableResult
    public func erase(
        _ contact: ContactID, progress: (ErasureProgress) -> Void = { _ in }
    ) throws(MailFailure) -> ErasurePlan {
        let maintenance = try holdMaintenance()
        defer { maintenance.release() }
        let time = now()
        let plan = try write { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.administer, .all)
            let plan = try ErasurePlan(contact, db, sight)
            Act.concerns("contact \(contact)")
            Act.concerns("\(plan.erased.count) messages erased")
            let eraser = try MessageEraser(db, time: time)
            let addresses = try Int64.fetchSet(
                db, sql: "SELECT address FROM contact_addresses WHERE contact = ?",
                arguments: [contact.rawValue])
            let canonical = try String.fetchSet(
                db,
                sql: """
                    SELECT a.canonical FROM contact_addresses c JOIN addresses a ON a.id = c.address
                    WHERE c.contact = ?
                    """, arguments: [contact.rawValue])
            let outbox = try OutboxEraser(db)
            try outbox.demandNothingOnItsWay(to: canonical)
            // Their messages are in the plan.
            _ = try eraser.erase(try DigestEraser(db).mails(tellingOf: contact))
            try eraser.erase(plan.erased, for: .contactErased) { done in
                progress(.messages(done: done, total: plan.erased.count))
            }
            try outbox.erase(recipient: canonical)
            for address in addresses {
                try db.execute(
                    sql: """
                        UPDATE review_items SET address = NULL, email = NULL,
                            reason = replace(reason, email, '\(OutboxEraser.word)')
                        WHERE address = ?
                        """, arguments: [address])
            }
            // Whoever became part of the contact is erased with it.
            let gone = try Int64.fetchSet(
                db, sql: "SELECT id FROM merged_contacts WHERE contact = ?1 UNION SELECT ?1",
                arguments: [contact.rawValue])
            try db.execute(sql: "DELETE FROM history WHERE contact = ?", arguments: [contact.rawValue])
            try db.execute(sql: "DELETE FROM contacts WHERE id = ?", arguments: [contact.rawValue])
            for id in gone.sorted() {
                try db.execute(
                    sql: "INSERT INTO erased_contacts(id, erased_at) VALUES (?, ?)",
                    arguments: [id, time.rawValue])
            }
            let looks = try LookRegister(db)
            let names = canonical.sorted().map { CanonicalAddress(rawValue: $0) }
            for address in names { try looks.remove(address) }
            let endings = try WarningEraser(db, looks).erase(names)
            try UndoLog(db).forget(contacts: gone, addresses: addresses, warnings: endings)
            try eraser.forgetUnspokenAddresses(and: addresses)
            return plan
        }
        try finishErasure(progress: progress)
        return plan
    }

    /// Removes what a message says, and keeps it from being archived again: a private one.
    ///
    /// It is gone from every mailbox that has a copy: each must be one whose mail the viewer reviews.
    ///
    /// - Throws: as `erase`; `unknown.message`.
    public func makePrivate(_ message: ArchivedMessageID) throws(MailFailure) {
        try makePrivate { _, _ in [message] }
    }

    /// The same for the messages of open items, all of them or none.
    ///
    /// - Returns: the messages that are private now.
    /// - Throws: as above; `unknown.review-item`.
    public func makePrivate(_ selection: ReviewSelection) throws(MailFailure) -> [ArchivedMessageID] {
        try makePrivate { db, sight in try Self.open(selection, db, sight).map(\.message) }
    }

    @discardableResult
    private func makePrivate(
        _ choice: (Database, Sight) throws -> [ArchivedMessageID]
    ) throws(MailFailure) -> [ArchivedMessageID] {
        let maintenance = try holdMaintenance()
        defer { maintenance.release() }
        let time = now()
        let messages = try write { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.review)
            let messages = try choice(db, sight)
            for message in messages {
                let mayErase = try Bool.fetchOne(
                    db,
                    sql: """
                        SELECT \(sight.mayReviewAll(message: "m.id")) FROM messages m
                        WHERE m.id = ? AND m.erased_at IS NULL AND \(sight.sees(message: "m.id"))
                        """, arguments: [message.rawValue])
                guard let mayErase else { throw Self.unknownMessage(message.description) }
                guard mayErase else { throw MailFailure.missing(.review, .all) }
                Act.concerns("message \(message)")
            }
            try MessageEraser(db, time: time).erase(messages, for: .madePrivate)
            return messages
        }
        try finishErasure()
        return messages
    }

    static func erased(_ message: String) -> MailFailure {
        MailFailure(
            .originalErased, kind: .permanent, "The message was erased, or marked private", detail: message,
            remedy: "Nothing of what it said is kept.")
    }
}
