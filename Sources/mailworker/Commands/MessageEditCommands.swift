import Archive
import ArgumentParser
import Foundation
import MIMEParse
import MailModel
import Matcher
import Worker

struct MessageEditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit",
        abstract: "Puts other words in place of a message's own, and keeps the original.",
        discussion: """
            History, search, replies and everybody who reads the message have the new words, with who wrote them and
            when. The bytes as they came are kept; message original gives them to those who review the mailbox:
              mailworker message edit 17 --print > text
              mailworker message edit 17 --text-file text
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The message's id.")
    var id: String

    @OptionGroup var words: EditArguments

    func run() async throws {
        let workplace = try Workplace(common, as: .rights)
        let id = try ArchivedMessageID(typed: id)
        try await Act.$current.withValue(act) { try await words.run(on: id, workplace) }
    }
}

struct QueueEditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit",
        abstract: "Edits the text of a message before it enters a history, as message edit does.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The item's id.")
    var id: String

    @OptionGroup var words: EditArguments

    func run() async throws {
        let workplace = try Workplace(common, as: .rights)
        let item = try workplace.archive.reviewItem(try ReviewItemID(typed: id))
        try await Act.$current.withValue(act) { try await words.run(on: item.message, workplace) }
    }
}

/// What becomes of a message's words.
struct EditArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The new text, in UTF-8; - is standard input.", valueName: "file"))
    var textFile: String?

    @Option(help: "The new subject; \"\" for none.")
    var subject: String?

    @Flag(help: "Shows the message's own words again.")
    var revert = false

    @Flag(help: "Writes the text as it stands, to be edited, and changes nothing.")
    var print = false

    func validate() throws {
        let isEdit = textFile != nil || subject != nil
        guard [isEdit, revert, print].count(where: { $0 }) == 1 else {
            throw ValidationError("Give --text-file or --subject or both, else --revert, else --print.")
        }
    }

    fileprivate func run(on id: ArchivedMessageID, _ workplace: Workplace) async throws {
        if print {
            let text = try await workplace.reading(of: id).message?.text ?? ""
            return try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        }
        let editing = MessageEditing(
            archive: workplace.archive, parsing: workplace.configuration.parsing(atMost: 1))
        if revert {
            try await editing.revert(id)
            return Terminal.print("message \(id) has its own words again\(Actor.wayBack)")
        }
        try await editing.edit(id, subject: subject, text: try textFile.map(Self.text), by: Actor.name)
        Terminal.print("edited message \(id); the original is kept\(Actor.wayBack)")
    }

    private static func text(_ path: String) throws(MailFailure) -> String {
        let data =
            path == "-"
            ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: path)
        guard let data else {
            throw .usage(
                "The file cannot be read", detail: path, remedy: "Check that it exists and is readable.")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw .usage("The text is not UTF-8", detail: path, remedy: "Save it as UTF-8.")
        }
        return text
    }
}
