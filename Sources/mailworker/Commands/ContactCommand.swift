public import Archive
public import ArgumentParser
import MailModel
import Matcher

struct ContactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contact",
        abstract: "People, leads and organisations, each with any number of addresses.",
        subcommands: [
            ContactAddCommand.self, ContactListCommand.self, ContactShowCommand.self,
            ContactEditCommand.self, ContactImportCommand.self, ContactExportCommand.self,
            ContactMergeCommand.self, ContactDuplicatesCommand.self, ContactWhyNotCommand.self,
            ContactLookupCommand.self,
            ContactEraseCommand.self,
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

    @Option(help: ArgumentHelp("What the contact is to the company: customer, supplier …", valueName: "type"))
    var type: String?

    @Option(help: ArgumentHelp("A tag; may be given several times.", valueName: "tag"))
    var tag: [String] = []

    @Option(help: ArgumentHelp("A telephone number; may be given several times.", valueName: "number"))
    var phone: [String] = []

    @Option(help: ArgumentHelp("A user besides the owner who sees a private contact.", valueName: "user"))
    var user: [String] = []

    @Flag(help: "Never write to them.")
    var doNotEmail = false

    @Flag(help: "Tell the owner about new mail.")
    var notifyOwner = false

    @Flag(name: .customLong("private"), help: "Visible to the owner and the users named with --user only.")
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
        draft.details.type = type
        draft.details.tags = tag
        draft.details.phones = phone
        draft.details.users = try user.map { try archive.user(named: $0).id }
        let (id, gain) = try archive.addContact(draft)
        Terminal.print("added \(kind.rawValue) \(name) (\(id))\(gain.text)\(Actor.wayBack)")
    }
}

extension AddressGain {
    /// What moved, for the end of a sentence; empty when nothing did.
    var text: String {
        var text = ""
        if linkedMessages > 0 {
            text +=
                "; \(amount(linkedMessages, "message")) entered the history, \(closedItems) left the queue"
        }
        if unlinkedMessages > 0 {
            text +=
                "; \(amount(unlinkedMessages, "message")) left the history, \(openedItems) of them wait in the queue"
        }
        return text
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
        let suppressed = try archive.standing(of: found.emails).compactMap { standing in
            standing.suppression.map { suppression in
                "\(suppression.address)"
                    + (suppression.expiresAt.map { " until \($0.shortText)" } ?? "")
                    + ", \(suppression.evidence)"
            }
        }
        let lines: [(String, String?)] = [
            ("id", found.id.description), ("external id", found.externalID), ("kind", found.kind.rawValue),
            ("name", found.name), ("organisation", found.organisationName), ("owner", found.ownerName),
            ("addresses", found.emails.map(\.addrSpec).joined(separator: ", ")),
            ("telephones", found.details.phones.joined(separator: ", ").nonBlank),
            ("type", found.details.type), ("tags", found.details.tags.joined(separator: ", ").nonBlank),
            ("do not e-mail", found.doNotEmail ? "yes" : nil),
            ("no mass mail to", suppressed.joined(separator: "; ").nonBlank),
            ("notify owner", found.notifyOwner ? "yes" : nil), ("private", found.isPrivate ? "yes" : nil),
            ("seen by", found.userNames.joined(separator: ", ").nonBlank),
            (
                "made by rule",
                found.origin.map { origin in
                    origin.reason.words + (origin.message.map { ", message \($0)" } ?? "")
                }
            ),
            ("messages", String(try archive.historyCount(of: found.id))),
        ]
        Terminal.print(
            lines.compactMap { name, value in value.map { "\(name): \($0)" } }.joined(separator: "\n"))
    }
}

extension String {
    /// Nil for an empty text, which a listing leaves out.
    var nonBlank: String? { isEmpty ? nil : self }
}
