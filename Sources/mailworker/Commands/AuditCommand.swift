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

    func run() throws {
        let entries = try Workplace(common).archive.auditLog(limit: listing.limit ?? .max)
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
        Terminal.print(table.isEmpty ? "Nobody has done anything yet." : table.text)
    }
}
