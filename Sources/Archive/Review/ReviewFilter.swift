import GRDB
public import MailModel
public import Matcher

/// Which open items a listing shows; what is nil does not limit it.
public struct ReviewFilter: Sendable, Hashable {
    /// Only what waits under it.
    public var address: EmailAddress?
    /// Only what this account has a copy of.
    public var account: String?
    public var direction: Direction?
    /// By the message's date: not older, and older.
    public var since: UnixTime?
    public var until: UnixTime?
    public var kind: ReviewKind?
    /// What a person wrote, or a list, a program or a mail system sent.
    public var category: MessageCategory?

    public init() {}

    public init(address: EmailAddress?) { self.address = address }

    /// Apart from the account, as conditions on `w`, a row of `waiting`.
    var conditions: (sql: String, arguments: StatementArguments) {
        var parts: [String] = []
        var arguments: StatementArguments = []
        if let address {
            parts.append("w.address = (SELECT id FROM addresses WHERE canonical = ?)")
            arguments += [CanonicalAddress(address).rawValue]
        }
        if let direction {
            parts.append("w.direction = ?")
            arguments += [direction.rawValue]
        }
        if let since {
            parts.append("w.sort_date >= ?")
            arguments += [since.rawValue]
        }
        if let until {
            parts.append("w.sort_date < ?")
            arguments += [until.rawValue]
        }
        if let kind {
            parts.append("w.kind = ?")
            arguments += [kind.rawValue]
        }
        if let category {
            parts.append(
                """
                EXISTS (SELECT 1 FROM review_items i_ JOIN messages m_ ON m_.id = i_.message
                    WHERE i_.id = w.item AND m_.category = ?)
                """)
            arguments += [category.rawValue]
        }
        return (parts.isEmpty ? "1" : parts.joined(separator: " AND "), arguments)
    }
}
