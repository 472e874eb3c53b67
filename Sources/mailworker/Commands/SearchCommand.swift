public import Archive
public import ArgumentParser
import Foundation
import MailModel
import Matcher
import Worker

extension SearchFilter.Order: ExpressibleByArgument {}
extension Direction: ExpressibleByArgument {}

struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Finds mail by its words: subject, people, text, names of files.",
        discussion: """
            Words side by side must all occur, in any of their Russian or English forms: договор
            finds договоры and договором.

              "оплата счёта"   these words together, in this order
              догов*           words that begin so
              -черновик        must not occur
              счёт OR оплата   either will do

            What is new is indexed first, with progress; run does that by itself.
            """)

    @OptionGroup var common: CommonOptions

    // A word that must not occur begins as an option does.
    @Argument(parsing: .allUnrecognized, help: "What to look for.")
    var query: [String] = []

    @Option(help: "Only in the history of this contact: an id, external id, address or exact name.")
    var contact: String?

    @Option(help: "Only what this account has a copy of.")
    var account: String?

    @Option(help: ArgumentHelp("A part of the sender's address or name.", valueName: "text"))
    var from: String?

    @Option(help: ArgumentHelp("A part of a recipient's address or name.", valueName: "text"))
    var to: String?

    @Option(help: "incoming, outgoing or internal.")
    var direction: Direction?

    @Option(help: ArgumentHelp("Nothing older than this day, such as 2026-01-31.", valueName: "date"))
    var after: String?

    @Option(help: ArgumentHelp("Only what is older than this day.", valueName: "date"))
    var before: String?

    @Flag(help: "Only mail with an attachment.")
    var hasAttachment = false

    @Option(help: "relevance, or date: the newest first.")
    var sort = SearchFilter.Order.relevance

    @Flag(help: "Searches what is indexed by now, without waiting for the rest.")
    var now = false

    @Flag(help: "Makes the index anew, out of the originals; takes the right to administer.")
    var rebuild = false

    @OptionGroup var listing: ListingOptions

    func validate() throws {
        if let word = query.first(where: { $0.hasPrefix("--") }) {
            throw ValidationError("Unknown option '\(word)'")
        }
        guard rebuild || !query.isEmpty else { throw ValidationError("Give the words to search for.") }
        for day in [after, before].compactMap({ $0 }) where UnixTime(day: day) == nil {
            throw ValidationError("\(day) is not a day such as 2026-01-31.")
        }
    }

    func run() async throws {
        let workplace = try Workplace(common, as: rebuild ? .administration : .rights)
        let archive = workplace.archive
        if rebuild { try archive.emptySearchIndex() }
        var waiting = try archive.searchBacklog()
        if waiting > 0, !now {
            let total = waiting
            try await workplace.searchIndexing().run { count in
                Terminal.progress("indexing \(count) of \(total) messages …")
            }
            Terminal.clearProgress()
            waiting = try archive.searchBacklog()
            if rebuild, query.isEmpty { return Terminal.print("indexed \(amount(total, "message"))") }
        }
        guard !query.isEmpty else { return }
        var filter = SearchFilter()
        filter.contact = try contact.map { try archive.findContact($0).id }
        filter.account = account
        filter.from = from
        filter.to = to
        filter.direction = direction
        filter.notBefore = after.flatMap(UnixTime.init(day:))
        filter.before = before.flatMap(UnixTime.init(day:))
        filter.hasAttachment = hasAttachment
        filter.order = sort
        let hits = try archive.search(
            SearchQuery(query.joined(separator: " ")), filter, limit: listing.limit ?? 50)
        if waiting > 0 {
            Terminal.complain("\(amount(waiting, "message is", "messages are")) not indexed yet")
        }
        if listing.json { return Terminal.print(try JSONOutput.document(hits)) }
        if hits.isEmpty { return Terminal.print("Nothing was found.") }
        Terminal.print(Terminal.sanitized(hits.map(Self.text).joined(separator: "\n")))
    }

    private static func text(_ hit: SearchHit) -> String {
        let people = hit.direction == .incoming ? hit.from ?? "-" : hit.to.joined(separator: ", ")
        var lines = [
            "\(hit.date?.shortText ?? "(no date)")  \(hit.subject ?? "(no subject)")",
            "    message \(hit.message), \(people)",
        ]
        if let snippet = hit.snippet {
            lines.append("    " + snippet.split(whereSeparator: \.isWhitespace).joined(separator: " "))
        }
        return lines.joined(separator: "\n")
    }
}
