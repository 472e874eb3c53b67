import Archive
import ArgumentParser
import MailModel
import Matcher
import Worker

struct OutboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox", abstract: "Mail that is to be sent, and what became of it.",
        subcommands: [
            OutboxListCommand.self, OutboxShowCommand.self, OutboxRetryCommand.self, OutboxCancelCommand.self,
            OutboxHoldCommand.self, OutboxReleaseCommand.self, OutboxResolveCommand.self,
            OutboxLimitsCommand.self,
        ])
}

struct OutboxListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Mails with their states, the newest first.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    @Option(
        help: ArgumentHelp("Only this state, such as uncertain or held; may be repeated.", valueName: "state")
    )
    var state: [String] = []

    @Option(help: ArgumentHelp("Only this account's.", valueName: "account"))
    var account: String?

    @Option(help: ArgumentHelp("Only what goes to this address.", valueName: "address"))
    var to: String?

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let states = try state.map { text throws(MailFailure) in
            guard let state = OutboxState(rawValue: text) else {
                throw .usage(
                    "There is no such state", detail: text,
                    remedy: "States are \(OutboxState.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            return state
        }
        var wait = SendingWait(archive)
        let items = try archive.outboxItems(
            Archive.OutboxFilter(
                states: states.isEmpty ? nil : Set(states),
                account: try account.map { try archive.sendingAccount(named: $0).id },
                recipient: try to.map { try EmailAddress(typed: $0) }),
            limit: listing.limit ?? .max
        ).map { try wait.explained($0) }
        if listing.json { return Terminal.print(try JSONOutput.document(items)) }
        var table = TextTable(["ID", "QUEUED", "STATE", "TRIES", "NEXT", "TO", "SUBJECT", "REASON"])
        for item in items {
            let first = item.recipients.first?.address ?? ""
            let more = item.recipients.count > 1 ? " +\(item.recipients.count - 1)" : ""
            table.add([
                item.id.description, item.createdAt.shortText, item.state.rawValue, String(item.attempts),
                item.nextTry?.shortText ?? "-", first + more, item.subject ?? "(no subject)",
                item.reason ?? "",
            ])
        }
        if table.isEmpty { return Terminal.print(emptiness) }
        Terminal.print(table.text)
    }
}

extension OutboxListCommand {
    /// That nothing is shown does not mean that nothing is there.
    private var emptiness: String {
        if listing.limit == 0 { return "None is shown, as --limit 0 says." }
        let isWhole = state.isEmpty && account == nil && to == nil
        return isWhole ? "The outbox is empty." : "No mail in the outbox is of that kind."
    }
}

struct OutboxShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One mail with every answer that a server gave.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The mail's id.")
    var id: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        var wait = SendingWait(archive)
        let item = try wait.explained(try archive.outboxItem(try OutboxID(typed: id)))
        if json { return Terminal.print(try JSONOutput.document(item)) }
        Terminal.print(OutboxPage.text(item, pause: try archive.sendPause(of: item.account)))
    }
}

/// The mails that an action means.
struct OutboxSelection: ParsableArguments {
    @Argument(help: "The mails' ids.")
    var ids: [String]

    /// Does each; those that cannot be done are named, and the others are done.
    func forEach(_ body: (OutboxID) throws -> Void) throws {
        var isAllGood = true
        for text in ids {
            do {
                let id = try OutboxID(typed: text)
                try body(id)
            } catch let failure as MailFailure {
                if ids.count == 1 { throw failure }
                Terminal.complain(failure.revealed)
                isAllGood = false
            }
        }
        if !isAllGood { throw ExitStatus.someItemsFailed }
    }
}

struct OutboxRetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Tries again: what failed once more, what waits at once.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var selection: OutboxSelection

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        try selection.forEach { try archive.retryOutbox($0) }
    }
}

struct OutboxCancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Keeps a mail that waits from being sent.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var selection: OutboxSelection

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        try selection.forEach { try archive.cancelOutbox($0, by: Actor.name) }
    }
}

struct OutboxHoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Keeps a mail waiting until it is released.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var selection: OutboxSelection

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        try selection.forEach { try archive.holdOutbox($0, by: Actor.name) }
    }
}

