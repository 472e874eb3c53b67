public import Archive
public import Foundation
public import MailModel
import SwiftCSV

/// Contacts in a CSV file with a header line: `external_id`, `kind`, `name`,
/// `emails` (separated by comma, semicolon or white space), `organisation`,
/// `owner`, `do_not_email`, `notify_owner`, `private`, `type`, `tags`, `phones` and `users` (these three
/// separated by comma or semicolon). Only `name` or `emails` is needed. The separator of the
/// file is a comma, a semicolon or a tab; its text is UTF-8, UTF-16 with its mark, else
/// windows-1251, as spreadsheets write it.
public struct ContactCSV: Sendable {
    /// A row that was read, with its place in the file.
    public struct Row: Sendable {
        /// Counted from 1, the header included.
        public var number: Int
        public var contact: ContactImportRow
    }

    public private(set) var rows: [Row] = []
    /// Rows that could not be understood; each names its number.
    public private(set) var refused: [MailFailure] = []

    public enum Encoding: String, Sendable, CaseIterable {
        case utf8 = "utf-8"
        case windows1251 = "windows-1251"
    }

    public static let columns = [
        "external_id", "kind", "name", "emails", "organisation", "owner", "do_not_email", "notify_owner",
        "private", "type", "tags", "phones", "users",
    ]
    /// Columns that may stand in a file several times, and have several values in one cell.
    private static let severalFold: Set<String> = ["emails", "phones", "tags", "users"]
    /// Other spellings of the columns.
    private static let synonyms = [
        "id": "external_id", "email": "emails", "e-mail": "emails", "organization": "organisation",
        "company": "organisation", "имя": "name", "название": "name", "почта": "emails", "тип": "kind",
        "организация": "organisation", "компания": "organisation", "ответственный": "owner",
        "phone": "phones", "телефон": "phones", "tag": "tags", "метки": "tags", "user": "users",
    ]

    /// - Parameters:
    ///   - map: the column that each name in the header means; an empty one leaves its cells out.
    ///   - encoding: nil when it is to be found out.
    /// - Throws: `csv` when the file as a whole cannot be read: encoding, quotes, header.
    public init(
        data: Data, map: [String: String] = [:], encoding: Encoding? = nil
    ) throws(MailFailure) {
        var text = try Self.decode(data, encoding)
        if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
        let delimiter = Self.delimiter(of: text)
        // The parser takes an unclosed cell for the rest of the file, and does not say in which row
        // another quote is wrong.
        if let row = CSVQuotes.firstBrokenRow(of: text, delimiter: delimiter.rawValue) {
            throw Self.unusable(
                "row \(row): a quote is not closed, or stands inside a cell",
                "Put double quotes around the whole cell, and write each quote inside it twice.")
        }
        let table: EnumeratedCSV
        do {
            table = try EnumeratedCSV(string: text, delimiter: delimiter, loadColumns: false)
        } catch {
            throw Self.unusable("\(error)", "Save the file as CSV anew.")
        }
        let plain = table.header.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        var mapped: [String: String] = [:]
        for (name, column) in map {
            guard plain.contains(name.lowercased()) else {
                throw Self.unusable(
                    "the first line has no column \"\(name)\"",
                    "Its columns are: \(plain.joined(separator: ", ")).")
            }
            mapped[name.lowercased()] = column
        }
        let header = plain.map { mapped[$0] ?? Self.synonyms[$0] ?? $0 }
        guard header.contains("name") || header.contains("emails") else {
            throw Self.unusable(
                "the first line has no column \"name\" or \"emails\"",
                "Begin the file with a header such as \(Self.columns.joined(separator: ",")).")
        }
        for (index, column) in header.enumerated()
        where Self.columns.contains(column) && !Self.severalFold.contains(column)
            && header[..<index].contains(column)
        {
            throw Self.unusable(
                "the first line has the column \"\(column)\" twice",
                "Leave one of them out with --map, or take it out of the file.")
        }
        for (index, cells) in table.rows.enumerated() {
            let number = index + 2
            do throws(MailFailure) {
                let fields = try Self.fields(cells, under: header)
                guard !fields.isEmpty else { continue }
                rows.append(Row(number: number, contact: try Self.contact(fields)))
            } catch {
                var located = error
                located.detail = "row \(number): \(error.detail ?? "")"
                refused.append(located)
            }
        }
    }

