public import Archive
import Foundation
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
                listed(contact.details.tags), listed(contact.details.phones), listed(contact.userNames),
            ]
            text += cells.map { quoted(marked($0)) }.joined(separator: ",") + "\r\n"
        }
        return text
    }

    /// Several names in one cell. One that holds a separator stands in quotes, as a whole cell does.
    private static func listed(_ names: [String]) -> String {
        names.map { name in
            name.contains { ",;\"".contains($0) } ? "\"" + name.replacing("\"", with: "\"\"") + "\"" : name
        }.joined(separator: ",")
    }

    /// What was written as `listed`.
    static func list(_ text: String?) -> [String] {
        var names: [String] = []
        var rest = (text ?? "")[...]
        while !rest.isEmpty {
            rest = rest.drop { $0.isWhitespace }
            if rest.first == "\"", let (name, behind) = quotedName(rest) {
                names.append(name)
                rest = behind
            } else {
                names.append(String(rest.prefix { !isSeparator($0) }))
                rest = rest.drop { !isSeparator($0) }
            }
            rest = rest.dropFirst()
        }
        return names.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.filter { !$0.isEmpty }
    }

    /// The name in quotes with which a text begins, and what stands behind it; nil when the quotes are part of a name.
    private static func quotedName(_ text: Substring) -> (String, Substring)? {
        var name = ""
        var rest = text.dropFirst()
        while let character = rest.first {
            rest = rest.dropFirst()
            if character != "\"" {
                name.append(character)
            } else if rest.first == "\"" {
                name.append(character)
                rest = rest.dropFirst()
            } else {
                let behind = rest.drop { $0.isWhitespace }
                return behind.isEmpty || isSeparator(behind[behind.startIndex]) ? (name, behind) : nil
            }
        }
        return nil
    }

    private static func isSeparator(_ character: Character) -> Bool { character == "," || character == ";" }

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
