import Foundation
import MailTestKit
import Testing

/// `account add --email` alone, with a name server of ours and a real Dovecot behind what it tells.
@Suite(.timeLimit(.minutes(20)))
struct DiscoveryTests {
    private func withFirma(
        _ answer: @escaping @Sendable (StubNameServer.Question, MailServer) -> StubNameServer.Answer,
        _ body: (Installation, StubNameServer) async throws -> Void
    ) async throws {
        try await Installation.withServer { firma in
            let server = firma.server
            let names = try StubNameServer { answer($0, server) }
            defer { names.stop() }
            try await firma.succeed("init")
            try firma.allowLoopback()
            var text = try String(contentsOf: firma.configuration, encoding: .utf8)
            text = text.split(separator: "\n", omittingEmptySubsequences: false)
                .filter { !$0.hasPrefix("ports =") && !$0.hasPrefix("autoconfig =") }.joined(separator: "\n")
            text = text.replacingOccurrences(
                of: "\n[network]\n",
                with: """


                    [network]
                    dns = ["\(names.address)"]
                    ports = [\(server.imapsPort)]
                    autoconfig = []

                    """)
            try Data(text.utf8).write(to: firma.configuration)
            try await body(firma, names)
        }
    }

    private static func services(_ question: StubNameServer.Question, _ server: MailServer)
        -> StubNameServer.Answer
    {
        guard question.name == "_imaps._tcp.firma.example", let port = Int(server.imapsPort) else {
            return .code(3)
        }
        return .records([.srv(priority: 0, weight: 0, port: port, "localhost")])
    }

    @Test func anAddressAloneLeadsToMailInHistoryOnceItWasAgreedTo() async throws {
        try await withFirma(Self.services) { firma, _ in
            let password = try #require(MailServer.passwords["anna"]) + "\n"
            let arguments = [
                "account", "add", "--email", "anna@firma.example", "--login", "anna", "--ca-file",
                firma.server.certificateAuthority, "--password-file", "-",
            ]
            // Nobody can be asked here: nothing is used, and what was found is said.
            let unasked = try await firma.run(arguments, input: password)
            #expect(unasked.status == 64 && unasked.errors.contains("--yes"))
            #expect(unasked.output.contains("imap: localhost:\(firma.server.imapsPort) (tls)"))
            #expect(unasked.output.contains("does not belong to firma.example"))
            #expect(try await firma.succeed("account", "list").output.contains("No accounts"))

            let added = try await firma.run(arguments + ["--yes"], input: password)
            #expect(added.status == 0, "\(added.errors)")
            try await FirmaMail.deliver(to: firma.server)
            for user in ["anna", "boris"] { try await firma.succeed("user", "add", user) }
            try await firma.importContacts()
            #expect(try await firma.sync().account("anna@firma.example").fetched == 5)
        }
    }

    @Test func aCompanysDomainAtAProviderIsRecognised() async throws {
        try await withFirma({ question, _ in
            question.kind == 15 ? .records([.mx(10, "mx.yandex.net")]) : .code(3)
        }) { firma, names in
            let shown = try await firma.succeed("account", "discover", "anna@firma.example")
            #expect(shown.output.contains("Yandex 360") && shown.output.contains("imap.yandex.ru:993 (tls)"))
            struct Found: Decodable {
                var preset: String
                var foundBy: String
                var login: String
            }
            let found = try await firma.succeed("account", "discover", "anna@firma.example", "--json")
                .decoded(Found.self)
            #expect(found.preset == "yandex" && found.foundBy == "mx" && found.login == "anna@firma.example")
            // Of the address nothing but the domain leaves the machine.
            #expect(names.questions.allSatisfy { $0.name == "firma.example" })
            try await firma.succeed("account", "add", "--email", "anna@firma.example", "--yes")
            let listed = try await firma.succeed("account", "show", "anna@firma.example")
            #expect(listed.output.contains("preset: yandex"))
        }
    }

    @Test func whatNothingTellsOfEndsWithWhatToDo() async throws {
        try await withFirma({ _, _ in .code(3) }) { firma, _ in
            let outcome = try await firma.run("account", "discover", "anna@firma.example")
            #expect(outcome.status == 69 && outcome.errors.contains("--imap-host"))
        }
        try await withFirma({ _, _ in .code(2) }) { firma, _ in
            let outcome = try await firma.run("account", "discover", "anna@firma.example")
            #expect(outcome.status == 75 && outcome.errors.contains("[network] dns"))
        }
    }
}
