import Archive
import ArgumentParser
import MailModel

struct SuppressionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suppression", abstract: "Addresses that automatic and mass mail leaves out.",
        discussion: """
            Each has its evidence, and ends by itself where it has a time. It says nothing about what a contact
            wishes; that is do-not-email.
            """,
        subcommands: [
            SuppressionListCommand.self, SuppressionAddCommand.self, SuppressionRemoveCommand.self,
        ])
}

struct SuppressionListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Suppressed addresses, each with why and until when.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    func run() throws {
        let found = try Workplace(common).archive.suppressions(limit: listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(found)) }
        var table = TextTable(["ADDRESS", "REASON", "SINCE", "UNTIL", "BY", "EVIDENCE"])
        for entry in found {
            table.add([
                entry.address, entry.reason.rawValue, entry.createdAt.shortText,
                entry.expiresAt?.shortText ?? "-", entry.createdBy, entry.evidence,
            ])
        }
        Terminal.print(table.isEmpty ? "No address is suppressed." : table.text)
    }
}

struct SuppressionAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Leaves an address out of automatic and mass mail.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The address.")
    var address: String

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var evidence: String = "entered by a person"

    @Option(help: ArgumentHelp("For so many days; without it until it is removed.", valueName: "n"))
    var days: Int?

    func validate() throws {
        if let days, !(1...3650).contains(days) { throw ValidationError("--days takes 1 to 3650.") }
        if evidence.isEmpty { throw ValidationError("--evidence must say something.") }
    }

    func run() throws {
        let archive = try Workplace(common).archive
        try archive.suppress(
            try EmailAddress(typed: address), reason: .person, evidence: evidence,
            until: days.map { archive.time.advanced(bySeconds: Int64($0) * 86_400) }, by: Actor.name)
    }
}

struct SuppressionRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Lets automatic and mass mail go to an address again.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The address.")
    var address: String

    func run() throws {
        guard try Workplace(common).archive.endSuppression(of: try EmailAddress(typed: address)) else {
            throw MailFailure.usage(
                "The address is not suppressed", detail: address,
                remedy: "See those that are with: mailworker suppression list")
        }
    }
}
