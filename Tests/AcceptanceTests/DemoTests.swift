import Foundation
import Testing

/// The mail of the demonstration, all 47 copies, against what its author expects
/// of each message.
@Suite(.timeLimit(.minutes(20)))
struct DemoTests {
    struct Expected: Decodable {
        struct Totals: Decodable {
            var copies: Int
            var review: Int
            var historyEntries: Int
        }
        struct Message: Decodable {
            struct Link: Decodable {
                var contact: String
            }
            var messageId: String?
            var subject: String?
            var direction: String
            var outcome: String
            var linked: [Link]?
            var reviewAddress: String?
            var reason: String?
        }
        var folders: [String: [String: Int]]
        var totals: Totals
        var messages: [Message]
    }

    static let fixtures = Program.root.appendingPathComponent("Fixtures")

    @Test func everyMessageOfTheDemonstrationEndsWhereItBelongs() async throws {
        let expected = try Answers.decoder.decode(
            Expected.self, from: Data(contentsOf: Self.fixtures.appendingPathComponent("demo/expected.json")))
        try await Installation.withServer { firma in
            try await firma.setUpUsers()
            try await firma.succeed(
                "contact", "import", Self.fixtures.appendingPathComponent("demo/contacts.csv").path)
            let copies = try await Self.deliver(to: firma.server)
            #expect(copies == expected.totals.copies)

            let answer = try await firma.sync()
            for (user, folders) in expected.folders {
                let account = try answer.account(user)
                #expect(account.fetched == folders.values.reduce(0, +))
                #expect(account.quarantined == 0)
                #expect(account.error == nil)
                #expect(
                    account.linked + account.review + account.duplicates + account.ignored == account.fetched)
            }

            let queue = try await firma.queue()
            let waiting = expected.messages.filter { $0.outcome == "review" }
            #expect(queue.count == waiting.count)
            #expect(
                Set(queue.map { "\($0.messageId ?? "-") \($0.address ?? "-") \($0.direction) \($0.reason)" })
                    == Set(
                        waiting.map {
                            "\($0.messageId ?? "-") \($0.reviewAddress ?? "-") \($0.direction) \($0.reason ?? "-")"
                        }))

            let contacts = try await firma.succeed("contact", "list", "--json").decoded(
                [Answers.Contact].self)
            var entries = 0
            for contact in contacts where contact.kind != "organisation" {
                let name = contact.externalId ?? "-"
                let history = try await firma.history(of: contact.id)
                let linked = expected.messages.filter { message in
                    message.linked?.contains { $0.contact == name } == true
                }
                entries += history.count
                #expect(
                    Set(history.map { $0.subject ?? "" }) == Set(linked.map { $0.subject ?? "" }),
                    "the history of \(name)")
                #expect(history.count == linked.count, "the history of \(name)")
            }
            #expect(entries == expected.totals.historyEntries)
            try await firma.succeed("verify")
        }
    }

    /// Delivers each folder's messages in the order of mailboxes.txt; returns how many.
    private static func deliver(to server: MailServer) async throws -> Int {
        let list = try String(
            contentsOf: fixtures.appendingPathComponent("demo/mailboxes.txt"), encoding: .utf8)
        var folders: [[String]: [Data]] = [:]
        for line in list.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            try #require(words.count == 3, "mailboxes.txt: \(line)")
            let message = try Data(contentsOf: fixtures.appendingPathComponent("eml/\(words[2])"))
            folders[[words[0], words[1]], default: []].append(message)
        }
        for (place, messages) in folders {
            try await server.deliver(messages, to: place[0], folder: place[1])
        }
        return folders.values.reduce(0) { $0 + $1.count }
    }
}
