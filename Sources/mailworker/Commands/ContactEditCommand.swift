import Archive
import ArgumentParser
import MailModel
import Matcher

struct ContactEditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Changes a contact; mail follows the addresses it gains and loses.",
        discussion: """
            What is not named stays as it is. --kind person turns a lead into a person, with its number and its
            history. When an address goes, mail that is in the history only because of it goes too; that is
            said first and done with --yes, and mailworker undo brings the mail back; so does giving the address
            back, for mail that you may review. --keep-history leaves the mail where it is.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "An id, external id, address or exact name.")
    var contact: String

    @Option(help: "The new name.")
    var name: String?

    @Option(help: "person, lead or organisation.")
    var kind: Contact.Kind?

    @Option(help: ArgumentHelp("One more address.", valueName: "address"))
    var addEmail: [String] = []

    @Option(help: ArgumentHelp("An address that goes.", valueName: "address"))
    var removeEmail: [String] = []

    @Option(help: ArgumentHelp("The primary address; added when it is new.", valueName: "address"))
    var primary: String?

    @Option(help: ArgumentHelp("The organisation of a person; \"\" for none.", valueName: "contact"))
    var organisation: String?

    @Option(help: ArgumentHelp("The responsible user; \"\" for none.", valueName: "user"))
    var owner: String?

    @Option(help: ArgumentHelp("The contact's id in another system; \"\" for none.", valueName: "id"))
    var externalID: String?

    @Option(help: ArgumentHelp("What the contact is to the company; \"\" for nothing.", valueName: "type"))
    var type: String?

    @Option(help: ArgumentHelp("One more tag.", valueName: "tag"))
    var tag: [String] = []

    @Option(help: ArgumentHelp("A tag that goes.", valueName: "tag"))
    var removeTag: [String] = []

    @Option(help: ArgumentHelp("One more telephone number.", valueName: "number"))
    var phone: [String] = []

    @Option(help: ArgumentHelp("A telephone number that goes.", valueName: "number"))
    var removePhone: [String] = []

    @Option(help: ArgumentHelp("One more user who sees a private contact.", valueName: "user"))
    var user: [String] = []

    @Option(help: ArgumentHelp("A user who sees it no more.", valueName: "user"))
    var removeUser: [String] = []

    @Flag(inversion: .prefixedNo, help: "Never write to them.")
    var doNotEmail: Bool?

    @Flag(inversion: .prefixedNo, help: "Tell the owner about new mail.")
    var notifyOwner: Bool?

    @Flag(
        name: .customLong("private"), inversion: .prefixedNo,
        help: "Visible to the owner and named users only.")
    var isPrivate: Bool?

    @Flag(help: "Leaves the mail of an address that goes in the history.")
    var keepHistory = false

    @Flag(help: "Lets mail leave the history with an address.")
    var yes = false

    @Flag(help: "Says what would change, and changes nothing.")
    var dryRun = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let found = try archive.findContact(contact)
        let edit = try self.edit(in: archive)
        let lost = keepHistory ? LostHistory.stays(by: Actor.name) : .leaves
        if dryRun || (!yes && !removeEmail.isEmpty) {
            let plan = try archive.changeContact(found.id, losing: lost, isTrial: true, edit)
            if dryRun {
                return Terminal.print("would change \(plan.text())\nNothing was changed.")
            }
            if plan.gain.unlinkedMessages > 0 {
                throw MailFailure.usage(
                    "Mail would leave the contact's history with the address; nothing was changed",
                    detail:
                        "\(amount(plan.gain.unlinkedMessages, "message")), \(plan.gain.openedItems) of which would wait "
                        + "in the queue",
                    remedy: "Repeat with --yes (mailworker undo brings the mail back), or with "
                        + "--keep-history.")
            }
        }
        let change = try archive.changeContact(found.id, losing: lost, edit)
        Terminal.print("changed \(change.text(end: Actor.wayBack))")
    }

    /// Names are looked up here, since the change itself runs within its transaction.
    private func edit(in archive: Archive) throws -> (inout ContactDraft) throws -> Void {
        let added = try Self.addresses(addEmail)
        let removed = try Self.addresses(removeEmail)
        let first = try primary.map { try EmailAddress(typed: $0) }
        let organisation = try self.organisation.map { $0.isEmpty ? nil : try archive.findContact($0).id }
        let owner = try self.owner.map { $0.isEmpty ? nil : try archive.user(named: $0).id }
        let users = try user.map { try archive.user(named: $0).id }
        let formerUsers = try removeUser.map { try archive.user(named: $0).id }
        let formerPhones = removePhone.map { PhoneNumber($0)?.digits ?? $0 }
        return { draft in
            if let name { draft.name = name }
            if let kind { draft.kind = kind }
            for address in removed {
                guard let index = draft.emails.firstIndex(where: { Self.same($0, address) }) else {
                    throw MailFailure.usage(
                        "The contact does not have this address", detail: address.addrSpec,
                        remedy: "See its addresses with: mailworker contact show")
                }
                draft.emails.remove(at: index)
            }
            for address in added + (first.map { [$0] } ?? [])
            where !draft.emails.contains(where: { Self.same($0, address) }) {
                draft.emails.append(address)
            }
            if let first {
                draft.emails = [first] + draft.emails.filter { !Self.same($0, first) }
            }
            if let organisation { draft.organisation = organisation }
            if let owner { draft.owner = owner }
            if let externalID { draft.externalID = externalID.nonBlank }
            if let type { draft.details.type = type.nonBlank }
            draft.details.tags = draft.details.tags.filter { !removeTag.contains($0) } + tag
            draft.details.phones =
                draft.details.phones.filter { !formerPhones.contains(PhoneNumber($0)?.digits ?? $0) } + phone
            draft.details.users =
                draft.details.users.filter { !formerUsers.contains($0) && !users.contains($0) } + users
            if let doNotEmail { draft.doNotEmail = doNotEmail }
            if let notifyOwner { draft.notifyOwner = notifyOwner }
            if let isPrivate { draft.isPrivate = isPrivate }
        }
    }

    private static func addresses(_ texts: [String]) throws -> [EmailAddress] {
        try texts.flatMap { $0.split(separator: ",") }.map { try EmailAddress(typed: String($0)) }
    }

    private static func same(_ left: EmailAddress, _ right: EmailAddress) -> Bool {
        CanonicalAddress(left) == CanonicalAddress(right)
    }
}

extension ContactChange {
    /// What is different now, for people.
    ///
    /// - Parameter end: of the first line.
    func text(end: String = "") -> String {
        let pairs: [(String, String?, String?)] = [
            ("kind", before.kind.rawValue, after.kind.rawValue), ("name", before.name, after.name),
            ("external id", before.externalID, after.externalID),
            ("addresses", Self.list(before.emails.map(\.addrSpec)), Self.list(after.emails.map(\.addrSpec))),
            ("organisation", before.organisationName, after.organisationName),
            ("owner", before.ownerName, after.ownerName), ("type", before.details.type, after.details.type),
            ("tags", Self.list(before.details.tags), Self.list(after.details.tags)),
            ("telephones", Self.list(before.details.phones), Self.list(after.details.phones)),
            ("seen by", Self.list(before.userNames), Self.list(after.userNames)),
            ("do not e-mail", before.doNotEmail.word, after.doNotEmail.word),
            ("notify owner", before.notifyOwner.word, after.notifyOwner.word),
            ("private", before.isPrivate.word, after.isPrivate.word),
        ]
        let changes = pairs.filter { $0.1 != $0.2 }.map { "\n  \($0.0): \($0.1 ?? "-") → \($0.2 ?? "-")" }
        return "\(after.kind.rawValue) \(after.name) (\(after.id))\(gain.text)\(end)" + changes.joined()
    }

    private static func list(_ values: [String]) -> String? { values.joined(separator: ", ").nonBlank }
}

extension Bool {
    fileprivate var word: String { self ? "yes" : "no" }
}
