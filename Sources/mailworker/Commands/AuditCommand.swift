import Archive
import ArgumentParser
import MailModel

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who did what, and when; nothing is ever taken out of it.",
        subcommands: [AuditListCommand.self])
}

struct AuditListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The actions of people, the newest first.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    @Option(
        help: "Only what was done about this address where the log does not name it: suppressions and rules.")
    var address: String?

    func run() throws {
        let asked = try address.map { try EmailAddress(typed: $0) }
        let archive = try Workplace(common).archive
        let entries = try archive.auditLog(about: asked, limit: listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(entries)) }
        var table = TextTable(["ID", "WHEN", "WHO", "FROM", "ACTION", "ABOUT"])
        for entry in entries {
            let who =
                entry.systemUser == entry.person || entry.systemUser.hasPrefix(entry.person + " (")
                ? entry.systemUser : "\(entry.person) (\(entry.systemUser))"
            table.add([
                String(entry.id), entry.at.shortText, who, entry.origin, entry.action, entry.subject ?? "-",
            ])
        }
        if table.isEmpty {
            guard listing.limit != 0 else { return }
            Terminal.print(
                asked == nil ? "Nobody has done anything yet." : "Nobody has done anything about it.")
        } else {
            Terminal.print(table.text)
        }
    }
}
