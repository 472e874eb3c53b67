import ArgumentParser
import Testing

@testable import mailworker

/// Whoever changes something stands in the audit log: a new command is a `HumanAction`, or is named here.
struct HumanActionTests {
    /// They change nothing that a person decides; `sync` and `run` do the worker's own work.
    static let readers: Set<String> = [
        "config keys", "user list", "user token list", "department list", "role list", "account discover",
        "account list", "account show", "account folders", "contact list", "contact show", "contact export",
        "contact duplicates", "contact why-not", "contact lookup", "run", "sync", "queue list", "queue show",
        "history", "message show", "message original", "message attachment", "message explain", "search",
        "rule list", "rule dry-run", "undo list", "event list", "outbox list", "outbox show",
        "suppression list", "template list",
        "template show", "template preview", "parse", "parse-worker", "verify", "doctor", "audit list",
    ]

    private static func leaves(
        _ command: any ParsableCommand.Type, _ path: [String] = []
    ) -> [(name: String, type: any ParsableCommand.Type)] {
        let configuration = command.configuration
        let below = configuration.subcommands
        let name = path.joined(separator: " ")
        guard !below.isEmpty else { return [(name, command)] }
        return below.flatMap { leaves($0, path + [$0._commandName]) }
    }

    @Test func everyCommandIsAnActionOrAReader() {
        let leaves = Self.leaves(Mailworker.self)
        #expect(leaves.count > 80)
        let actions = leaves.filter { $0.type is any HumanAction.Type }.map(\.name)
        let others = Set(leaves.map(\.name)).subtracting(actions)
        #expect(others.subtracting(Self.readers) == [], "changes without an entry, or new readers")
        #expect(Self.readers.subtracting(others) == [], "no such command, or one that changes something")
    }

    @Test func anActionIsNamedAsItIsTyped() {
        for (name, type) in Self.leaves(Mailworker.self) {
            guard let action = type as? any HumanAction.Type else { continue }
            #expect(action.action == name || name == "undo take-back")
        }
    }
}
