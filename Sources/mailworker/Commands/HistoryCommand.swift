import Archive
import ArgumentParser
import MailModel
import Matcher

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "The mail of one contact, the newest first.",
        discussion: "An organisation shows the mail of its people too.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "An id, external id, address or exact name.")
    var contact: String

    @OptionGroup var listing: ListingOptions

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let found = try archive.findContact(contact)
        let entries = try archive.history(of: found.id, limit: listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(entries)) }
        if entries.isEmpty { return Terminal.print("No mail of \(found.name) yet.") }
        let total = try archive.historyCount(of: found.id)
        Terminal.print("\(found.name): \(amount(total, "message"))\n")
        Terminal.print(Terminal.sanitized(entries.map { Self.text($0, of: found) }.joined(separator: "\n")))
    }

    private static func text(_ entry: HistoryEntry, of contact: Contact) -> String {
        let arrow =
            switch entry.direction {
            case .incoming: "←"
            case .outgoing: "→"
            case .internal: "↔"
            }
        let people = entry.direction == .incoming ? entry.from ?? "-" : entry.to.joined(separator: ", ")
        var lines = [
            "\(entry.date?.shortText ?? "(no date)")  \(arrow)  \(entry.category.marked(entry.subject))",
            "    message \(entry.message), \(people); \(entry.reason)"
                + (entry.contact == contact.id ? "" : " (\(entry.contactName))")
                + (entry.senderCheck.map { "; sender \($0.words)" } ?? ""),
        ]
        for (index, attachment) in entry.attachments.enumerated() where !attachment.isInline {
            lines.append(
                "    [\(index + 1)] \(attachment.filename ?? "(no name)"), \(attachment.contentType), "
                    + "\(attachment.size) bytes")
        }
        if let editor = entry.editedBy { lines.append("    edited by \(editor)") }
        lines += entry.returned.map { "    \($0.words)" }
        return lines.joined(separator: "\n")
    }
}
