public import Archive
public import ArgumentParser
import MailModel

extension Scope: ExpressibleByArgument {}
extension Right: ExpressibleByArgument {}

struct RoleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "What users may see and do.",
        discussion: """
            A role gives each right in a scope: none, own (the user's contacts and mailboxes),
            department (those of its users), or all.

              read        contacts, their histories, mail
              review      decide about what waits in the queue, and about links
              send        write mail
              contacts    make and change contacts
              campaigns   write to many
              administer  accounts, users, backups, erasure; takes the scope all
            """,
        subcommands: [
            RoleAddCommand.self, RoleListCommand.self, RoleEditCommand.self, RoleRemoveCommand.self,
        ])
}

/// A scope for each right.
struct RightsArguments: ParsableArguments {
    @Option(help: ArgumentHelp("none, own, department or all.", valueName: "scope"))
    var read: Scope?

    @Option(help: ArgumentHelp("none, own, department or all.", valueName: "scope"))
    var review: Scope?

    @Option(help: ArgumentHelp("none, own, department or all.", valueName: "scope"))
    var send: Scope?

    @Option(help: ArgumentHelp("none, own, department or all.", valueName: "scope"))
    var contacts: Scope?

    @Option(help: ArgumentHelp("none, own, department or all.", valueName: "scope"))
    var campaigns: Scope?

    @Option(help: ArgumentHelp("none or all.", valueName: "scope"))
    var administer: Scope?

    var scopes: [Right: Scope] {
        let named: [(Right, Scope?)] = [
            (.read, read), (.review, review), (.send, send), (.contacts, contacts), (.campaigns, campaigns),
            (.administer, administer),
        ]
        return Dictionary(
            uniqueKeysWithValues: named.compactMap { right, scope in scope.map { (right, $0) } })
    }
}

struct RoleAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds a role; a right that is not named is not given.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The role's name, unique.")
    var role: String

    @OptionGroup var rights: RightsArguments

    func run() throws {
        try Workplace(common).archive.addRole(name: role, rights.scopes)
        Terminal.print("added role \(role)")
    }
}

struct RoleListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the roles with their rights.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    private struct Entry: Encodable {
        var name: String
        var builtIn: Bool
        var rights: [String: Scope]
        var users: Int

        enum CodingKeys: String, CodingKey {
            case name
            case builtIn = "built_in"
            case rights, users
        }
    }

    func run() throws {
        let roles = try Workplace(common).archive.roles().prefix(listing.limit ?? .max)
        if listing.json {
            let entries = roles.map { role in
                let rights = Right.allCases.map { ($0.rawValue, role.scopes[$0] ?? .none) }
                return Entry(
                    name: role.name, builtIn: role.isBuiltIn,
                    rights: Dictionary(uniqueKeysWithValues: rights), users: role.users)
            }
            return Terminal.print(try JSONOutput.document(entries))
        }
        var table = TextTable(["ROLE", "USERS"] + Right.allCases.map { $0.rawValue.uppercased() })
        for role in roles {
            table.add(
                [role.name, String(role.users)] + Right.allCases.map { (role.scopes[$0] ?? .none).rawValue })
        }
        Terminal.print(table.text)
    }
}

struct RoleEditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Changes the rights that are named; the others stay.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The role's name.")
    var role: String

    @Option(help: ArgumentHelp("A new name; built-in roles keep theirs.", valueName: "name"))
    var rename: String?

    @OptionGroup var rights: RightsArguments

    func run() throws {
        try Workplace(common).archive.editRole(named: role, newName: rename, rights.scopes)
        Terminal.print("changed role \(rename ?? role)")
    }
}

struct RoleRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes a role that nobody has.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The role's name.")
    var role: String

    func run() throws {
        try Workplace(common).archive.removeRole(named: role)
        Terminal.print("removed role \(role)")
    }
}
