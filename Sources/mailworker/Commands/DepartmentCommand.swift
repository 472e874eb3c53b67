import Archive
import ArgumentParser
import MailModel

struct DepartmentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "department", abstract: "Users that belong together: the reach of the scope department.",
        subcommands: [
            DepartmentAddCommand.self, DepartmentListCommand.self, DepartmentEditCommand.self,
            DepartmentRemoveCommand.self,
        ])
}

struct DepartmentAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Adds a department.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "Its name, unique.")
    var department: String

    func run() throws {
        try Workplace(common).archive.addDepartment(name: department)
        Terminal.print("added department \(department)")
    }
}

struct DepartmentListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the departments.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    private struct Entry: Encodable {
        var name: String
        var users: Int
    }

    func run() throws {
        let departments = try Workplace(common).archive.departments().prefix(listing.limit ?? .max)
        if listing.json {
            let entries = departments.map { Entry(name: $0.name, users: $0.users) }
            return Terminal.print(try JSONOutput.document(entries))
        }
        var table = TextTable(["DEPARTMENT", "USERS"])
        for department in departments { table.add([department.name, String(department.users)]) }
        Terminal.print(
            table.isEmpty ? "No departments. Add one: mailworker department add NAME" : table.text)
    }
}

struct DepartmentEditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "edit", abstract: "Renames a department.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "Its name.")
    var department: String

    @Option(help: ArgumentHelp("Its new name.", valueName: "name"))
    var rename: String

    func run() throws {
        try Workplace(common).archive.renameDepartment(named: department, to: rename)
        Terminal.print("changed department \(rename)")
    }
}

struct DepartmentRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes a department that nobody belongs to.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "Its name.")
    var department: String

    func run() throws {
        try Workplace(common).archive.removeDepartment(named: department)
        Terminal.print("removed department \(department)")
    }
}
