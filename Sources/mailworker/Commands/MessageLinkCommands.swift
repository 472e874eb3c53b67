import Archive
import ArgumentParser
import MailModel
import Matcher

struct MessageLinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link", abstract: "Puts a message into the history of contacts, wherever it stands.",
        discussion: """
            For mail that stands with one contact and concerns another too, and for mail that was ignored.
            What waits in the queue is linked with: mailworker queue link
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The message's id.")
    var id: String

    @Option(
        help: ArgumentHelp(
            "Whose it is: an id, external id, address or exact name; may be given several times.",
            valueName: "contact"))
    var contact: [String]

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let contacts = try contact.map { try archive.findContact($0) }
        try archive.link(try ArchivedMessageID(typed: id), to: contacts.map(\.id), by: Actor.name)
        Terminal.print("linked to \(contacts.map(\.name).joined(separator: ", "))\(Actor.wayBack)")
    }
}

struct MessageUnlinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlink", abstract: "Takes a message out of a contact's history.",
        discussion: """
            Only a person's hand brings it back there, not its address. When it stands in no other history it
            waits in the queue again. Message and original stay.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The message's id.")
    var id: String

    @Option(
        help: ArgumentHelp(
            "Whose history: an id, external id, address or exact name; may be given several times.",
            valueName: "contact"))
    var contact: [String]

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let contacts = try contact.map { try archive.findContact($0) }
        let id = try ArchivedMessageID(typed: id)
        for contact in contacts {
            try archive.unlink(id, from: contact.id, by: Actor.name)
            Terminal.print("taken out of the history of \(contact.name)\(Actor.wayBack)")
        }
    }
}
