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
            is gone from the mailbox. --retry has the next poll ask for it.

              mailworker account withheld anna-mail --retry
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    @OptionGroup var listing: ListingOptions

    @Flag(help: "Has the next poll ask for them, whatever their time.")
    var retry = false

    private struct Entry: Encodable {
        let message: WithheldMessage

        private enum Key: String, CodingKey {
            case folder, uid, attempts, size, code, reason
            case uidValidity = "uid_validity"
            case firstAttempt = "first_attempt"
            case lastAttempt = "last_attempt"
            case nextTry = "next_try"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
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
        }
    }

    func run() throws {
        let archive = try Workplace(common).archive
        let found = try archive.account(named: account)
        if retry { try archive.hastenWithheld(of: found.id) }
        let messages = try archive.withheld(of: found.id, limit: listing.limit)
        if listing.json { return Terminal.print(try JSONOutput.document(messages.map(Entry.init))) }
        var table = TextTable(["FOLDER", "UID", "TRIES", "FIRST", "NEXT", "REASON"])
        for message in messages {
            table.add([
                message.folderName.rawValue, "\(message.uid.rawValue)", "\(message.attempts)",
                message.firstAttempt.shortText, message.nextTry.shortText, message.reason,
            ])
        }
        Terminal.print(table.isEmpty ? "The server hands out every message that it lists." : table.text)
    }
}

extension WithheldMessage {
    fileprivate var reason: String { failure.summary + (failure.detail.map { ": \($0)" } ?? "") }
}
