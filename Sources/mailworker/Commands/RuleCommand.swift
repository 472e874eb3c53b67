import Archive
import ArgumentParser
import MailModel
import Matcher

struct RuleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rule", abstract: "Standing decisions to ignore the mail of an address or a domain.",
        discussion: """
            Mail that would wait in the queue under an address that a rule covers is ignored: it stays in
            the archive, and no question is asked. Mail of a contact is never ignored. A change of rules
            reaches the mail that is here as well, and says what it has moved.
            """,
        subcommands: [
            RuleListCommand.self, RuleAddCommand.self, RuleEditCommand.self, RuleRemoveCommand.self,
            RuleDryRunCommand.self,
        ])
}

struct RuleListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The rules, with how many messages each has taken.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    func run() throws {
        let all = try Workplace(common, as: .rights).archive.ignoreRules()
        let rules = Array(all.prefix(listing.limit ?? .max))
        if listing.json { return Terminal.print(try JSONOutput.document(rules)) }
        var table = TextTable(["ID", "IGNORED", "SINCE", "BY", "PATTERN"])
        for rule in rules {
            table.add([
                rule.id.description, String(rule.ignored), rule.createdAt.shortText, rule.createdBy,
                rule.pattern,
            ])
        }
        Terminal.print(table.isEmpty ? "There are no rules." : table.text)
    }
}

struct RuleAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Ignores the mail of an address or a domain from now on.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "An address, or a domain such as shop.example.")
    var pattern: String

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let (id, changes) = try archive.addRule(try RulePattern(pattern), by: Actor.name)
        Terminal.print("added rule \(id)\(changes.text)\(Actor.wayBack)")
    }
}

struct RuleEditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Has a rule be about another address or domain.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The rule's id, or what it is about.")
    var rule: String

    @Argument(help: "An address, or a domain.")
    var pattern: String

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let changes = try archive.editRule(
            try archive.ignoreRule(rule).id, try RulePattern(pattern), by: Actor.name)
        Terminal.print("changed\(changes.text)\(Actor.wayBack)")
    }
}

struct RuleRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Ends a rule; what it has taken waits again.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The rule's id, or what it is about.")
    var rule: String

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let changes = try archive.removeRule(try archive.ignoreRule(rule).id, by: Actor.name)
        Terminal.print("removed\(changes.text)\(Actor.wayBack)")
    }
}

struct RuleDryRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dry-run", abstract: "What a change of rules would do to the archive; changes nothing.",
        discussion: """
            Without an option: if there were a rule for these addresses and domains.
              mailworker rule dry-run shop.example news@else.example
              mailworker rule dry-run --remove shop.example
              mailworker rule dry-run --edit shop.example news@shop.example
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    @Argument(help: "Addresses and domains.")
    var patterns: [String] = []

    @Option(help: ArgumentHelp("If this rule were about the one pattern that is named.", valueName: "rule"))
    var edit: String?

    @Option(help: ArgumentHelp("If this rule were removed.", valueName: "rule"))
    var remove: String?

    func validate() throws {
        switch (edit, remove) {
        case (nil, nil) where !patterns.isEmpty: break
        case (.some, nil) where patterns.count == 1: break
        case (nil, .some) where patterns.isEmpty: break
        default: throw ValidationError("Name patterns, or --edit RULE and one pattern, or --remove RULE.")
        }
    }

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let patterns = try patterns.map { try RulePattern($0) }
        let trial: Archive.RuleTrial
        if let edit {
            trial = .edit(try archive.ignoreRule(edit).id, patterns[0])
        } else if let remove {
            trial = .remove(try archive.ignoreRule(remove).id)
        } else {
            trial = .add(patterns)
        }
        let changes = try archive.tryRules(trial)
        let shown = Array(changes.prefix(listing.limit ?? .max))
        if listing.json { return Terminal.print(try JSONOutput.document(shown)) }
        Terminal.print(shown.table + "\(amount(changes.count, "message")) would move. Nothing was changed.")
    }
}

extension [RuleChange] {
    /// How many moved, for the end of a sentence; empty when none did.
    var text: String {
        let counts = Dictionary(grouping: self, by: \.to).mapValues(\.count)
        let words: [(LedgerState, String)] = [
            (.ignored, "ignored"), (.review, "waiting in the queue"), (.archived, "with their contacts"),
        ]
        let parts = words.compactMap { state, word in
            counts[state].map { "\(amount($0, "message")) \(word) now" }
        }
        return parts.isEmpty ? "" : "; " + parts.joined(separator: ", ")
    }

    /// Empty for none, else with the end of its last line.
    var table: String {
        var table = TextTable(["MESSAGE", "DATE", "FROM", "TO", "BECAUSE", "SUBJECT"])
        for change in self {
            table.add([
                change.message.description, change.date?.shortText ?? "-", change.from.rawValue,
                change.to.rawValue, change.because, change.subject ?? "-",
            ])
        }
        return table.isEmpty ? "" : table.text + "\n"
    }
}
