import Foundation
import MailModel
import TOMLKit

/// A parsed TOML file that still knows where its keys stand, so that every
/// complaint names file, line and key.
struct TOMLSource {
    let path: String
    let root: TOMLTable
    private let lines: [Substring]

    init(path: String) throws(MailFailure) {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            let exists = FileManager.default.fileExists(atPath: path)
            throw MailFailure(
                .configuration, kind: .needsPerson, "The configuration file cannot be read", detail: path,
                remedy: exists
                    ? "Check that the file is UTF-8 text and readable by this user."
                    : "Create it with `mailworker --config \(path) init`, or name another with --config.")
        }
        try self.init(path: path, text: text)
    }

    init(path: String, text: String) throws(MailFailure) {
        self.path = path
        // A carriage return and line feed are one Character.
        lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        if let zero = text.firstIndex(of: "\0") {
            // The parser would take it for the end and leave the rest out without a word.
            let line = text[..<zero].count { $0 == "\n" || $0 == "\r\n" } + 1
            let column = text[..<zero].reversed().prefix { !$0.isNewline }.count + 1
            throw MailFailure(
                .configuration, kind: .needsPerson, "The configuration is not valid TOML",
                detail: "\(path):\(line):\(column): there is a zero byte",
                remedy: "Save the file as UTF-8 text.")
        }
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let place = "\(path):\(error.source.begin.line):\(error.source.begin.column)"
            throw MailFailure(
                .configuration, kind: .needsPerson, "The configuration is not valid TOML",
                detail: "\(place): \(error.description)",
                remedy: "Mend that line; config.example.toml shows every key as it should stand.")
        } catch {
            throw MailFailure(
                .configuration, kind: .needsPerson, "The configuration is not valid TOML", detail: path,
                remedy: "Compare it with config.example.toml.")
        }
    }

    /// A complaint about one key, with the line where it stands.
    func complaint(
        about key: String, in table: String, entry: Int = 0, _ problem: String, remedy: String
    ) -> MailFailure {
        let place = line(of: key, in: table, entry: entry).map { "\(path):\($0)" } ?? path
        let dotted = table.isEmpty ? key : "\(table).\(key)"
        return MailFailure(
            .configuration, kind: .needsPerson, "The configuration is not usable",
            detail: "\(place): \(dotted): \(problem)", remedy: remedy)
    }

    /// The 1-based line of a key below its table's n-th header; the header's own
    /// line when the key is not found there.
    private func line(of key: String, in table: String, entry: Int) -> Int? {
        var headersSeen = -1
        var insideTable = table.isEmpty
        var headerLine: Int?
        for (index, line) in lines.enumerated() {
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.hasPrefix("[") {
                let name = text.drop { $0 == "[" || $0 == " " }.prefix { $0 != "]" && $0 != " " }
                if name == table {
                    headersSeen += 1
                    insideTable = headersSeen == entry
                    if insideTable { headerLine = index + 1 }
                } else if table.isEmpty, name == key {
                    return index + 1
                } else {
                    insideTable = false
                }
            } else if insideTable {
                let name = text.prefix { $0 != "=" }.trimmingCharacters(in: .whitespaces)
                if name == key || name == "\"\(key)\"" { return index + 1 }
            }
        }
        return headerLine
    }
}

extension MailFailure.Code {
    /// The configuration file or a value in it is not usable.
    static let configuration = Self("configuration")
}
