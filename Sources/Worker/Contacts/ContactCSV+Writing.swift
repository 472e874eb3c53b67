public import Archive
import MailModel

extension ContactCSV {
    /// Contacts as a file that an import reads back: comma-separated, with a header line, CRLF ends
    /// (RFC 4180). What would be a formula in a spreadsheet is text there: a name comes from a stranger.
    public static func text(of contacts: [Contact]) -> String {
        var text = columns.joined(separator: ",") + "\r\n"
        for contact in contacts {
            let cells: [String] = [
                contact.externalID ?? "", contact.kind.rawValue, contact.name,
                contact.emails.map(\.addrSpec).joined(separator: ","), contact.organisationName ?? "",
                contact.ownerName ?? "", flag(contact.doNotEmail), flag(contact.notifyOwner),
                flag(contact.isPrivate), contact.details.type ?? "",
                contact.details.tags.joined(separator: ","), contact.details.phones.joined(separator: ","),
                contact.userNames.joined(separator: ","),
            ]
            text += cells.map { quoted(marked($0)) }.joined(separator: ",") + "\r\n"
        }
        return text
    }

    private static func flag(_ value: Bool) -> String { value ? "true" : "false" }

    /// What a spreadsheet would take for a formula, behind the apostrophe that makes text of it there; `unmarked` takes
    /// that off again. A number, such as that of a telephone, calls nothing.
    private static func marked(_ cell: String) -> String {
        guard isFormula(cell), !cell.allSatisfy("+-0123456789().,;/ ".contains) else { return cell }
        return "'" + cell
    }

    /// What was written as `cell`.
    static func unmarked(_ cell: String) -> String {
        cell.hasPrefix("'") && isFormula(cell) ? String(cell.dropFirst()) : cell
    }

    /// Whether it begins as a formula does, be it behind apostrophes.
    private static func isFormula(_ cell: String) -> Bool {
        cell.unicodeScalars.first { $0 != "'" && !$0.properties.isWhitespace }.map {
            "=+-@".unicodeScalars.contains($0)
        }
            ?? false
    }

    private static func quoted(_ cell: String) -> String {
        guard cell.contains(where: { ",;\t\"\r\n ".contains($0) }) else { return cell }
        return "\"" + cell.replacing("\"", with: "\"\"") + "\""
    }
}
