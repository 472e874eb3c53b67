public import Archive
public import Foundation
public import MailModel
import SwiftCSV

/// Contacts in a CSV file with a header line: `external_id`, `kind`, `name`,
/// `emails` (separated by comma, semicolon or white space), `organisation`,
/// `owner`, `do_not_email`, `notify_owner`, `private`, `type`, `tags`, `phones` and `users` (these three
/// separated by comma or semicolon). Only `name` or `emails` is needed; `given_name`, `middle_name` and
/// `family_name` make a name where there is none. Columns as the address books of Google, Outlook and Yandex name them
/// are understood. The separator of the file is a comma, a semicolon or a tab, or what a first line `sep=;` says; its
/// text is UTF-8, UTF-16 with its mark, else windows-1251, as spreadsheets write it.
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
    /// Columns, as the file names them, that are nobody's and in which something stands.
    public private(set) var ignoredColumns: [String] = []

    public enum Encoding: String, Sendable, CaseIterable {
        case utf8 = "utf-8"
        case windows1251 = "windows-1251"
    }

    public static let columns = ContactColumns.all

    /// - Parameters:
    ///   - map: the column that each name in the header means; an empty one leaves its cells out.
    ///   - encoding: nil when it is to be found out.
    /// - Throws: `csv` when the file as a whole cannot be read: encoding, quotes, header.
    public init(
        data: Data, map: [String: String] = [:], encoding: Encoding? = nil
    ) throws(MailFailure) {
        var text = try Self.decode(data, encoding)
        if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
        let said = Self.saidDelimiter(&text)
        let delimiter = said ?? Self.delimiter(of: text)
        let firstRow = said == nil ? 1 : 2
        // The parser takes an unclosed cell for the rest of the file, and does not say in which row
        // another quote is wrong.
        if let row = CSVQuotes.firstBrokenRow(of: text, delimiter: delimiter.rawValue) {
            throw Self.unusable(
                "row \(row + firstRow - 1): a quote is not closed, or stands inside a cell",
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
        let header = ContactColumns.meant(by: plain, mapped)
        guard header.contains(where: { ContactColumns.naming.contains($0) }) else {
            throw Self.unusable(
                "the first line has no column \"name\" or \"emails\"",
                "Begin the file with a header such as \(Self.columns.joined(separator: ",")).")
        }
        for (index, column) in header.enumerated()
        where Self.columns.contains(column) && !ContactColumns.severalFold.contains(column)
            && header[..<index].contains(column)
        {
            throw Self.unusable(
                "the first line has the column \"\(column)\" twice",
                "Leave one of them out with --map, or take it out of the file.")
        }
        for (index, cells) in table.rows.enumerated() {
            let number = index + firstRow + 1
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
        ignoredColumns = header.indices.filter { column in
            !header[column].isEmpty && !Self.columns.contains(header[column])
                && table.rows.contains { column < $0.count && !$0[column].isEmpty }
        }.map { table.header[$0].trimmingCharacters(in: .whitespaces) }
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
            if ContactColumns.severalFold.contains(name), let earlier = fields[name] {
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
        let parts = ["given_name", "middle_name", "family_name"].compactMap { fields[$0] }
        let name = fields["name"] ?? (parts.isEmpty ? nil : parts.joined(separator: " "))
        guard name != nil || !emails.isEmpty else {
            throw refusal("no name and no address", "Give the contact one of them.")
        }
        var row = ContactImportRow(kind: kind, name: name, emails: emails)
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

    /// What a first line `sep=;` says, by which spreadsheets are told; it is taken away.
    private static func saidDelimiter(_ text: inout String) -> CSVDelimiter? {
        guard let said = text.prefixMatch(of: #/"?sep=(.)"?[;,\t]*\R/#.ignoresCase()),
            let delimiter = [";": CSVDelimiter.semicolon, ",": .comma, "\t": .tab][String(said.1)]
        else { return nil }
        text.removeSubrange(said.range)
        return delimiter
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
