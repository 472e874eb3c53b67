import Archive
import ArgumentParser
import MailModel
import Matcher

struct EventCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event", abstract: "What the owners of contacts want to hear of.",
        subcommands: [EventListCommand.self])
}

struct EventListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "New mail of contacts that notify their owner, the newest first.",
        discussion: """
            At most one an hour for each contact, and none for automatic mail. With --as USER those of that
            user; without it those of everybody.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let events = try archive.events(limit: listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(events)) }
        var table = TextTable(["ID", "WHEN", "FOR", "CONTACT", "MESSAGE", "SUBJECT"])
        for event in events {
            table.add([
                event.id.description, event.at.shortText, event.user, event.contactName,
                event.message.description,
                (event.subject ?? "-") + (event.senderCheck.map { "; sender \($0.words)" } ?? ""),
            ])
        }
        Terminal.print(table.isEmpty ? "Nothing has happened that somebody wants to hear of." : table.text)
    }
}
