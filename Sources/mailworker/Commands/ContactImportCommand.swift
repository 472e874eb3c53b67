import Archive
public import ArgumentParser
import Foundation
import MailModel
import Matcher
public import Worker

extension ContactCSV.Encoding: ExpressibleByArgument {}

struct ContactImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Imports contacts from a CSV file, or from vCards.",
        discussion: """
            The first line of a CSV file names the columns: external_id, kind, name, emails (several separated by
            comma or semicolon), organisation, owner, do_not_email, notify_owner, private, type, tags, phones, users
            (who see a private one besides its owner), and given_name, middle_name and family_name where there is no name.
            Most names that Google, Outlook and Yandex give their columns are understood; --map says which column another
            name means, and columns that mean nothing are named. Commas, semicolons or tabs separate, and UTF-8 and
            windows-1251 are told apart. A row whose external_id, or else whose address and name, is known updates
            that contact; addresses, tags, numbers and users are added, never taken away. All rows are imported in one
            transaction. --dry-run lists what would be added, changed and refused; --ask lists it, and imports
            when you accept.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    @Argument(help: "The file.", completion: .file(extensions: ["csv", "vcf"]))
    var file: String

    @Option(
        help: ArgumentHelp(
            "The column that a name in the header means; an empty COLUMN leaves it out.",
            valueName: "HEADER=COLUMN"))
    var map: [String] = []

    @Option(help: "utf-8 or windows-1251; found out when absent.")
    var encoding: ContactCSV.Encoding?

    @Flag(help: "Lists what would be done, and changes nothing.")
    var dryRun = false

    @Flag(help: "Lists what would be done, and asks at the terminal before it is done.")
    var ask = false

    /// One wrong column is an error in each row.
    private static let shownFailures = 20

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        guard let data = FileManager.default.contents(atPath: file) else {
            throw MailFailure.usage(
                "The file cannot be read", detail: file, remedy: "Check that it exists and is readable.")
        }
        let source = try read(data)
        let contacts = source.rows.map(\.contact)
        func run(isTrial: Bool) throws -> ContactImportAnswer {
            Terminal.progress("importing \(contacts.count) rows …")
            let report = try archive.importContacts(contacts, isTrial: isTrial) { done in
                Terminal.progress("\(done) of \(contacts.count) rows …")
            }
            return ContactImportAnswer(report, of: source, isDone: !isTrial)
        }
        var answer = try run(isTrial: dryRun || ask)
        if dryRun || ask, !listing.json { Terminal.print(answer.table(limit: listing.limit)) }
        if ask, !dryRun {
            guard try isAccepted(answer) else {
                return Terminal.print(
                    listing.json ? try JSONOutput.document(answer) : "Nothing was imported.")
            }
            answer = try run(isTrial: false)
        }
        if listing.json { Terminal.print(try JSONOutput.document(answer)) }
        for failure in answer.failures.prefix(Self.shownFailures) { Terminal.complain(failure.revealed) }
        let others = answer.failures.count - Self.shownFailures
        if others > 0 {
            Terminal.complain("\(amount(others, "more row is", "more rows are")) refused; --json names all")
        }
        if let notice = answer.notice { Terminal.complain(notice) }
        if !listing.json { Terminal.print(answer.summary + (answer.done ? Actor.wayBack : "")) }
        if !answer.failures.isEmpty { throw ExitStatus.someItemsFailed }
    }

    private func read(_ data: Data) throws -> ContactImportAnswer.Source {
        var columns: [String: String] = [:]
        for entry in map {
            guard let equals = entry.lastIndex(of: "="), equals != entry.startIndex else {
                throw MailFailure.usage(
                    "This maps no column", detail: entry, remedy: "Write --map HEADER=COLUMN.")
            }
            let column = String(entry[entry.index(after: equals)...])
            guard column.isEmpty || ContactCSV.columns.contains(column) else {
                throw MailFailure.usage(
                    "There is no such column", detail: column,
                    remedy: "Use one of: \(ContactCSV.columns.joined(separator: ", ")).")
            }
            columns[String(entry[..<equals])] = column
        }
        if ContactCards.isCards(data) {
            let cards = ContactCards(data: data)
            return ContactImportAnswer.Source(rows: cards.rows, refused: cards.refused)
        }
        let table = try ContactCSV(data: data, map: columns, encoding: encoding)
        return ContactImportAnswer.Source(
            rows: table.rows, refused: table.refused, ignoredColumns: table.ignoredColumns)
    }

    private func isAccepted(_ answer: ContactImportAnswer) throws -> Bool {
        guard isatty(STDIN_FILENO) == 1 else {
            throw MailFailure.usage(
                "--ask needs a terminal", remedy: "Look with --dry-run, then import without it.")
        }
        // Beside the results: standard output may be somebody's document.
        if listing.json { Terminal.ask(answer.table(limit: listing.limit) + "\n") }
        Terminal.ask("\(answer.summary)\nImport them? [y/N] ")
        return ["y", "yes", "да", "д"].contains((readLine() ?? "").lowercased())
    }
}

/// What an import did, or would do.
struct ContactImportAnswer: Encodable {
    /// What was read of a file.
    struct Source {
        var rows: [ContactCSV.Row]
        var refused: [MailFailure]
        var ignoredColumns: [String] = []
    }

    struct Change: Encodable {
        var row: Int
        /// Nil for one that is only about to be added.
        var contact: ContactID?
        var name: String?
        var fields: [String]
    }

    var done: Bool
    var addedCount: Int
    var changedCount: Int
    var unchangedCount: Int
    var organisationsAdded: Int
    var linkedMessages: Int
    /// Each row, in a trial only.
    var added: [Change] = []
    var changed: [Change] = []
    var refused: [String]
    /// Those of the file that mean nothing here.
    var ignoredColumns: [String]
    let failures: [MailFailure]
    private let gain: AddressGain
    private let organisations: [String]

    private enum CodingKeys: String, CodingKey {
        case done
        case addedCount = "added_count"
        case changedCount = "changed_count"
        case unchangedCount = "unchanged_count"
        case organisationsAdded = "organisations_added"
        case linkedMessages = "linked_messages"
        case added, changed, refused
        case ignoredColumns = "ignored_columns"
    }

    init(_ report: ContactImportReport, of source: Source, isDone: Bool) {
        done = isDone
        ignoredColumns = source.ignoredColumns
        gain = report.gain
        organisations = report.organisations
        addedCount = report.added
        unchangedCount = report.unchanged
        organisationsAdded = report.organisationsAdded
        linkedMessages = report.gain.linkedMessages
        for change in report.changes {
            let row = source.rows[change.row]
            let entry = Change(
                row: row.number, contact: change.isNew ? nil : change.contact, name: row.contact.name,
                fields: change.fields)
            if change.isNew { added.append(entry) } else if !change.fields.isEmpty { changed.append(entry) }
        }
        changedCount = isDone ? report.updated : changed.count
        failures =
            source.refused
            + report.refused.map { refusal in
                var failure = refusal.failure
                failure.detail = "row \(source.rows[refusal.row].number): \(failure.detail ?? "")"
                return failure
            }
        refused = failures.map(\.revealed)
    }

    func table(limit: Int?) -> String {
        var table = TextTable(["ROW", "WHAT", "CONTACT", "CHANGES"])
        let entries = (added.map { ($0, "add") } + changed.map { ($0, "change") })
            .sorted { $0.0.row < $1.0.row }
        for organisation in organisations.prefix(limit ?? .max) {
            table.add(["-", "add", organisation, "an organisation that rows name"])
        }
        for (change, what) in entries.prefix(limit ?? .max) {
            table.add([
                String(change.row), what, change.name ?? change.contact?.description ?? "-",
                change.fields.joined(separator: ", "),
            ])
        }
        return table.isEmpty ? "No row adds or changes anything." : table.text
    }

    var notice: String? {
        guard !ignoredColumns.isEmpty else { return nil }
        return "Not taken, since contacts have no such column: \(ignoredColumns.joined(separator: ", ")). "
            + "Say what one means with --map HEADER=COLUMN, or --map HEADER= to leave it out."
    }

    private var withOrganisations: String {
        organisationsAdded == 0 ? "" : " with \(amount(organisationsAdded, "new organisation"))"
    }

    var summary: String {
        done
            ? "\(addedCount) added\(withOrganisations), \(changedCount) updated, \(unchangedCount) as before, \(failures.count) refused\(gain.text)"
            : "\(addedCount) would be added\(withOrganisations), \(changedCount) changed, \(unchangedCount) as before, \(failures.count) refused; nothing was "
                + "changed. \(amount(gain.linkedMessages, "message")) would enter a history."
    }
}
