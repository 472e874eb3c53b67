import Foundation
import GRDB
import MailModel

/// What of an action somebody can neither see nor decide about. Who takes it back must have been able to decide about
/// everything in it, before or after; of mail that only followed an address, to see it is enough, as it was to let it
/// follow. What the action itself has put out of its own user's sight, or was beyond it all the time, comes back with
/// it: that is the state which they had.
struct HiddenRows: Codable {
    private var decided: Set<Int64>
    private var followed: Set<Int64>
    private var contacts: Set<Int64>

    /// - Parameter known: what does not count.
    init(of changes: Changeset, besides known: HiddenRows? = nil, _ db: Database, _ sight: Sight) throws {
        (decided, followed, contacts) = ([], [], [])
        guard sight.rights != nil else { return }
        let messages = try changes.rows(of: "messages", db)
        decided = try changes.rows(of: "messages", db) { !$0.isRuleLink }
        followed = messages.subtracting(decided)
        contacts = try changes.rows(of: "contacts", db)
        if let known {
            decided.subtract(known.decided)
            followed.subtract(known.followed.union(known.decided))
            contacts.subtract(known.contacts)
        }
        try takeOutSeen(db, sight)
    }

    /// - Returns: nil for nothing.
    init?(json: String?) {
        guard let json, let known = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else {
            return nil
        }
        self = known
    }

    /// Nil for nothing.
    var json: String? {
        guard !isEmpty, let data = try? JSONEncoder().encode(self) else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    private var isEmpty: Bool { decided.isEmpty && followed.isEmpty && contacts.isEmpty }

    /// - Throws: `rights.missing` when something is hidden still.
    mutating func demandSeen(_ db: Database, _ sight: Sight) throws {
        try takeOutSeen(db, sight)
        guard decided.isEmpty, followed.isEmpty else { throw MailFailure.missing(.review, .department) }
        guard contacts.isEmpty else { throw MailFailure.missing(.contacts, .department) }
    }

    private mutating func takeOutSeen(_ db: Database, _ sight: Sight) throws {
        guard !isEmpty else { return }
        let mayReview = sight.mayReview(message: "m.id")
        func rest(of numbers: Set<Int64>, _ query: String) throws -> Set<Int64> {
            let query = try PreparedStatement(db, query)
            return try numbers.filter { number in
                query.bind(1, number)
                return try query.first { _ in true } == nil
            }
        }
        decided = try rest(of: decided, "SELECT 1 FROM messages m WHERE m.id = ? AND \(mayReview)")
        followed = try rest(
            of: followed,
            "SELECT 1 FROM messages m WHERE m.id = ? AND (\(mayReview) OR \(sight.sees(message: "m.id")))")
        contacts = try rest(
            of: contacts, "SELECT 1 FROM contacts c WHERE c.id = ? AND \(sight.sees(contact: "c"))")
    }
}

extension Changeset {
    /// The numbers of the rows of a table that the changes name, themselves or by a reference.
    ///
    /// - Parameter isWanted: which changes are looked at.
    func rows(
        of table: String, _ db: Database, where isWanted: (RowChange) -> Bool = { _ in true }
    ) throws -> Set<Int64> {
        var columns: [String: [Int]] = [:]
        var found: Set<Int64> = []
        try forEachChange { change in
            guard isWanted(change) else { return }
            let known = try columns[change.row.table] ?? Self.columns(of: change.row.table, naming: table, db)
            columns[change.row.table] = known
            for column in known {
                for case .integer(let number) in change.values(ofColumn: column) { found.insert(number) }
            }
        }
        return found
    }

    /// The columns of a table that name rows of another one, its own numbers included.
    private static func columns(of table: String, naming other: String, _ db: Database) throws -> [Int] {
        let names = try db.columns(in: table).map(\.name)
        let references = try db.foreignKeys(on: table)
            .filter { $0.destinationTable == other }.compactMap(\.originColumns.first)
        return ((table == other ? ["id"] : []) + references).compactMap { names.firstIndex(of: $0) }
    }
}

extension RowChange {
    /// A link that nobody's hand has made. No other column of these rows can hold a rule's way of linking.
    fileprivate var isRuleLink: Bool {
        row.table == "history"
            && (old + new).contains { value in
                value == .text(Array("new-address".utf8)) || value == .text(Array("arrival".utf8))
            }
    }
}
