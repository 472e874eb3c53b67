import Foundation
import Testing

/// What changes contacts says how it is taken back, and what it says is so.
@Suite(.timeLimit(.minutes(20)))
struct ContactCommandTests {
    @Test func anImportAnEditAndAMergeSayHowTheyAreTakenBack() async throws {
        try await Installation.withServer { firma in
            try await firma.succeed("init")
            let file = firma.directory.appendingPathComponent("people.csv")
            try Data("name,emails\nIvan,ivan@klient.example\nIvan P.,ip@klient.example\n".utf8).write(
                to: file)
            let actions = [
                ["contact", "import", file.path], ["contact", "edit", "Ivan", "--name", "Ivan Petrov"],
                ["contact", "merge", "ivan@klient.example", "ip@klient.example", "--yes"],
            ]
            var ways: [String] = []
            for action in actions {
                let outcome = try await firma.run(action)
                #expect(outcome.status == 0, "\(outcome.errors)")
                let way = try #require(
                    outcome.output.firstMatch(of: /; to take it back: mailworker undo ([0-9]+)/),
                    "\(action) says \(outcome.output)")
                ways.append(String(way.1))
            }
            for way in ways.reversed() { try await firma.succeed("undo", way) }
            let left = try await firma.succeed("contact", "list", "--json").decoded([Answers.Contact].self)
            #expect(left.isEmpty)
            // What changes nothing leaves nothing to take back.
            let trial = try await firma.succeed("contact", "import", file.path, "--dry-run")
            #expect(!trial.output.contains("to take it back"))
        }
    }
}
