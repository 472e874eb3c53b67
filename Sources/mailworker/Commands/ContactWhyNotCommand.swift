import Archive
import ArgumentParser
import MailModel
import Matcher

struct ContactWhyNotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why-not", abstract: "Why a message is not in a contact's history.",
        discussion: """
            Compares the addresses of the contact with those of the message, in the form in which addresses are
            compared, and says what the rules make of a like name, domain or spelling, and of a thread.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "An id, external id, address or exact name.")
    var contact: String

    @Argument(help: "The message's id.")
    var message: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let found = try archive.findContact(contact)
        let absence = try archive.absence(of: try ArchivedMessageID(typed: message), from: found.id)
        if json { return Terminal.print(try JSONOutput.document(absence)) }
        let head =
            "message \(message) is \(absence.isLinked ? "" : "not ")in the history of \(found.name) (\(found.id))"
        Terminal.print(([head] + absence.reasons.map { "  \($0)" }).joined(separator: "\n"))
    }
}
