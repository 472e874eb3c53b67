import GRDB
import MailModel
import Matcher

/// What a contact may be given. What is longer is no name: it is a damaged file, and would make every listing useless.
enum ContactLimits {
    private static let longestName = 500
    private static let longestWord = 200

    /// - Throws: `value.invalid`.
    static func check(
        name: String?, externalID: String?, organisation: String? = nil, _ details: ContactDetails
    ) throws {
        try check(name, "name", longestName)
        try check(externalID, "external id", longestName)
        try check(organisation, "organisation", longestName)
        try check(details.type, "type", longestWord)
        for tag in details.tags { try check(tag, "tag", longestWord) }
        for phone in details.phones { try check(phone, "telephone number", longestWord) }
    }

    private static func check(_ text: String?, _ what: String, _ longest: Int) throws {
        guard let text, text.utf8.count > longest, text.unicodeScalars.count > longest else { return }
        throw MailFailure.invalid(
            "The \(what) is too long", "\(text.prefix(40))…, \(text.unicodeScalars.count) characters",
            remedy: "Keep at most \(longest).")
    }

    /// - Throws: `value.invalid` when a contact would belong to itself, be it by way of other organisations.
    static func check(
        _ contact: ContactID, in organisation: ContactID, _ name: String?, _ db: Database
    ) throws {
        guard organisation != contact else {
            throw MailFailure.invalid(
                "A contact cannot be its own organisation", name, remedy: "Name another one, or none.")
        }
        let belongsToIt = try Bool.fetchOne(
            db,
            sql: """
                WITH RECURSIVE above(id) AS (
                    SELECT ?1 UNION
                    SELECT c.organisation FROM contacts c JOIN above ON c.id = above.id
                    WHERE c.organisation IS NOT NULL)
                SELECT 1 FROM above WHERE id = ?2
                """, arguments: [organisation.rawValue, contact.rawValue])
        guard belongsToIt == nil else {
            throw MailFailure.invalid(
                "Organisations cannot belong to each other in a circle", name,
                remedy: "Take the other one out of this one first.")
        }
    }
}
