import Foundation
import Testing

/// Words that a person edits, through the whole program.
@Suite(.timeLimit(.minutes(20)))
struct EditCommandTests {
    private struct Shown: Decodable {
        struct Edit: Decodable {
            var by: String
            var parts: [String]
            var mayReadOriginal: Bool
        }
        var subject: String?
        var text: String?
        var edited: Edit?
    }

    @Test func whatIsEditedIsReadByEverybodyAndTheOriginalByItsUser() async throws {
        try await Installation.withServer { firma in
            try await firma.succeed("init")
            for name in ["anna", "boris"] {
                try await firma.succeed(
                    "user", "add", name, "--email", "\(name)@firma.example", "--role", "manager")
            }
            let mail = firma.directory.appendingPathComponent("mail.eml")
            try FirmaMail.fromClient.bytes.write(to: mail)
            try await firma.succeed("import", mail.path)
            let item = try #require(try await firma.queue().first)

            let before = try await firma.succeed("queue", "edit", item.id, "--print").output
            #expect(before.contains("Письмо на проверку."))
            let text = before.replacingOccurrences(of: "на проверку", with: "без лишнего")
            let edit = try await firma.succeed(
                "queue", "edit", item.id, "--text-file", "-", "--subject", "Правка", input: text)
            let way = try #require(edit.output.firstMatch(of: /to take it back: mailworker undo ([0-9]+)/))
            #expect(
                try await firma.succeed("audit", "list", "--limit", "1").output.contains("queue edit"))
            try await firma.succeed("contact", "add", "--name", "Ivan", "--email", "ivan@klient.example")
            let entry = try #require(try await firma.history(of: "Ivan").first)
            #expect(entry.subject == "Правка")
            #expect(try await firma.succeed("search", "лишнее").output.contains("Правка"))
            #expect(try await firma.succeed("search", "проверка").output.contains("Nothing was found"))
            let page = try await firma.succeed("message", "show", entry.message).output
            #expect(page.contains("Письмо без лишнего.") && page.contains("Edited: subject and text by "))
            let shown = try await firma.succeed("message", "show", entry.message, "--json").decoded(
                Shown.self)
            #expect(
                shown.text?.contains("без лишнего") == true && shown.edited?.parts == ["subject", "text"])
            let original = try await firma.succeed("message", "original", entry.message).output
            #expect(Data(original.utf8) == FirmaMail.fromClient.bytes)
            try await firma.succeed("message", "attachment", entry.message, "1")
            #expect(try await firma.succeed("verify").output.contains("проверку") == false)

            // The contact was made by then, and is in nobody's way.
            try await firma.succeed("undo", String(way.1))
            #expect(try await firma.succeed("search", "проверка").output.contains("Договор"))
            #expect(try await firma.succeed("search", "лишнее").output.contains("Nothing was found"))
            let refused = try await firma.run("message", "edit", entry.message, "--revert")
            #expect(refused.status != 0 && refused.errors.contains("was not edited"))
            let nothing = try await firma.run("message", "edit", entry.message)
            #expect(nothing.status == 64)
            try await firma.succeed("verify")
        }
    }
}
