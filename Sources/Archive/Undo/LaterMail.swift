import GRDB
import MailModel
import Matcher

/// Mail that came after an action and was filed by what the action had made. When the action is taken back, it goes
/// where it would have gone without it; what a person has decided about it stays, and may stand in the way.
struct LaterMail {
    private struct Pair: Hashable, Comparable {
        var contact: Int64
        var other: Int64

        static func < (one: Self, other: Self) -> Bool {
            (one.contact, one.other) < (other.contact, other.other)
        }
    }

    private let db: Database
    private let start: UnixTime
    /// Contacts that the action made, and that go.
    private var made: Set<Int64> = []
    /// Addresses that a contact gained by the action, or lost.
    private var gained: Set<Pair> = []
    private var lost: Set<Pair> = []
    /// Messages that entered a history by the action.
    private var linked: Set<Pair> = []
    /// In no history by now.
    private var released: [ArchivedMessageID] = []

    /// - Parameters:
    ///   - changeset: what the action did.
    ///   - start: when it was done.
    init(than changeset: Changeset, _ db: Database, after start: UnixTime) throws {
        self.db = db
        self.start = start
        try changeset.forEachChange { change in
            let key = change.row.key.compactMap { if case .integer(let number) = $0 { number } else { nil } }
            switch (change.row.table, change.operation) {
            case ("contacts", .insert): made.formUnion(key)
            case ("contact_addresses", .insert) where key.count == 2:
                gained.insert(Pair(contact: key[0], other: key[1]))
            case ("contact_addresses", .delete) where key.count == 2:
                lost.insert(Pair(contact: key[0], other: key[1]))
            // The key is (message, contact).
            case ("history", .insert) where key.count == 2:
                linked.insert(Pair(contact: key[1], other: key[0]))
            default: break
            }
        }
        gained = gained.filter { !made.contains($0.contact) }
    }

    /// Takes later mail out of the histories of contacts that go, so that they can.
    mutating func release() throws {
        for contact in made.sorted() {
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT message, removed_at IS NULL AS stands FROM history
                    WHERE contact = ? AND (linked_by <> 'person' OR removed_at IS NOT NULL) ORDER BY message
                    """, arguments: [contact])
            for row in rows where !linked.contains(Pair(contact: contact, other: row["message"])) {
                let message = ArchivedMessageID(rawValue: row["message"])
                try db.execute(
                    sql: "DELETE FROM history WHERE message = ? AND contact = ?",
                    arguments: [message.rawValue, contact])
                if row["stands"] { released.append(message) }
            }
        }
    }

    /// Lets it follow the addresses that are given back, and leave with those that are gone, once the action is taken
    /// back. What is in no history then is matched anew.
    func settle(_ writer: ContactWriter) throws {
        // What is gained comes first, so that a message with both is never without a contact.
        for pair in lost.sorted() where try has(pair) {
            _ = try writer.follow(pair.other, to: ContactID(rawValue: pair.contact), after: start)
        }
        var left = released
        for pair in gained.sorted() where try !has(pair) {
            left += try writer.release(
                try links(of: pair).map { ArchivedMessageID(rawValue: $0) },
                from: ContactID(rawValue: pair.contact))
        }
        _ = try writer.rejudge(left)
    }

    private func has(_ pair: Pair) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM contact_addresses WHERE contact = ? AND address = ?)",
            arguments: [pair.contact, pair.other]) ?? false
    }

    /// Messages that stand with a contact because of an address, by no person's decision and since the action.
    private func links(of pair: Pair) throws -> [Int64] {
        let canonical = try String.fetchOne(
            db, sql: "SELECT canonical FROM addresses WHERE id = ?", arguments: [pair.other])
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT h.message, h.email FROM participants p JOIN history h ON h.message = p.message
                WHERE p.address = ?1 AND h.contact = ?2 AND h.removed_at IS NULL AND h.linked_by <> 'person'
                    AND h.thread IS NULL AND h.linked_at >= ?3
                GROUP BY h.message ORDER BY h.message
                """, arguments: [pair.other, pair.contact, start.rawValue])
        return rows.compactMap { row in
            let email = Archive.address(row["email"]).map { CanonicalAddress($0).rawValue }
            return email != nil && email == canonical ? row["message"] : nil
        }
    }
}
