import Archive
import ArgumentParser
import MailModel

struct AccountSMTPLoginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "smtp-login",
        abstract: "How an account signs in to its SMTP server; shows it, or changes it.",
        discussion: "Without one of its own the sign-in is as for IMAP.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    @Option(help: ArgumentHelp("The name to sign in with.", valueName: "login"))
    var login: String?

    @Option(
        help: ArgumentHelp(
            "A file with the password on one line, or - for standard input.", valueName: "file"),
        completion: .file())
    var passwordFile: String?

    @Flag(help: "As for IMAP again.")
    var asImap = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    private struct Answer: Encodable {
        var login: String?
    }

    func validate() throws {
        if (login == nil) != (passwordFile == nil) {
            throw ValidationError("--login and --password-file go together.")
        }
        if asImap, login != nil { throw ValidationError("--as-imap goes with no login.") }
    }

    func run() throws {
        let archive = try Workplace(common, secrets: login == nil ? .unused : .needed).archive
        let found = try archive.account(named: account)
        if asImap {
            try archive.setSMTPSignIn(nil, nil, of: found.id)
        } else if let login, let passwordFile {
            try archive.setSMTPSignIn(login, try PasswordInput.read(passwordFile), of: found.id)
        }
        let own = try archive.smtpLogin(of: found.id)
        if json { return Terminal.print(try JSONOutput.document(Answer(login: own))) }
        Terminal.print(
            own.map { "\(account) signs in to SMTP as \($0)" } ?? "\(account) signs in to SMTP as for IMAP")
    }
}
