import Foundation
import GRDB
import MailModel

/// What the full-text index holds of a message besides its text, as its rows have it now.
struct IndexedFacts: Equatable {
    /// The columns of the index, in its spelling.
    var subject, people, blind, files: String?

    /// Asks within one transaction.
    struct Query {
        private let participants, attachments: PreparedStatement

        init(_ db: Database) throws {
            participants = try PreparedStatement(
                db, "SELECT role, email, name FROM participants WHERE message = ? ORDER BY position")
            attachments = try PreparedStatement(
                db,
                "SELECT filename FROM attachments WHERE message = ? AND filename IS NOT NULL ORDER BY position"
            )
        }

        func facts(of message: ArchivedMessageID, subject: String?) throws -> IndexedFacts {
            var people: [String] = []
            var blind: [String] = []
            participants.bind(1, message.rawValue)
            try participants.forEachRow { row in
                let party = [row.optionalText(2), row.text(1)].compactMap { $0 }.joined(separator: " ")
                if row.text(0) == "bcc" { blind.append(party) } else { people.append(party) }
            }
            var files: [String] = []
            attachments.bind(1, message.rawValue)
            try attachments.forEachRow { files.append($0.text(0)) }
            return IndexedFacts(
                subject: subject?.precomposed, people: Self.joined(people), blind: Self.joined(blind),
                files: Self.joined(files))
        }

        private static func joined(_ texts: [String]) -> String? {
            texts.isEmpty ? nil : texts.joined(separator: "\n").precomposed
        }
    }
}
