import Archive
import ArgumentParser
import Foundation
import MailModel
import MailSend
import Worker

struct TemplateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template", abstract: "Texts for several recipients, filled in for each.",
        discussion: """
            {{variable}} is filled in, escaped for where it stands; {{#variable}}…{{/variable}} stands only where it
            has a value, {{^variable}}…{{/variable}} only where it has none; {{! … }} is a comment. Variables:
            \(TemplateValues.names.joined(separator: ", ")).
            """,
        subcommands: [
            TemplateListCommand.self, TemplateAddCommand.self, TemplateShowCommand.self,
            TemplatePreviewCommand.self, TemplateRemoveCommand.self,
        ])
}

struct TemplateListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "The templates, by name.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    func run() throws {
        let found = try Workplace(common, as: .rights).archive.templates(limit: listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(found)) }
        var table = TextTable(["NAME", "SUBJECT", "CHANGED", "BY"])
        for template in found {
            table.add([template.name, template.subject, template.updatedAt.shortText, template.updatedBy])
        }
        Terminal.print(table.isEmpty ? "There are no templates." : table.text)
    }
}

struct TemplateAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds a template, or replaces the one of that name.",
        discussion: "It is checked: tags that cannot be read and unknown variables are refused.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "Its name.")
    var name: String

    @Option(help: ArgumentHelp("The subject, which may have tags too.", valueName: "text"))
    var subject: String

    @Option(help: ArgumentHelp("A file with the text; - is standard input.", valueName: "file"))
    var text: String?

    @Option(help: ArgumentHelp("A file with the text in HTML.", valueName: "file"))
    var html: String?

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let template = MailTemplate(
            subject: subject, text: try text.map(SendCommand.contents),
            html: try html.map(SendCommand.contents))
        try template.check()
        let wasThere = try archive.storeTemplate(
            name, subject: template.subject, text: template.text, html: template.html, by: Actor.name)
        Terminal.print("\(wasThere ? "replaced" : "added") template \(name)")
    }
}

struct TemplateShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One template as it was written.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "Its name.")
    var name: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let template = try Workplace(common, as: .rights).archive.template(named: name)
        if json { return Terminal.print(try JSONOutput.document(template)) }
        let page = TemplatePage(subject: template.subject, text: template.text, html: template.html)
        Terminal.print(page.words)
    }
}

struct TemplatePreviewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview", abstract: "What a template becomes for a contact; nothing is sent.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "Its name.")
    var name: String

    @Option(help: "The contact to whom it would go.")
    var contact: String

    @Option(help: "The account that it would be sent through.")
    var account: String?

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let filled = try TemplateFilling(archive: archive).fill(
            name, contact: try archive.findContact(contact), recipient: nil,
            account: try account.map { try archive.sendingAccount(named: $0) })
        let page = TemplatePage(subject: filled.subject, text: filled.text, html: filled.html)
        Terminal.print(json ? try JSONOutput.document(page) : Terminal.sanitized(page.words))
    }
}

struct TemplateRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes a template; what was sent with it stays.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "Its name.")
    var name: String

    func run() throws {
        try Workplace(common, as: .rights).archive.removeTemplate(named: name)
        Terminal.print("removed template \(name)")
    }
}

/// A template, or what it became.
private struct TemplatePage: Encodable {
    var subject: String
    var text: String?
    var html: String?

    var words: String {
        (["Subject: \(subject)"] + [text, html].compactMap { $0 }).joined(separator: "\n\n")
    }
}
