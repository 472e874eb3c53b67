import GRDB
import MailModel
import Matcher

/// Histories that somebody does not read, beside a change of theirs to contacts: the right to make contacts is none to
/// read, and whoever gives a contact to themselves, or makes it one with their own, must read its history already.
struct ClosedHistories {
    private let isAny: Bool

    init(among contacts: [ContactID], _ db: Database, _ sight: Sight) throws {
        isAny = try sight.rights != nil && contacts.contains { try Self.isClosed($0, db, sight) }
    }

    /// - Parameter contact: the one in whose history they would be read.
    /// - Throws: `rights.missing`.
    func demandStillClosed(in contact: ContactID, _ db: Database, _ sight: Sight) throws {
        guard isAny, try !Self.isClosed(contact, db, sight) else { return }
        throw Self.wouldOpen(sight)
    }

    /// The same before they are changed.
    ///
    /// - Parameters:
    ///   - owner: who will own them; nil for whoever does.
    ///   - users: who besides the owner will read them.
    func demandStillClosed(
        for owner: UserID?, _ users: [UserID], _ db: Database, _ sight: Sight
    ) throws {
        guard isAny, let viewer = sight.rights?.user else { return }
        let isOwners = try owner.flatMap {
            try Bool.fetchOne(db, sql: "SELECT \(sight.reaches(.read, owner: "\($0.rawValue)"))")
        }
        if isOwners == true || sight.has(.read) && users.contains(viewer) { throw Self.wouldOpen(sight) }
    }

    private static func wouldOpen(_ sight: Sight) -> MailFailure {
        .missing(.read, sight.has(.read, .department) ? .all : .department)
    }

    private static func isClosed(_ contact: ContactID, _ db: Database, _ sight: Sight) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT NOT \(sight.reaches(.read, contact: "c"))
                    AND EXISTS (SELECT 1 FROM history WHERE contact = c.id AND removed_at IS NULL)
                FROM contacts c WHERE c.id = ?
                """, arguments: [contact.rawValue]) ?? false
    }
}
