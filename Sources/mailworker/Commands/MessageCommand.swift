import Archive
import ArgumentParser
import Foundation
import MIMEParse
import MailModel
import Matcher

struct MessageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message",
        abstract: "One message of the archive, by the id that history and queue show.",
        subcommands: [
            MessageShowCommand.self, MessageOriginalCommand.self, MessageAttachmentCommand.self,
            MessageExplainCommand.self, MessageLinkCommand.self, MessageUnlinkCommand.self,
            MessageEditCommand.self, MessagePrivateCommand.self,
        ])
}

struct MessageShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Header, text and attachments.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The message's id.")
    var id: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    private struct Answer: Encodable {
        var message: ArchivedMessage
        var text: String?

        enum CodingKeys: CodingKey { case text }

        func encode(to encoder: any Encoder) throws {
            try message.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(text, forKey: .text)
        }
    }

    func run() async throws {
        let workplace = try Workplace(common, as: .rights)
        let id = try ArchivedMessageID(typed: id)
        guard json else { return try await MessagePage(workplace: workplace).show(id) }
        let message = try workplace.archive.message(id)
        let text = try await workplace.reading(of: id).message?.text
        Terminal.print(try JSONOutput.document(Answer(message: message, text: text)))
    }
}

struct MessageOriginalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "original", abstract: "Writes the exact bytes, as they came, to standard output.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The message's id.")
    var id: String

    func run() throws {
        let original = try Workplace(common, as: .rights).archive.original(
            of: try ArchivedMessageID(typed: id))
        try original.withUnsafeBytes { try FileHandle.standardOutput.write(contentsOf: Data($0)) }
    }
}

struct MessageAttachmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attachment", abstract: "Writes one attachment, decoded, to standard output.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The message's id.")
    var id: String

    @Argument(help: "The attachment's number, from 1, as message show counts them.")
    var number: Int

    func run() async throws {
        let workplace = try Workplace(common, as: .rights)
        let original = try workplace.archive.readable(try ArchivedMessageID(typed: id)).original
        let parsing = workplace.configuration.parsing(atMost: 1)
        let content = number >= 1 ? try await parsing.attachmentContent(number - 1, of: original) : nil
        guard let content else {
            throw MailFailure.usage(
                "The message has no such attachment", detail: String(number),
                remedy: "See them with: mailworker message show \(id)")
        }
        try FileHandle.standardOutput.write(contentsOf: Data(content))
    }
}

struct MessageExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Why the message is where it is.",
        discussion: """
            Shows the mailboxes in which it was seen with the ledger's state of each copy, every
            participant with the form in which addresses are compared, each link with its reason, and
            what the queue has asked.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The message's id.")
    var id: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let message = try Workplace(common, as: .rights).archive.message(try ArchivedMessageID(typed: id))
        if json { return Terminal.print(try JSONOutput.document(message)) }
        var lines = [
            "message \(message.id): \(message.state.rawValue)"
                + (message.stateReason.map { " (\($0))" } ?? "")
                + (message.ignoredBy.map { ", by the rule for \($0)" } ?? ""),
            "\(message.direction.rawValue), \(message.category.rawValue); \(message.subject ?? "(no subject)")",
            "",
            "Seen as",
        ]
        for copy in message.copies {
            lines.append(
                "  \(copy.account) / \(copy.folder), UID \(copy.uid) of UIDVALIDITY \(copy.uidValidity): "
                    + copy.state.rawValue + (copy.reason.map { " (\($0))" } ?? "")
                    + (copy.vanishedAt.map { ", no longer there since \($0.shortText)" } ?? "")
                    + (copy.labels.isEmpty ? "" : ", labels \(copy.labels.joined(separator: ", "))"))
            lines.append("    \(copy.size) bytes, sha256 \(copy.sha256.hex)")
        }
        lines.append("Participants")
        for party in message.participants {
            lines.append(
                "  \(party.role.rawValue): \(party.address)"
                    + (party.canonical.rawValue == party.address.lowercased()
                        ? "" : ", compared as \(party.canonical.rawValue)")
                    + (party.isOwn ? ", a user's own address" : ""))
        }
        lines.append(message.links.isEmpty ? "In no history" : "In the history of")
        for link in message.links {
            lines.append(
                "  \(link.contactName) (\(link.contact)): \(link.reason)"
                    + (link.removedAt.map { ", removed \($0.shortText) by \(link.removedBy ?? "-")" } ?? ""))
        }
        for question in message.questions {
            lines.append(
                "Review item \(question.item): \(question.reason); \(question.state)"
                    + (question.resolvedBy.map { " by \($0)" } ?? ""))
        }
        Terminal.print(Terminal.sanitized(lines.joined(separator: "\n")))
    }
}
