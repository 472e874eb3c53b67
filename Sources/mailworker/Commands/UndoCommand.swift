import Archive
import ArgumentParser
import MailModel
import Matcher

struct UndoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Takes back what somebody did to the queue, histories and contacts.",
        discussion: """
            mailworker undo takes back your last action, mailworker undo 17 that one. Everything is as it was
            before, or nothing has changed: when a later action is in the way, it is named. What is
            erased or private does not come back.
            """,
        subcommands: [UndoTakeBackCommand.self, UndoListCommand.self],
        defaultSubcommand: UndoTakeBackCommand.self)
}

struct UndoTakeBackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "take-back", abstract: "Takes back one action; the word may be left out.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var choice: UndoChoice

    func run() throws { try choice.takeBack(common) }
}

struct QueueUndoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Takes back what somebody did, as mailworker undo does.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var choice: UndoChoice

    func run() throws { try choice.takeBack(common) }
}

/// Which action is taken back.
struct UndoChoice: ParsableArguments {
    @Argument(
        help: "The action's number, as it said it and as undo list shows it; your last one when absent.")
    var id: String?

    func takeBack(_ common: CommonOptions) throws {
        let archive = try Workplace(common, as: .rights).archive
        let id = try self.id.map { try UndoID(typed: $0) } ?? archive.lastUndo(of: Actor.name).id
        let entry = try archive.undo(id, by: Actor.name)
        Terminal.print(
            "took back \(entry.action) of \(entry.at.shortText) (\(entry.subject ?? "undo \(id)"))")
    }
}

struct UndoListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "What was done and can be taken back, the newest first.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    func run() throws {
        let entries = try Workplace(common, as: .rights).archive.undoLog(limit: listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(entries)) }
        var table = TextTable(["ID", "WHEN", "WHO", "ACTION", "TAKEN BACK", "ABOUT"])
        for entry in entries {
            table.add([
                entry.id.description, entry.at.shortText, entry.person, entry.action,
                entry.undoneBy.map { "by \($0)" } ?? "-", entry.subject ?? "-",
            ])
        }
        Terminal.print(table.isEmpty ? "There is nothing to take back." : table.text)
    }
}