    private static func fields(
        _ cells: [String], under header: [String]
    ) throws(MailFailure) -> [String: String] {
        let values = cells.map { unmarked($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        guard values.dropFirst(header.count).allSatisfy(\.isEmpty) else {
            throw refusal(
                "more cells than the header has columns",
                "Put double quotes around a cell that holds the separator.")
        }
        var fields: [String: String] = [:]
        for (name, value) in zip(header, values) where !value.isEmpty {
            // Address books have a column for each address and number.
            if severalFold.contains(name), let earlier = fields[name] {
                fields[name] = "\(earlier),\(value)"
            } else {
                fields[name] = value
            }
        }
        return fields
    }

    private static func contact(_ fields: [String: String]) throws(MailFailure) -> ContactImportRow {
        var kind: Contact.Kind?
        if let name = fields["kind"] {
            guard let known = Contact.Kind(rawValue: name.lowercased()) else {
                throw refusal("kind \"\(name)\"", "Use person, lead or organisation.")
            }
            kind = known
        }
        var emails: [EmailAddress] = []
        for part in (fields["emails"] ?? "").split(whereSeparator: {
            $0 == "," || $0 == ";" || $0.isWhitespace
        }) {
            guard let address = EmailAddress(part) else {
                throw refusal("address \"\(part)\"", "Write local@domain; separate several by commas.")
            }
            emails.append(address)
        }
        guard fields["name"] != nil || !emails.isEmpty else {
            throw refusal("no name and no address", "Give the contact one of them.")
        }
        var row = ContactImportRow(kind: kind, name: fields["name"], emails: emails)
        row.externalID = fields["external_id"]
        row.organisation = fields["organisation"]
        row.owner = fields["owner"]
        row.doNotEmail = try flag(fields["do_not_email"])
        row.notifyOwner = try flag(fields["notify_owner"])
        row.isPrivate = try flag(fields["private"])
        row.type = fields["type"]
        row.tags = list(fields["tags"])
        row.phones = list(fields["phones"])
        row.users = list(fields["users"])
        return row
    }

    private static func flag(_ text: String?) throws(MailFailure) -> Bool? {
        guard let text else { return nil }
        switch text.lowercased() {
        case "true", "yes", "1", "y", "да": return true
        case "false", "no", "0", "n", "нет": return false
        default: throw refusal("\"\(text)\" is neither yes nor no", "Write true or false.")
        }
    }

    /// The one of comma, semicolon and tab that occurs most in the header line.
    private static func delimiter(of text: String) -> CSVDelimiter {
        let header = text.prefix { !$0.isNewline }
        let counts = [",", ";", "\t"].map { mark in (mark, header.count { String($0) == mark }) }
        let most = counts.max { $0.1 < $1.1 }
        return switch most?.0 {
        case ";": .semicolon
        case "\t": .tab
        default: .comma
        }
    }

    private static func decode(_ data: Data, _ encoding: Encoding?) throws(MailFailure) -> String {
        if data.starts(with: [0xFF, 0xFE]) || data.starts(with: [0xFE, 0xFF]),
            let text = String(data: data, encoding: .utf16)
        {
            return text
        }
        if encoding != .windows1251 {
            if let text = String(data: data, encoding: .utf8) { return text }
            if encoding == .utf8 {
                throw unusable("it is not UTF-8", "Leave --encoding out, or name windows-1251.")
            }
        }
        if let text = String(data: data, encoding: .windowsCP1251) { return text }
        throw unusable("neither UTF-8 nor windows-1251", "Save the file as UTF-8.")
    }

    private static func unusable(_ detail: String, _ remedy: String) -> MailFailure {
        MailFailure(.csv, kind: .needsPerson, "The CSV file cannot be read", detail: detail, remedy: remedy)
    }

    private static func refusal(_ detail: String, _ remedy: String) -> MailFailure {
        MailFailure(.csv, kind: .permanent, "A row was left out", detail: detail, remedy: remedy)
    }
}

extension MailFailure.Code {
    /// A CSV file, or one of its rows, cannot be understood.
    public static let csv = Self("csv")
}
