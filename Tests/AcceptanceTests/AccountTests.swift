import Foundation
import Testing

/// What an account can be told, and what becomes of its password.
@Suite(.timeLimit(.minutes(20)))
struct AccountTests {
    @Test func thePasswordIsNowhereInTheClear() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            _ = try await firma.sync()
            // `run` itself searches every output for the passwords.
            try await firma.succeed("account", "list")
            try await firma.succeed("account", "list", "--json")
            try await firma.succeed("account", "show", "anna")
            try await firma.succeed("account", "check", "anna")
            try await firma.run("doctor")
            let password = Data(try #require(MailServer.passwords["anna"]).utf8)
            let files = FileManager.default.enumerator(at: firma.directory, includingPropertiesForKeys: nil)
            var searched = 0
            while let file = files?.nextObject() as? URL {
                if file.path.hasPrefix(firma.server.directory.path) { continue }
                guard let content = try? Data(contentsOf: file) else { continue }
                searched += 1
                #expect(content.range(of: password) == nil, "the password is in \(file.lastPathComponent)")
            }
            #expect(searched > 3)
        }
    }

    @Test func theFoldersOfAMailboxAreListed() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            let outcome = try await firma.succeed("account", "folders", "anna")
            for folder in ["INBOX", "Sent", "Trash"] { #expect(outcome.output.contains(folder)) }
        }
    }

    @Test func aFurtherFolderIsPolledWhenNamedAndATrashFolderIsNot() async throws {
        try await Installation.withFirma { firma in
            try await firma.server.deliver([FirmaMail.fromClient.bytes], to: "anna", folder: "Clients")
            try await firma.server.deliver([FirmaMail.fromStranger.bytes], to: "anna", folder: "Trash")
            #expect(try await firma.sync().account("anna").fetched == 0)
            try await firma.succeed("account", "edit", "anna", "--folder", "Clients")
            let answer = try await firma.succeed("sync", "--account", "anna", "--json").decoded(
                Answers.Sync.self)
            #expect(try answer.account("anna").fetched == 1)
            #expect(try await firma.history(of: "Иван Петров").count == 1)
            #expect(try await firma.queue().isEmpty)
        }
    }

    @Test func mailOlderThanTheAccountsDayIsLeftAlone() async throws {
        try await Installation.withFirma { firma in
            // The day is compared with the server's: the day of delivery, which is later than 2020.
            try await FirmaMail.deliver(to: firma.server)
            try await firma.succeed("account", "edit", "anna", "--since", "2099-01-01")
            try await firma.succeed("account", "edit", "boris", "--since", "2020-01-01")
            let answer = try await firma.sync()
            #expect(try answer.account("anna").fetched == 0)
            #expect(try answer.account("boris").fetched == 2)
            try await firma.succeed("verify")
        }
    }

    @Test func anAccountOfTheConfigurationNeedsNoCommand() async throws {
        try await Installation.withServer { firma in
            try await firma.succeed("init")
            try firma.allowLoopback()
            let password = try #require(MailServer.passwords["anna"])
            try Data("\(password)\n".utf8).write(to: firma.directory.appendingPathComponent("anna.password"))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600],
                ofItemAtPath: firma.directory.appendingPathComponent("anna.password").path)
            let declared = """

                [[user]]
                name = "anna"
                email = "anna@firma.example"

                [[user]]
                name = "boris"

                [[account]]
                name = "anna"
                user = "anna"
                email = "anna@firma.example"
                preset = "custom"
                login = "anna"
                password_file = "anna.password"
                imap_host = "127.0.0.1"
                imap_port = \(firma.server.imapPort)
                imap_security = "starttls"
                ca_file = "\(firma.server.certificateAuthority)"

                """
            let configuration = try String(contentsOf: firma.configuration, encoding: .utf8)
            try Data((configuration + declared).utf8).write(to: firma.configuration)
            try await FirmaMail.deliver(to: firma.server)
            try await firma.importContacts()
            #expect(try await firma.sync().account("anna").fetched == 5)
        }
    }
}
