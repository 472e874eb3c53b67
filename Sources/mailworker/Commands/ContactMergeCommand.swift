public import Archive
public import ArgumentParser
import MailModel
import Matcher

extension ContactMerge.Field: ExpressibleByArgument {}
extension DuplicateGroup.Reason: ExpressibleByArgument {}

struct ContactMergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Makes several contacts one, with their addresses and histories.",
        discussion: """
            Without --yes it shows each field of each contact and of the one that they would become, and changes
            nothing. What the first contact has stays; what it lacks comes from the others; addresses, tags
            and numbers are united. The numbers and external ids of the others lead to it from then on.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The contact that stays.")
    var contact: String

    @Argument(help: "Those that become part of it.")
    var others: [String]

    @Option(help: "A field that comes from the others: kind, name, organisation, owner, type, external-id.")
    var take: [ContactMerge.Field] = []

    @Flag(help: "Merges what is shown without it.")
    var yes = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    private struct Answer: Encodable {
        var done: Bool
        var result: Contact
        var merged: [ContactID]
        var movedMessages: Int
        var sharedMessages: Int

        private enum CodingKeys: String, CodingKey {
            case done, result, merged
            case movedMessages = "moved_messages"
            case sharedMessages = "shared_messages"
        }
    }

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let kept = try archive.findContact(contact).id
        let outcome = try archive.mergeContacts(
            try others.map { try archive.findContact($0).id }, into: kept, taking: Set(take), isTrial: !yes)
        if json {
            let answer = Answer(
                done: yes, result: outcome.result, merged: outcome.others.map(\.id),
                movedMessages: outcome.movedMessages, sharedMessages: outcome.sharedMessages)
            return Terminal.print(try JSONOutput.document(answer))
        }
        let messages =
            "\(amount(outcome.movedMessages, "message moves", "messages move")), \(amount(outcome.sharedMessages, "is", "are")) in both histories"
            + outcome.gain.text
        if yes {
            return Terminal.print(
                "merged \(outcome.others.map(\.id.description).joined(separator: ", ")) into "
                    + "\(outcome.result.name) (\(kept)); \(messages)\(Actor.wayBack)")
        }
        Terminal.print(preview(outcome))
        Terminal.print("\(messages).\nNothing was changed. To merge them, repeat with --yes.")
    }

    private func preview(_ outcome: MergeOutcome) -> String {
        let all = [outcome.kept] + outcome.others + [outcome.result]
        var table = TextTable(
            ["FIELD", "KEPT"] + outcome.others.map { "CONTACT \($0.id)" } + ["TOGETHER"])
        let columns = all.map(\.fields)
        for row in columns[0].indices where columns.contains(where: { $0[row].value != "-" }) {
            table.add([columns[0][row].name] + columns.map { $0[row].value })
        }
        return table.text
    }
}

extension Contact {
    /// For people, in the order in which they are shown; `-` for none.
    fileprivate var fields: [(name: String, value: String)] {
        func list(_ values: [String]) -> String { values.isEmpty ? "-" : values.joined(separator: ", ") }
        return [
            ("kind", kind.rawValue), ("name", name), ("external id", externalID ?? "-"),
            ("addresses", list(emails.map(\.addrSpec))), ("organisation", organisationName ?? "-"),
            ("owner", ownerName ?? "-"), ("type", details.type ?? "-"), ("tags", list(details.tags)),
            ("telephones", list(details.phones)), ("do not e-mail", doNotEmail ? "yes" : "-"),
            ("notify owner", notifyOwner ? "yes" : "-"), ("private", isPrivate ? "yes" : "-"),
            ("seen by", list(userNames)),
        ]
    }
}

struct ContactDuplicatesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "duplicates", abstract: "Contacts that may be one, with the reason.",
        discussion: """
            Found by address, by addresses of one mailbox (canonical), by name with a common domain or organisation,
            and by telephone number. Nothing is merged; see contact merge.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    @Option(help: "Only by address, canonical, name or phone; may be given several times.")
    var by: [DuplicateGroup.Reason] = []

    func run() throws {
        let reasons = by.isEmpty ? Set(DuplicateGroup.Reason.allCases) : Set(by)
        let groups = try Workplace(common, as: .rights).archive.duplicates(
            reasons, limit: listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(groups)) }
        var table = TextTable(["BY", "IN COMMON", "CONTACTS"])
        for group in groups {
            table.add([
                group.reasons.map(\.rawValue).joined(separator: ", "), group.common.joined(separator: ", "),
                group.contacts.map { "\($0.name) (\($0.id))" }.joined(separator: ", "),
            ])
        }
        Terminal.print(table.isEmpty ? "No contacts look like one." : table.text)
    }
}
