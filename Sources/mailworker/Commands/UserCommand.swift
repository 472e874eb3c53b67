import Archive
import ArgumentParser
import MailModel
import Matcher

struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Users of the CRM, whose mailboxes are polled.",
        subcommands: [UserAddCommand.self, UserListCommand.self])
}

struct UserAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds a user.",
        discussion: "Addresses of users and of their accounts are never matched to contacts.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The user's name, unique.")
    var user: String?

    @Option(help: ArgumentHelp("The same, as an option.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("An address of theirs.", valueName: "address"))
    var email: String?

    func validate() throws {
        guard (user == nil) != (name == nil) else {
            throw ValidationError("Name one user: mailworker user add NAME.")
        }
    }

    func run() throws {
        let workplace = try Workplace(common)
        let address = try email.map { try EmailAddress(typed: $0) }
        let chosen = user ?? name ?? ""
        let id = try workplace.archive.addUser(name: chosen, email: address)
        Terminal.print("added user \(chosen) (\(id))")
    }
}

struct UserListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the users.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    private struct Entry: Encodable {
        var id: UserID
        var name: String
        var email: String?

        enum CodingKeys: CodingKey { case id, name, email }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(id, forKey: .id)
            try container.encode(name, forKey: .name)
            try container.encode(email, forKey: .email)
        }
    }

    func run() throws {
        let users = try Workplace(common).archive.users().prefix(listing.limit ?? .max)
        let entries = users.map { Entry(id: $0.id, name: $0.name, email: $0.email?.lowercased) }
        if listing.json { return Terminal.print(try JSONOutput.document(entries)) }
        var table = TextTable(["ID", "NAME", "EMAIL"])
        for entry in entries { table.add([entry.id.description, entry.name, entry.email ?? "-"]) }
        Terminal.print(table.isEmpty ? "No users. Add one: mailworker user add NAME" : table.text)
    }
}
