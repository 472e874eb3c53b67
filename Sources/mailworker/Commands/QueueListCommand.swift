import Archive
public import ArgumentParser
import MailModel
public import Matcher

extension ReviewKind: ExpressibleByArgument {}
extension MessageCategory: ExpressibleByArgument {}

struct QueueListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "What waits for a person, the newest first.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions
    @OptionGroup var filter: ReviewFilterOptions

    @Flag(help: "By address, with how many wait under each.")
    var grouped = false

    @Option(help: ArgumentHelp("Leaves out the first ones: with --limit, page by page.", valueName: "n"))
    var offset = 0

    func validate() throws {
        if offset < 0 { throw ValidationError("--offset takes a whole number, 0 or more.") }
    }

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let filter = try filter.filter()
        let limit = listing.limit ?? .max
        if grouped {
            let groups = try archive.reviewGroups(filter, limit: limit, offset: offset)
            if listing.json { return Terminal.print(try JSONOutput.document(groups)) }
            var table = TextTable(["COUNT", "NEWEST", "ADDRESS", "LAST SUBJECT", "SUGGESTION"])
            for group in groups {
                table.add([
                    String(group.count), group.newest.date?.shortText ?? "-",
                    group.address ?? "(\(group.newest.reason))",
                    group.newest.category.marked(group.newest.subject),
                    group.newest.suggestions.first?.text ?? "",
                ])
            }
            return Terminal.print(table.isEmpty ? filter.emptiness : table.text)
        }
        let items = try archive.reviewItems(filter, limit: limit, offset: offset)
        if listing.json { return Terminal.print(try JSONOutput.document(items)) }
        var table = TextTable(["ID", "DATE", "REASON", "SUBJECT", "SUGGESTION"])
        for item in items {
            table.add([
                item.id.description, item.date?.shortText ?? "-", item.reason,
                item.category.marked(item.subject),
                item.suggestions.first?.text ?? "",
            ])
        }
        if table.isEmpty { return Terminal.print(filter.emptiness) }
        let rest = items.count == limit ? try archive.openReviewCount(filter) - offset - items.count : 0
        Terminal.print(table.text + (rest > 0 ? "\n… and \(rest) more" : ""))
    }
}

/// What a listing of the queue leaves out.
struct ReviewFilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only what waits under this address.", valueName: "address"))
    var address: String?

    @Option(help: ArgumentHelp("Only what this account has.", valueName: "name"))
    var account: String?

    @Option(help: "Only incoming or outgoing mail.")
    var direction: Direction?

    @Option(help: ArgumentHelp("Not older than this day, such as 2026-01-31.", valueName: "date"))
    var since: String?

    @Option(help: ArgumentHelp("Only older than this day.", valueName: "date"))
    var until: String?

    @Option(
        help: ArgumentHelp(
            "Only what waits for this reason: \(ReviewKind.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "kind"))
    var reason: ReviewKind?

    @Option(
        help: ArgumentHelp(
            "Only mail of this kind: \(MessageCategory.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "kind"))
    var category: MessageCategory?

    func validate() throws {
        for day in [since, until].compactMap({ $0 }) where UnixTime(day: day) == nil {
            throw ValidationError("\(day) is not a day such as 2026-01-31.")
        }
    }

    func filter() throws(MailFailure) -> ReviewFilter {
        var filter = ReviewFilter()
        filter.address = try address.map { text throws(MailFailure) in try EmailAddress(typed: text) }
        filter.account = account
        filter.direction = direction
        filter.since = since.flatMap(UnixTime.init(day:))
        filter.until = until.flatMap(UnixTime.init(day:))
        filter.kind = reason
        filter.category = category
        return filter
    }
}

extension ReviewFilter {
    /// The words for a listing without an item.
    fileprivate var emptiness: String {
        self == ReviewFilter() ? "The queue is empty." : "Nothing in the queue fits."
    }
}

extension Suggestion {
    /// On one line.
    var text: String { "\(name) (\(reason))" }
}
