import Archive
import ArgumentParser
import Foundation
import MailModel
import Matcher

struct QueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Mail that matches no contact, and mail that could not be read.",
        discussion: """
            Empty it address by address:
              mailworker queue list --grouped
              mailworker queue link --address tom@klient.example --contact "Tom Reed" --add-address
              mailworker queue create-contact --address ruth@klient.example
              mailworker queue ignore --address news@shop.example --always
            Each says by which number it is taken back.
            """,
        subcommands: [
            QueueListCommand.self, QueueShowCommand.self, QueueLinkCommand.self,
            QueueCreateContactCommand.self, QueueIgnoreCommand.self, QueuePrivateCommand.self,
            QueueEditCommand.self, QueueUndoCommand.self,
        ])
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
