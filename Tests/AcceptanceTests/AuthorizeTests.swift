import Foundation
import MailTestKit
import Testing

/// `account authorize` against a stub of the provider, and the tokens against Dovecot's own check.
struct AuthorizeTests {
    /// An installation whose mailbox `anna` waits for its authorization.
    private func withUnauthorized(
        _ body: (Installation, StubTokenServer) async throws -> Void
    ) async throws {
        let provider = try StubTokenServer()
        defer { provider.stop() }
        try await Installation.withServer(oauth2: provider.url("introspect")) { firma in
            try await firma.succeed("init")
            try firma.allowLoopback()
            let client = """

                [oauth.custom]
                client_id = "client"
                client_secret_file = "client.secret"
                authorization_url = "\(provider.url("authorize"))"
                token_url = "\(provider.url("token"))"
                device_url = "\(provider.url("device"))"
                scope = "mail"

                """
            let configuration = try String(contentsOf: firma.configuration, encoding: .utf8)
            try Data((configuration + client).utf8).write(to: firma.configuration)
            try Data("marker-client\n".utf8).write(
                to: firma.directory.appendingPathComponent("client.secret"))
            try await firma.succeed(
                "account", "add", "--preset", "custom", "--name", "anna", "--user", "anna",
                "--email", "anna@firma.example", "--login", "anna",
                "--imap-host", "127.0.0.1", "--imap-port", firma.server.imapsPort,
                "--ca-file", firma.server.certificateAuthority)
            try await FirmaMail.deliver(to: firma.server)
            try await body(firma, provider)
        }
    }

    private func expectNoTokens(in outcome: Program.Outcome) {
        for text in [outcome.output, outcome.errors] {
            for marker in [
                "marker-access", "marker-refresh", "marker-client", "marker-code", "marker-device",
            ] {
                #expect(!text.contains(marker))
            }
        }
    }

    @Test func theDeviceFlowEndsInAMailboxThatIsPolled() async throws {
        try await withUnauthorized { firma, provider in
            provider.keepDeviceWaiting(times: 1)
            let authorized = try await firma.succeed("account", "authorize", "anna", "--device")
            #expect(authorized.output.contains("https://id.example/device"))
            #expect(authorized.output.contains("ABCD-EFGH"))
            expectNoTokens(in: authorized)
            let trace = firma.directory.appendingPathComponent("trace").path
            let sync = try await firma.succeed("sync", "--json", "--trace", trace)
            #expect(try sync.decoded(Answers.Sync.self).account("anna").fetched == 5)
            expectNoTokens(in: sync)
            #expect(try !String(contentsOfFile: trace, encoding: .utf8).contains("marker"))
            expectNoTokens(in: try await firma.succeed("account", "show", "anna"))
            expectNoTokens(in: try await firma.succeed("account", "check", "anna"))
            #expect(provider.requests.contains { $0.path == "/introspect" })
        }
    }

    @Test func theBrowserIsSentBackAndTheTokenIsStoredEncrypted() async throws {
        try await withUnauthorized { firma, provider in
            let process = Process()
            process.executableURL = Program.executable
            process.arguments = ["--config", firma.configuration.path, "account", "authorize", "anna"]
            let output = Pipe()
            process.standardOutput = output
            try Program.launch(process)
            var text = ""
            while !text.contains("code_challenge_method"), process.isRunning {
                text += String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            }
            let address = try #require(text.split(separator: "\n").last { $0.hasPrefix("http") })
            let page = try #require(StubBrowser.consent(to: String(address)))
            #expect(StubBrowser.visit(page)?.contains("You can close this page") == true)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
            #expect(provider.tokenRequests.first?["code"] == "marker-code")
            #expect(provider.tokenRequests.first?["client_secret"] == "marker-client")
            #expect(try await firma.sync().account("anna").fetched == 5)
            let files = FileManager.default.enumerator(at: firma.data, includingPropertiesForKeys: nil)
            var searched = 0
            while let file = files?.nextObject() as? URL {
                guard let content = try? Data(contentsOf: file) else { continue }
                searched += 1
                #expect(content.range(of: Data("marker-refresh".utf8)) == nil)
                #expect(content.range(of: Data("marker-access".utf8)) == nil)
            }
            #expect(searched > 1)
        }
    }

    @Test func aRevokedMailboxSaysWhatItsUserHasToDo() async throws {
        try await withUnauthorized { firma, provider in
            try await firma.succeed("account", "authorize", "anna", "--device")
            provider.revoke("marker-refresh-1")
            let sync = try await firma.run("sync")
            #expect(sync.status == 1)
            #expect(sync.errors.contains("mailworker account authorize anna"))
            expectNoTokens(in: sync)
            let list = try await firma.succeed("account", "list")
            #expect(list.output.contains("after its user has acted"))
            try await firma.succeed("account", "authorize", "anna", "--device")
            #expect(try await firma.sync().account("anna").fetched == 5)
        }
    }

    @Test func whatTheServerRefusesIsSaidWithItsRemedy() async throws {
        try await withUnauthorized { firma, provider in
            try await firma.succeed("account", "authorize", "anna", "--device")
            // The token is good, and is another user's.
            try await firma.succeed("account", "edit", "anna", "--login", "boris")
            let check = try await firma.run("account", "check", "anna")
            #expect(check.status == 69)
            #expect(check.output.contains("did not accept the access token"))
            expectNoTokens(in: check)
        }
    }

    @Test func aProviderWithoutAVerifiedCertificateIsSentNothing() async throws {
        try await withUnauthorized { firma, provider in
            // Any TLS server that is no web service shows how far a request comes.
            let address = "https://127.0.0.1:\(firma.server.imapsPort)/device"
            let configuration = try String(contentsOf: firma.configuration, encoding: .utf8)
                .replacingOccurrences(of: provider.url("device"), with: address)
            try Data(configuration.utf8).write(to: firma.configuration)
            let trusted = try await firma.run("account", "authorize", "anna", "--device")
            #expect(trusted.status == 69)
            #expect(trusted.errors.contains("does not answer like a web service"))
            try await firma.succeed("account", "edit", "anna", "--ca-file", "")
            let strange = try await firma.run("account", "authorize", "anna", "--device")
            #expect(strange.status == 69)
            #expect(strange.errors.contains("certificate could not be verified"))
            expectNoTokens(in: trusted)
            expectNoTokens(in: strange)
        }
    }

    @Test func anUnansweredPasteAndAnUnregisteredProviderAreNamed() async throws {
        try await withUnauthorized { firma, _ in
            let paste = try await firma.run(
                "account", "authorize", "anna", "--paste", input: "http://127.0.0.1/?code=c&state=s\n")
            #expect(paste.status == 69)
            #expect(paste.errors.contains("not the address that the browser was sent to"))
            try await firma.succeed("account", "edit", "anna", "--preset", "yandex")
            let unregistered = try await firma.run("account", "authorize", "anna")
            #expect(unregistered.status == 78)
            #expect(unregistered.errors.contains("[oauth.yandex]"))
        }
    }
}
