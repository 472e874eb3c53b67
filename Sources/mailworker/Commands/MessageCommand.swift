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
        let text =
            message.disclosure == .everything ? try await workplace.reading(of: id).message?.text : nil
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
