import Archive
import ArgumentParser
import MailModel
import Matcher

struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Users of the CRM: their mailboxes are polled, and their role says what they see.",
        subcommands: [
            UserAddCommand.self, UserListCommand.self, UserEditCommand.self, UserPasswdCommand.self,
            UserRemoveCommand.self, UserTokenCommand.self,
        ])
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

    @Option(help: "administrator, manager, employee, or a role of your own.")
    var role = BuiltInRole.employee.rawValue

    @Option(help: "The department that they belong to.")
    var department: String?

    func validate() throws {
        guard (user == nil) != (name == nil) else {
            throw ValidationError("Name one user: mailworker user add NAME.")
        }
    }

    func run() throws {
        let workplace = try Workplace(common)
        var draft = UserDraft(email: try email.map { try EmailAddress(typed: $0) }, role: role)
        draft.department = department
        let chosen = user ?? name ?? ""
        let id = try workplace.archive.addUser(name: chosen, draft)
        Terminal.print("added user \(chosen) (\(id)), \(role)")
    }
}

struct UserListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the users.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    private struct Entry: Encodable {
        var user: User

        enum CodingKeys: String, CodingKey {
            case id, name, email, role, department, enabled
            case hasPassword = "has_password"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(user.id, forKey: .id)
            try container.encode(user.name, forKey: .name)
            try container.encode(user.email?.lowercased, forKey: .email)
            try container.encode(user.role, forKey: .role)
            try container.encode(user.department, forKey: .department)
            try container.encode(user.isEnabled, forKey: .enabled)
            try container.encode(user.hasPassword, forKey: .hasPassword)
        }
    }

    func run() throws {
        let users = try Workplace(common).archive.users().prefix(listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(users.map { Entry(user: $0) })) }
        var table = TextTable(["ID", "NAME", "EMAIL", "ROLE", "DEPARTMENT", ""])
        for user in users {
            table.add([
                user.id.description, user.name, user.email?.lowercased ?? "-", user.role ?? "-",
                user.department ?? "-", user.isEnabled ? "" : "disabled",
            ])
        }
        Terminal.print(table.isEmpty ? "No users. Add one: mailworker user add NAME" : table.text)
    }
}

struct UserEditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Changes a user's address, role or department; the rest stays.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The user's name.")
    var user: String

    @Option(help: ArgumentHelp("An address of theirs; \"\" for none.", valueName: "address"))
    var email: String?

    @Option(help: "administrator, manager, employee, or a role of your own.")
    var role: String?

    @Option(help: "The department that they belong to; \"\" for none.")
    var department: String?

    @Flag(help: "Takes in again whom user remove has kept out.")
    var enable = false

    func run() throws {
        let archive = try Workplace(common).archive
        let found = try archive.user(named: user)
        var draft = UserDraft(found)
        if let email { draft.email = email.isEmpty ? nil : try EmailAddress(typed: email) }
        if let role { draft.role = role }
        if let department { draft.department = department.isEmpty ? nil : department }
        if enable { draft.isEnabled = true }
        try archive.editUser(found.id, draft)
        Terminal.print("changed user \(user)")
    }
}
