import Archive
import ArgumentParser
import Foundation
import MailModel
import Matcher

struct QueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Mail that matches no contact, and mail that could not be read.",
        subcommands: [
            QueueListCommand.self, QueueShowCommand.self, QueueLinkCommand.self, QueueIgnoreCommand.self,
        ])
}

struct QueueListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "What waits for a person, the newest first.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    @Option(help: ArgumentHelp("Only what waits under this address.", valueName: "address"))
    var address: String?

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let items = try archive.reviewItems(
            address: try address.map { try EmailAddress(typed: $0) }, limit: listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(items)) }
        var table = TextTable(["ID", "DATE", "REASON", "SUBJECT", "SUGGESTION"])
        for item in items {
            let suggestion = item.suggestions.first
            table.add([
                item.id.description, item.date?.shortText ?? "-", item.reason, item.subject ?? "(no subject)",
                suggestion.map { "\($0.name) (\($0.reason))" } ?? "",
            ])
        }
        if table.isEmpty { return Terminal.print("The queue is empty.") }
        let total = try archive.openReviewCount()
        let rest = address == nil && total > items.count ? "\n… and \(total - items.count) more" : ""
        Terminal.print(table.text + rest)
    }
}

struct QueueShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One item with its message.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The item's id.")
    var id: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() async throws {
        let workplace = try Workplace(common, as: .rights)
        let item = try workplace.archive.reviewItem(try ReviewItemID(typed: id))
        if json { return Terminal.print(try JSONOutput.document(item)) }
        Terminal.print("\(item.reason)\n")
        try await MessagePage(workplace: workplace).show(item.message)
        for suggestion in item.suggestions {
            Terminal.print(
                "Perhaps \(suggestion.name) (\(suggestion.reason)): "
                    + "mailworker queue link \(item.id) --contact \(suggestion.contact)")
        }
    }
}

/// Which items an action means.
struct ReviewSelectionArguments: ParsableArguments {
    @Argument(help: "Ids of items.")
    var ids: [String] = []

    @Option(help: ArgumentHelp("Instead of ids, all that wait under this address.", valueName: "address"))
    var address: String?

    func validate() throws {
        guard ids.isEmpty != (address == nil) else {
            throw ValidationError("Name either ids of items or --address ADDRESS.")
        }
    }

    func selection() throws(MailFailure) -> ReviewSelection {
        if let address { return .address(try EmailAddress(typed: address)) }
        return .items(try ids.map { text throws(MailFailure) in try ReviewItemID(typed: text) })
    }
}

extension RecordID {
    /// An id that a person typed.
    init(typed text: String) throws(MailFailure) {
        guard let id = Self(text) else {
            throw .usage("This is not an id", detail: text, remedy: "Ids are the numbers that listings show.")
        }
        self = id
    }
}

struct QueueLinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link", abstract: "Puts messages into the history of contacts.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var selection: ReviewSelectionArguments

    @Option(
        help: ArgumentHelp(
            "Whose they are: an id, external id, address or exact name; may be given several times.",
            valueName: "contact"))
    var contact: [String]

    @Flag(help: "Also gives the contact the address, so that its other mail follows.")
    var addAddress = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let contacts = try contact.map { try archive.findContact($0) }
        let outcome = try archive.link(
            try selection.selection(), to: contacts.map(\.id), addingAddress: addAddress, by: Actor.name)
        let names = contacts.map(\.name).joined(separator: ", ")
        Terminal.print("linked \(outcome.closed.count) to \(names)\(outcome.gain.text)")
    }
}

struct QueueIgnoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ignore", abstract: "Takes items out of the queue; their messages stay in the archive.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var selection: ReviewSelectionArguments

    @Flag(
        name: .customLong("always"), help: "From now on ignores all mail that would wait under the address.")
    var always = false

    @Flag(
        name: .customLong("always-domain"),
        help: "From now on ignores all mail that would wait under the address's domain.")
    var alwaysDomain = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let scope: IgnoreScope = alwaysDomain ? .domain : always ? .address : .once
        let outcome = try archive.ignore(try selection.selection(), scope, by: Actor.name)
        Terminal.print("ignored \(outcome.closed.count)")
    }
}
