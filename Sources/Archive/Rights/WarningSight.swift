import GRDB
import MailModel
import Matcher

/// What a viewer is told of whom an address could be taken for, within one transaction: a contact whom they do not see is
/// not named to them.
struct WarningSight {
    private let sight: Sight
    private let hasAddress, hasDomain, isOwn, isOwnAddress: PreparedStatement

    init(_ db: Database, _ sight: Sight) throws {
        self.sight = sight
        hasAddress = try PreparedStatement(
            db,
            """
            SELECT 1 FROM addresses a JOIN contact_addresses ca ON ca.address = a.id
                JOIN contacts c ON c.id = ca.contact
            WHERE a.canonical = ? AND \(sight.sees(contact: "c")) LIMIT 1
            """)
        hasDomain = try PreparedStatement(
            db,
            """
            SELECT 1 FROM contact_addresses ca JOIN contacts c ON c.id = ca.contact
            WHERE ca.domain = ? AND \(sight.sees(contact: "c")) LIMIT 1
            """)
        isOwn = try PreparedStatement(
            db,
            """
            SELECT 1 FROM addresses a WHERE substr(a.canonical, instr(a.canonical, '@') + 1) = ?
                AND a.id IN (SELECT address FROM users UNION SELECT address FROM accounts) LIMIT 1
            """)
        isOwnAddress = try PreparedStatement(
            db,
            """
            SELECT 1 FROM addresses a WHERE a.canonical = ?
                AND a.id IN (SELECT address FROM users UNION SELECT address FROM accounts) LIMIT 1
            """)
    }

    /// A warning that names nobody whom the viewer does not see.
    func shown(_ lookAlike: LookAlike) throws -> LookAlike {
        guard let known = lookAlike.known, try !shows(known) else { return lookAlike }
        var shown = lookAlike
        shown.known = Self.somebody
        return shown
    }

    /// The same for the words of the queue.
    func shown(_ reason: String) throws -> String {
        guard sight.rights != nil, let warning = LookAlike.known(inWarning: reason),
            try !shows(String(warning))
        else { return reason }
        return reason.dropLast(warning.count) + Self.somebody
    }

    private static let somebody = "one that is known"

    private func shows(_ known: String) throws -> Bool {
        if sight.rights == nil || PublicMailDomain.contains(known) { return true }
        for query in known.contains("@") ? [hasAddress, isOwnAddress] : [hasDomain, isOwn] {
            try query.bind(1, known)
            if try query.first({ _ in true }) != nil { return true }
        }
        return false
    }
}
