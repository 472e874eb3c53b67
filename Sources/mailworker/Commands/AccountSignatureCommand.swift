import Archive
import ArgumentParser
import MailModel

struct AccountSignatureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signature",
        abstract: "What stands under the mail of an account; shows it, or changes it.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    @Option(help: ArgumentHelp("A file with the signature; - is standard input.", valueName: "file"))
    var text: String?

    @Option(help: ArgumentHelp("A file with it in HTML, for mail in HTML.", valueName: "file"))
    var html: String?

    @Flag(help: "Takes it away.")
    var remove = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func validate() throws {
        if remove, text != nil || html != nil {
            throw ValidationError(
                "--remove takes the signature away; it goes with neither --text nor --html.")
        }
        if html != nil, text == nil { throw ValidationError("Give --text too, for mail without HTML.") }
    }

    func run() throws {
        let archive = try Workplace(common, as: .rights).archive
        let found = try archive.sendingAccount(named: account)
        if remove {
            try archive.setSignature(nil, of: found)
        } else if let text {
            try archive.setSignature(
                Signature(
                    text: try SendCommand.contents(text), html: try html.map(SendCommand.contents)),
                of: found)
        }
        let signature = try archive.signature(of: found.id)
        if json { return Terminal.print(try JSONOutput.document(signature)) }
        Terminal.print(signature?.text ?? signature?.html ?? "There is no signature.")
    }
}