struct OutboxReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Lets held mail go.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var selection: OutboxSelection

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        try selection.forEach { try archive.releaseOutbox($0) }
    }
}

struct OutboxResolveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve", abstract: "Settles an uncertain mail.",
        discussion: """
            A mail is uncertain when the connection ended after it was handed over and before the server answered.
            Look into the Sent folder, or ask the recipient.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var selection: OutboxSelection

    @Flag(help: "It arrived.")
    var sent = false

    @Flag(help: "It did not arrive: it is sent once more.")
    var again = false

    @Flag(help: "It did not arrive, and is not to be sent.")
    var failed = false

    func validate() throws {
        guard [sent, again, failed].filter({ $0 }).count == 1 else {
            throw ValidationError("Say one of --sent, --again and --failed.")
        }
    }

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        try selection.forEach { id in
            try archive.resolveOutbox(
                id, as: sent ? .sent : again ? .again : .failed, evidence: "decided by \(Actor.name)")
        }
    }
}

struct OutboxLimitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits", abstract: "What an account may send; shows it, or changes it.",
        discussion: """
            Without options it shows the limits in force. 0 takes an own limit back.
            After its provider has said that an account has sent too much, the account is silent for as long as the
            block may last, since trying prolongs it at some; --resume is for who knows that it is over.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account.")
    var account: String

    @Option(name: .customLong("per-day"), help: ArgumentHelp("Recipients in 24 hours.", valueName: "n"))
    var perDay: Int?

    @Option(
        name: .customLong("per-message"), help: ArgumentHelp("Recipients of one message.", valueName: "n"))
    var perMessage: Int?

    @Option(name: .customLong("per-minute"), help: ArgumentHelp("Messages in one minute.", valueName: "n"))
    var perMinute: Int?

    @Option(help: ArgumentHelp("Connections at the same time, 1 to 100.", valueName: "n"))
    var connections: Int?

    @Flag(help: "Ends the account's wait, the provider's block included: its mail goes at once.")
    var resume = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func validate() throws {
        for value in [perDay, perMessage, perMinute, connections] {
            if let value, value < 0 { throw ValidationError("Limits are whole numbers, 0 or more.") }
        }
        if let connections, connections > 100 { throw ValidationError("--connections takes 0 to 100.") }
    }

    func run() throws {
        let archive = try Workplace(common).archive
        let found = try archive.account(named: account)
        var limits = try archive.sendLimits(of: found.id)
        if let perDay { limits.recipientsPerDay = perDay == 0 ? nil : perDay }
        if let perMessage { limits.recipientsPerMessage = perMessage == 0 ? nil : perMessage }
        if let perMinute { limits.messagesPerMinute = perMinute == 0 ? nil : perMinute }
        if let connections { limits.connections = connections == 0 ? nil : connections }
        if [perDay, perMessage, perMinute, connections].contains(where: { $0 != nil }) {
            try archive.setSendLimits(limits, of: found.id)
        }
        if resume {
            let ended = try archive.resumeSending(found.id)
            if !json {
                Terminal.print(
                    ended.map { "The account no longer waits: \($0.failure.revealed)" }
                        ?? "The account did not wait.")
            }
        }
        let rules = SendRules(preset: found.provider, limits: limits)
        let inForce = SendLimits(
            recipientsPerDay: rules.recipientsPerDay, recipientsPerMessage: rules.recipientsPerMessage,
            messagesPerMinute: rules.messagesPerMinute, connections: rules.connections)
        if json { return Terminal.print(try JSONOutput.document(inForce)) }
        let words = { (value: Int?) in value.map(String.init) ?? "any number" }
        Terminal.print(
            """
            recipients a day: \(words(inForce.recipientsPerDay))
            recipients of one message: \(words(inForce.recipientsPerMessage))
            messages a minute: \(words(inForce.messagesPerMinute))
            connections: \(words(inForce.connections))
            """)
        if let pause = try archive.sendPause(of: found.id) {
            let until = pause.until.map { "until \($0.shortText)" } ?? "until its settings change"
            Terminal.print("the account waits \(until): \(pause.failure.revealed)")
        }
    }
}
