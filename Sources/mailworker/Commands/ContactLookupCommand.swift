import Archive
import ArgumentParser
import Foundation
import MailModel
import Matcher

struct ContactLookupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lookup", abstract: "Who has an address: what the matcher knows of it.",
        discussion: """
            Shows for each address the form in which it is compared, the contacts that have it, whether it is
            one of our own, and the rule that ignores it.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "Addresses.")
    var addresses: [String] = []

    @Option(
        help: ArgumentHelp(
            "Instead, the addresses in this file, one a line (-: standard input).", valueName: "path"))
    var file: String?

    @Flag(help: "One JSON object a line instead of text, with how long each lookup took.")
    var jsonl = false

    func validate() throws {
        guard addresses.isEmpty != (file == nil) else {
            throw ValidationError("Name either addresses or --file.")
        }
    }

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let words = try file.map(Self.lines) ?? addresses
        let addresses = try words.map { text throws(MailFailure) in try EmailAddress(typed: text) }
        try archive.lookUp(addresses) { facts in
            Terminal.print(jsonl ? try JSONOutput.line(facts) : Terminal.sanitized(facts.words))
        }
    }

    private static func lines(of path: String) throws -> [String] {
        let input = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
        guard let data = try input?.readToEnd() ?? (input == nil ? nil : Data()) else {
            throw MailFailure.usage(
                "The file cannot be read", detail: path, remedy: "Name a file of addresses.")
        }
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    }
}

extension AddressFacts {
    /// On one line.
    fileprivate var words: String {
        var parts: [String] = []
        if canonical.rawValue != address { parts.append("compared as \(canonical.rawValue)") }
        parts += contacts.map { "\($0.name) (\($0.id))" }
        if isOwn { parts.append("one of our own") }
        if let ignoredBy { parts.append("ignored by the rule for \(ignoredBy)") }
        if contacts.isEmpty, !isOwn, ignoredBy == nil { parts.append("nobody's") }
        return "\(address): \(parts.joined(separator: ", "))"
    }
}
