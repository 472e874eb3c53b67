import Archive
import ArgumentParser
import MailModel
import Matcher

/// Which contacts a listing or an export has; everything that is given must hold.
struct ContactSelection: ParsableArguments {
    @Option(help: "Only a person, lead or organisation.")
    var kind: Contact.Kind?

    @Option(help: ArgumentHelp("Only this user's; \"\" for those without an owner.", valueName: "user"))
    var owner: String?

    @Option(help: ArgumentHelp("Only with this tag.", valueName: "tag"))
    var tag: String?

    @Option(help: ArgumentHelp("Only of this type.", valueName: "type"))
    var type: String?

    @Option(help: ArgumentHelp("Only people of this organisation.", valueName: "contact"))
    var organisation: String?

    @Option(help: ArgumentHelp("Only with an address in this domain.", valueName: "domain"))
    var domain: String?

    @Option(
        help: ArgumentHelp(
            "Only with this in name, address, telephone number, or as external id.", valueName: "text"))
    var search: String?

    @Flag(help: "Only contacts without any address.")
    var withoutAddress = false

    func filter(in archive: Archive) throws -> ContactFilter {
        var filter = ContactFilter()
        filter.kind = kind
        filter.tag = tag
        filter.type = type
        filter.domain = domain
        filter.text = search
        filter.lacksAddress = withoutAddress
        filter.organisation = try organisation.map { try archive.findContact($0).id }
        if let owner {
            if owner.isEmpty {
                filter.lacksOwner = true
            } else {
                filter.owner = try archive.user(named: owner).id
            }
        }
        return filter
    }
}

struct ContactListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the contacts, by name.",
        discussion: "With --limit, --offset shows the pages that follow.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var selection: ContactSelection
    @OptionGroup var listing: ListingOptions

    @Option(help: ArgumentHelp("Leaves out so many from the beginning.", valueName: "n"))
    var offset = 0

    func validate() throws {
        guard offset >= 0 else { throw ValidationError("--offset takes a whole number, 0 or more.") }
    }

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let contacts = try archive.contacts(
            try selection.filter(in: archive), limit: listing.limit ?? .max, offset: offset)
        if listing.json { return Terminal.print(try JSONOutput.document(contacts)) }
        var table = TextTable(["ID", "KIND", "NAME", "ORGANISATION", "OWNER", "ADDRESSES"])
        for contact in contacts {
            table.add([
                contact.id.description, contact.kind.rawValue, contact.name, contact.organisationName ?? "-",
                contact.ownerName ?? "-", contact.emails.map(\.addrSpec).joined(separator: ", "),
            ])
        }
        Terminal.print(
            table.isEmpty
                ? "No such contacts. Import some: mailworker contact import CONTACTS.csv" : table.text)
    }
}
