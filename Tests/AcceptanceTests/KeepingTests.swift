import Foundation
import Testing

/// Backup, restore, erasure and the audit log, with the program and a real server.
@Suite(.timeLimit(.minutes(20)))
struct KeepingTests {
    @Test func whatIsRestoredIsPolledOnWithoutLossOrDouble() async throws {
        try await Installation.withFirma { firma in
            try await firma.server.deliver([FirmaMail.fromClient.bytes], to: "anna")
            _ = try await firma.sync()
            let backup = firma.directory.appendingPathComponent("backup").path
            try await firma.succeed("backup", backup)
            try await firma.server.deliver([Self.mail(1), Self.mail(2)], to: "anna")
            _ = try await firma.sync()
            let undisturbed = try await firma.endState()

            let refused = try await firma.run("restore", backup)
            #expect(refused.status == 64)
            try FileManager.default.removeItem(at: firma.data)
            try await firma.succeed("restore", backup)
            #expect(try await firma.endState() != undisturbed)
            let behind = try await firma.run("verify", "--server")
            #expect(behind.status == 1)
            #expect(behind.output.contains("UID 2:3"))

            let fetched = try await firma.sync().accounts.reduce(0) { $0 + $1.fetched }
            #expect(fetched == 2)
            #expect(try await firma.endState() == undisturbed)
            let whole = try await firma.succeed("verify", "--server")
            #expect(whole.output.contains("complete"))
        }
    }

    @Test func whoIsErasedStaysAwayFromEveryFileAndComesBackByNoPoll() async throws {
        try await Installation.withFirma { firma in
            try await firma.server.deliver([Self.mail(7, from: "jane@lead.example")], to: "anna")
            try await firma.server.deliver([Self.mail(7, from: "jane@lead.example")], to: "boris")
            _ = try await firma.sync()
            let dry = try await firma.succeed("contact", "erase", "jane@lead.example")
            #expect(dry.output.contains("Nothing was changed"))
            #expect(try await firma.history(of: "jane@lead.example").count == 1)
            // Whoever may not administer erases nothing.
            let refused = try await firma.run(
                "contact", "erase", "jane@lead.example", "--yes", "--as", "anna")
            #expect(refused.status == 69 && refused.errors.contains("role"))
            try await firma.succeed("user", "edit", "anna", "--role", "administrator")
            try await firma.succeed("contact", "erase", "jane@lead.example", "--yes", "--as", "anna")
            // Moved by its owner, and so new to the server.
            try await firma.server.deliver([Self.mail(7, from: "jane@lead.example")], to: "anna")
            _ = try await firma.sync()
            #expect(try await firma.queue().isEmpty)
            try await firma.succeed("verify")
            for file in try FileManager.default.subpathsOfDirectory(atPath: firma.data.path) {
                let bytes = try? Data(contentsOf: firma.data.appendingPathComponent(file))
                for word in ["Keeping 7", "jane@lead.example"] {
                    #expect(bytes?.range(of: Data(word.utf8)) == nil, "\(word) in \(file)")
                }
            }
            let log = try await firma.succeed("audit", "list", "--limit", "1")
            #expect(log.output.contains("contact erase") && log.output.contains("anna ("))
            #expect(!log.output.contains("jane"))
        }
    }

    private static func mail(_ number: Int, from: String = "ivan@klient.example") -> Data {
        Data(
            """
            From: \(from)\r
            To: anna@firma.example\r
            Subject: Keeping \(number)\r
            Message-ID: <keeping-\(number)@klient.example>\r
            Date: Mon, 06 May 2024 10:00:00 +0000\r
            \r
            Keeping \(number)\r\n
            """.utf8)
    }
}
