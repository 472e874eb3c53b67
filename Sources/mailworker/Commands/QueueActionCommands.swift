import Archive
import ArgumentParser
import MailModel
import Matcher

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

    @Flag(help: "Adds also an address that could be taken for a known one.")
    var yes = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let contacts = try contact.map { try archive.findContact($0) }
        let outcome = try archive.link(
            try selection.selection(), to: contacts.map(\.id), addingAddress: addAddress,
            trustsLookAlike: yes,
            by: Actor.name)
        let names = contacts.map(\.name).joined(separator: ", ")
        Terminal.print("linked \(outcome.closed.count) to \(names)\(outcome.gain.text)\(Actor.wayBack)")
    }
}

struct QueueCreateContactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create-contact",
        abstract: "Makes a contact of who writes, and files their mail with it.",
        discussion: """
            Name, address and organisation come from the mail: the name that came with the address, and
            the organisation whose domain it is. All mail of the address enters the new history.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var selection: ReviewSelectionArguments

    @Option(help: "person, lead or organisation.")
    var kind: Contact.Kind = .person

    @Option(help: "Another name than the mail's.")
    var name: String?

    @Option(help: ArgumentHelp("Another organisation than the domain's.", valueName: "contact"))
    var organisation: String?

    @Option(help: ArgumentHelp("The responsible user; who acts, when absent.", valueName: "user"))
    var owner: String?

    @Flag(help: "Shows the contact that would be made, and makes none.")
    var dryRun = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let selection = try selection.selection()
        let organisation = try self.organisation.map { try archive.findContact($0).id }
        let owner = try self.owner.map { try archive.user(named: $0).id }
        func change(_ draft: inout ContactDraft) {
            if let name { draft.name = name }
            if let organisation { draft.organisation = organisation }
            if let owner { draft.owner = owner }
        }
        if dryRun {
            var draft = try archive.contactDraft(from: selection, kind: kind)
            change(&draft)
            return Terminal.print(try Self.words(draft, archive) + "\nNothing was changed.")
        }
        let (id, draft, outcome) = try archive.createContact(
            from: selection, kind: kind, by: Actor.name, change: change)
        Terminal.print(
            "added \(try Self.words(draft, archive)) (\(id))\(outcome.gain.text)\(Actor.wayBack)")
    }

    private static func words(_ draft: ContactDraft, _ archive: Archive) throws -> String {
        let organisation = try draft.organisation.map { ", of \(try archive.contact($0).name)" } ?? ""
        return "\(draft.kind.rawValue) \(draft.name), \(draft.emails.map(\.addrSpec).joined(separator: ", "))"
            + organisation
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
        name: [.customLong("always-domain"), .customLong("domain")],
        help: "From now on ignores all mail that would wait under the address's domain.")
    var alwaysDomain = false

    @Flag(help: "With a rule: shows what it covers, and changes nothing.")
    var dryRun = false

    func validate() throws {
        if dryRun, !always, !alwaysDomain {
            throw ValidationError("--dry-run shows what a rule covers: add --always or --always-domain.")
        }
    }

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let scope: IgnoreScope = alwaysDomain ? .domain : always ? .address : .once
        if dryRun {
            let (rules, changes) = try archive.tryIgnoring(try selection.selection(), scope)
            return Terminal.print(
                changes.table
                    + "A rule for \(rules.joined(separator: ", ")) would move \(amount(changes.count, "message")). "
                    + "Nothing was changed.")
        }
        let outcome = try archive.ignore(try selection.selection(), scope, by: Actor.name)
        Terminal.print("ignored \(outcome.closed.count)\(outcome.changes.text)\(Actor.wayBack)")
    }
}

struct QueuePrivateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "private",
        abstract: "Removes what messages say, for good, and never archives them again.",
        discussion: "There is no way back: nothing of their texts, originals and people is kept.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var selection: ReviewSelectionArguments

    @Flag(help: "Without it nothing is changed.")
    var yes = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let selection = try selection.selection()
        guard yes else {
            let items = try archive.reviewItems(selection)
            var table = TextTable(["ID", "DATE", "SUBJECT"])
            for item in items {
                table.add([item.id.description, item.date?.shortText ?? "-", item.subject ?? "(no subject)"])
            }
            return Terminal.print(
                table.text + "\nNothing was changed. To remove these \(items.count) for good, add --yes.")
        }
        let messages = try archive.makePrivate(selection)
        Terminal.print(
            amount(
                messages.count, "message is private; its text and original are gone",
                "messages are private; their texts and originals are gone"))
    }
}
