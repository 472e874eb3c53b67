import Archive
import ArgumentParser
import MailModel

struct AccountWithheldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withheld",
        abstract: "Messages that the mailbox lists and its server does not hand out.",
        discussion: """
            A message that the server refuses, or at which the connection breaks off, keeps no other message back.
            It is asked for again by itself: after an hour, then 6 hours, a day, and every week, until it comes or
            is gone from the mailbox. --retry has the next poll ask for it. Messages larger than
            limits.message_megabytes are listed too; they come within a day once the limit is raised.

              mailworker account withheld anna-mail --retry
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    @OptionGroup var listing: ListingOptions

    @Flag(help: "Has the next poll ask for them, whatever their time.")
    var retry = false

    private enum Entry: Encodable {
        case withheld(WithheldMessage)
        case tooLarge(TooLargeMessage)

        private enum Key: String, CodingKey {
            case folder, uid, attempts, size, code, reason
            case uidValidity = "uid_validity"
            case firstAttempt = "first_attempt"
            case lastAttempt = "last_attempt"
            case nextTry = "next_try"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            switch self {
            case .withheld(let message):
                try container.encode(message.folderName.rawValue, forKey: .folder)
                try container.encode(message.uidValidity.rawValue, forKey: .uidValidity)
                try container.encode(message.uid.rawValue, forKey: .uid)
                try container.encode(message.attempts, forKey: .attempts)
                try container.encode(message.firstAttempt, forKey: .firstAttempt)
                try container.encode(message.lastAttempt, forKey: .lastAttempt)
                try container.encode(message.nextTry, forKey: .nextTry)
                try container.encode(message.size, forKey: .size)
                try container.encode(message.failure.code.rawValue, forKey: .code)
                try container.encode(message.reason, forKey: .reason)
            case .tooLarge(let message):
                try container.encode(message.folderName.rawValue, forKey: .folder)
                try container.encode(message.uidValidity.rawValue, forKey: .uidValidity)
                try container.encode(message.uid.rawValue, forKey: .uid)
                try container.encode(0, forKey: .attempts)
                try container.encode(message.recordedAt, forKey: .firstAttempt)
                try container.encode(message.recordedAt, forKey: .lastAttempt)
                try container.encodeNil(forKey: .nextTry)
                try container.encode(message.size, forKey: .size)
                try container.encode(LedgerState.tooLarge.rawValue, forKey: .code)
                try container.encode(message.reason, forKey: .reason)
            }
        }

        var row: [String] {
            switch self {
            case .withheld(let message):
                [
                    message.folderName.rawValue, "\(message.uid.rawValue)", "\(message.attempts)",
                    message.firstAttempt.shortText, message.nextTry.shortText, message.reason,
                ]
            case .tooLarge(let message):
                [
                    message.folderName.rawValue, "\(message.uid.rawValue)", "-", message.recordedAt.shortText,
                    "-", message.reason,
                ]
            }
        }
    }

    func run() throws {
        let archive = try Workplace(common).archive
        let found = try archive.account(named: account)
        if retry { try archive.hastenWithheld(of: found.id) }
        var entries = try archive.withheld(of: found.id, limit: listing.limit).map(Entry.withheld)
        let room = listing.limit.map { $0 - entries.count }
        entries += try archive.tooLarge(of: found.id, limit: room).map(Entry.tooLarge)
        if listing.json { return Terminal.print(try JSONOutput.document(entries)) }
        var table = TextTable(["FOLDER", "UID", "TRIES", "FIRST", "NEXT", "REASON"])
        for entry in entries { table.add(entry.row) }
        Terminal.print(table.isEmpty ? "Every message that the server lists was handed out." : table.text)
    }
}

extension WithheldMessage {
    fileprivate var reason: String { failure.summary + (failure.detail.map { ": \($0)" } ?? "") }
}
