import Foundation

/// The JSON documents of the command line's contract: the fixed fields of each.
enum Answers {
    /// The contract's names are in snake case: `message_id`.
    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    struct Sync: Decodable {
        struct Account: Decodable, Equatable {
            var name: String
            var fetched: Int
            var linked: Int
            var review: Int
            var duplicates: Int
            var ignored: Int
            var quarantined: Int
            var error: String?
        }
        var accounts: [Account]
        var seconds: Double

        func account(_ name: String) throws -> Account {
            guard let found = accounts.first(where: { $0.name == name }) else {
                throw Program.Unexpected("the answer of sync has no account \(name)")
            }
            return found
        }
    }

    struct ReviewItem: Decodable, Hashable {
        struct Suggestion: Decodable, Hashable {
            var contact: String
            var name: String
            var reason: String
        }
        var id: String
        var address: String?
        var reason: String
        var account: String?
        var direction: String
        var messageId: String?
        var subject: String?
        var date: Int64?
        var suggestions: [Suggestion]
    }

    struct HistoryEntry: Decodable, Hashable {
        struct Attachment: Decodable, Hashable {
            var filename: String?
            var contentType: String
            var size: Int
            var sha256: String
        }
        var message: String
        var messageId: String?
        var subject: String?
        var date: Int64?
        var direction: String
        var from: String?
        var to: [String]
        var attachments: [Attachment]
        var linkedBy: String
    }

    struct Contact: Decodable, Hashable {
        var id: String
        var externalId: String?
        var kind: String
        var name: String
        var emails: [String]
        var owner: String?
        var doNotEmail: Bool
    }

    struct Parsed: Decodable, Hashable {
        var path: String
        var messageId: String?
        var subject: String?
        var from: [String]
        var to: [String]
        var cc: [String]
        var date: Int64?
        var text: String?
        var hasHtml: Bool
        var attachments: [HistoryEntry.Attachment]
        var defects: [String]
    }
}
