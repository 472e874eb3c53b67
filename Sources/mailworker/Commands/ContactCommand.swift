public import Archive
public import ArgumentParser
import Foundation
import MailModel
import Matcher
import Worker

struct ContactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contact",
        abstract: "People, leads and organisations, each with any number of addresses.",
        subcommands: [
            ContactAddCommand.self, ContactListCommand.self, ContactShowCommand.self,
            ContactImportCommand.self, ContactEraseCommand.self,
        ])
}

extension Contact.Kind: ExpressibleByArgument {}

struct ContactAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds a contact.",
        discussion: "Mail that waited in the queue for one of the addresses moves into its history at once.")

    @OptionGroup var common: CommonOptions

    @Option(help: "person, lead or organisation.")
    var kind: Contact.Kind = .person

    @Option(help: "The contact's name.")
    var name: String

    @Option(help: ArgumentHelp("Addresses, separated by commas; the first is primary.", valueName: "a,b"))
    var email: [String] = []

    @Option(help: ArgumentHelp("The organisation of a person.", valueName: "contact"))
    var organisation: String?

    @Option(help: ArgumentHelp("The responsible user.", valueName: "user"))
    var owner: String?

    @Option(help: ArgumentHelp("The contact's id in another system.", valueName: "id"))
    var externalID: String?

    @Flag(help: "Never write to them.")
    var doNotEmail = false

    @Flag(help: "Tell the owner about new mail.")
    var notifyOwner = false

    @Flag(name: .customLong("private"), help: "Visible to the owner only.")
    var isPrivate = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let addresses = try email.flatMap { $0.split(separator: ",") }.map {
            try EmailAddress(typed: String($0))
        }
        var draft = ContactDraft(kind: kind, name: name, emails: addresses)
        draft.organisation = try organisation.map { try archive.findContact($0).id }
        draft.owner = try owner.map { try archive.user(named: $0).id }
        draft.externalID = externalID
        draft.doNotEmail = doNotEmail
        draft.notifyOwner = notifyOwner
        draft.isPrivate = isPrivate
        let (id, gain) = try archive.addContact(draft)
        Terminal.print("added \(kind.rawValue) \(name) (\(id))\(gain.text)")
    }
}

extension AddressGain {
    /// What moved, for the end of a sentence; empty when nothing did.
    var text: String {
        linkedMessages == 0
            ? "" : "; \(linkedMessages) messages entered the history, \(closedItems) left the queue"
    }
}

struct ContactListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the contacts.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    func run() throws {
        let contacts = try Workplace(common, as: .rights).archive.contacts(limit: listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(contacts)) }
        var table = TextTable(["ID", "KIND", "NAME", "ORGANISATION", "OWNER", "ADDRESSES"])
        for contact in contacts {
            table.add([
                contact.id.description, contact.kind.rawValue, contact.name, contact.organisationName ?? "-",
                contact.ownerName ?? "-", contact.emails.map(\.addrSpec).joined(separator: ", "),
            ])
        }
        Terminal.print(
            table.isEmpty ? "No contacts. Import some: mailworker contact import CONTACTS.csv" : table.text)
    }
}

struct ContactShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Shows one contact.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "An id, external id, address or exact name.")
    var contact: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let found = try archive.findContact(contact)
        if json { return Terminal.print(try JSONOutput.document(found)) }
        let lines: [(String, String?)] = [
            ("id", found.id.description), ("external id", found.externalID), ("kind", found.kind.rawValue),
            ("name", found.name), ("organisation", found.organisationName), ("owner", found.ownerName),
            ("addresses", found.emails.map(\.addrSpec).joined(separator: ", ")),
            ("do not e-mail", found.doNotEmail ? "yes" : nil),
            ("notify owner", found.notifyOwner ? "yes" : nil), ("private", found.isPrivate ? "yes" : nil),
            ("messages", String(try archive.historyCount(of: found.id))),
        ]
        Terminal.print(
            lines.compactMap { name, value in value.map { "\(name): \($0)" } }.joined(separator: "\n"))
    }
}

struct ContactImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Imports contacts from a CSV file.",
        discussion: """
            The first line names the columns: external_id, kind, name, emails (several separated by
            comma or semicolon), organisation, owner, do_not_email. A row whose external_id, or else
            whose address, is known updates that contact; addresses are added, never taken away.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The file.", completion: .file(extensions: ["csv"]))
    var file: String

    func run() throws {
        let archive = try Workplace(common).archive
        guard let data = FileManager.default.contents(atPath: file) else {
            throw MailFailure.usage(
                "The file cannot be read", detail: file, remedy: "Check that it exists and is readable.")
        }
        let table = try ContactCSV(data: data)
        Terminal.progress("importing \(table.rows.count) rows …")
        let report = try archive.importContacts(table.rows.map(\.contact))
        let refused =
            table.refused
            + report.refused.map { refusal in
                var failure = refusal.failure
                failure.detail = "row \(table.rows[refusal.row].number): \(failure.detail ?? "")"
                return failure
            }
        for failure in refused { Terminal.complain(failure.revealed) }
        Terminal.print(
            "\(report.added) added, \(report.updated) updated, \(refused.count) refused\(report.gain.text)")
        if !refused.isEmpty { throw ExitStatus.someItemsFailed }
    }
}
