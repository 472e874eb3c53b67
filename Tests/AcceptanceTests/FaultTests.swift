import Foundation
import MailTestKit
import Testing

/// The short forms of scripts/torture; docs/RELIABILITY.md has the long ones.
@Suite(.timeLimit(.minutes(20)))
struct FaultTests {
    /// Words of the command, and how its account of itself begins.
    static let tortures = [
        (words: ["sweep", "quick"], result: "import: "),
        (words: ["ingest", "5", "1"], result: "ingest: 5 kills"),
        (words: ["pair", "4", "1"], result: "pair: 4 kills"),
        (words: ["send", "quick"], result: "send: 4 kills"),
        (words: ["disk", "quick"], result: "disk: "),
        (words: ["power", "quick"], result: "power: "),
        (words: ["bits", "6", "60"], result: "bits: 6 flips"),
        (words: ["network", "quick"], result: "network: "),
    ]

    @Test(arguments: tortures)
    func everyFaultEndsAsIfThereHadBeenNone(words: [String], result: String) async throws {
        await Turnstile.shared.enter()
        defer { Task { await Turnstile.shared.leave() } }
        let outcome = try await Program.run(
            Program.root.appendingPathComponent("scripts/torture"), words,
            environment: ["MAILWORKER_BINARY": Program.executable.path],
            in: FileManager.default.temporaryDirectory)
        #expect(outcome.status == 0, "\(outcome.errors)")
        // The disk's and the sweep's lines on single faults come before.
        #expect(
            outcome.output.split(separator: "\n").contains { $0.hasPrefix(result) }, "\(outcome.output)")
    }

    @Test func aPlaceToStopThatCannotBeReadIsRefused() async throws {
        try await Installation.withServer { firma in
            try await firma.succeed("init")
            let outcome = try await Program.run(
                Program.executable, ["--config", firma.configuration.path, "sync"],
                environment: ["MAILWORKER_STOP_AT": "here"], in: firma.directory)
            #expect(outcome.status == 78)
            #expect(outcome.errors.contains("MAILWORKER_STOP_AT"))
        }
    }

    /// From here on more must be free than any disk has.
    ///
    /// - Returns: the configuration as it was.
    @discardableResult
    private static func demandRoom(_ firma: Installation) throws -> String {
        let roomy = try String(contentsOf: firma.configuration, encoding: .utf8)
        let narrow = roomy.replacingOccurrences(
            of: "[archive]\n", with: "[archive]\nmin_free_megabytes = 1000000\n")
        try Data(narrow.utf8).write(to: firma.configuration)
        return roomy
    }

    @Test func withoutRoomOnTheDiskNothingIsFetchedAndEverythingIsRead() async throws {
        try await Installation.withFirma { firma in
            try await FirmaMail.deliver(to: firma.server)
            _ = try await firma.sync()
            let before = try await firma.endState()
            let roomy = try Self.demandRoom(firma)
            try await firma.server.deliver([FirmaMail.fromClient.bytes], to: "boris")

            let sync = try await firma.run("sync", "--json")
            #expect(sync.status == 1)
            #expect(sync.errors.contains("min_free_megabytes"))
            #expect(try sync.decoded(Answers.Sync.self).accounts.allSatisfy { $0.error != nil })
            let doctor = try await firma.run("doctor")
            #expect(doctor.status == 1 && doctor.output.contains("MEND  disk"), "\(doctor.output)")
            for words in [["list"], ["list", "--json"], ["show", "anna"]] {
                let accounts = try await firma.run(["account"] + words)
                #expect(accounts.output.contains("min_free_megabytes"), "\(accounts.output)")
            }
            #expect(try await firma.endState() == before)

            try Data(roomy.utf8).write(to: firma.configuration)
            #expect(try await firma.sync().accounts.map(\.fetched).reduce(0, +) == 1)
        }
    }

    @Test func withoutRoomOnTheDiskMailIsSentAllTheSame() async throws {
        let smtp = try ScriptedSMTPServer()
        defer { smtp.stop() }
        try await Installation.withFirma { firma in
            try await firma.succeed(
                "account", "edit", "anna", "--smtp-host", "127.0.0.1", "--smtp-port", String(smtp.port),
                "--smtp-security", "none")
            try Self.demandRoom(firma)
            #expect(try await firma.run("sync").status == 1)
            let text = firma.directory.appendingPathComponent("text")
            try Data("Text\n".utf8).write(to: text)
            try await firma.succeed(
                "send", "--wait", "--account", "anna", "--to", "ivan@klient.example", "--subject",
                "Without room", "--text", text.path)
            #expect(smtp.received.map(\.recipients) == [["ivan@klient.example"]])
            let history = try await firma.history(of: "ivan@klient.example")
            #expect(history.map(\.subject) == ["Without room"])
        }
    }
}
