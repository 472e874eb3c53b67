public import Archive
import MailModel

extension ContactCSV {
    /// Contacts as a file that an import reads back: comma-separated, with a header line, CRLF ends
    /// (RFC 4180).
    public static func text(of contacts: [Contact]) -> String {
        var text = columns.joined(separator: ",") + "\r\n"
        for contact in contacts {
            let cells: [String] = [
                contact.externalID ?? "", contact.kind.rawValue, contact.name,
                contact.emails.map(\.addrSpec).joined(separator: ","), contact.organisationName ?? "",
                contact.ownerName ?? "", flag(contact.doNotEmail), flag(contact.notifyOwner),
                flag(contact.isPrivate), contact.details.type ?? "",
                contact.details.tags.joined(separator: ","), contact.details.phones.joined(separator: ","),
            ]
            text += cells.map(quoted).joined(separator: ",") + "\r\n"
        }
        return text
    }

    private static func flag(_ value: Bool) -> String { value ? "true" : "false" }

    private static func quoted(_ cell: String) -> String {
        guard cell.contains(where: { ",;\t\"\r\n ".contains($0) }) else { return cell }
        return "\"" + cell.replacing("\"", with: "\"\"") + "\""
    }
}
