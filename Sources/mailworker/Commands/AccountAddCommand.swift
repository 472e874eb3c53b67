import Archive
import ArgumentParser
import Foundation
import MailFetch
import MailModel
import MailTransport

struct AccountAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds a mailbox.",
        discussion: """
            The address is enough: the servers are found from its domain, as `account discover` does, shown, and
            used when you agree. --preset or --imap-host name them instead. Most providers want an
            app password, not the one of the website. The user is made when there is none of that name.

              mailworker account add --email anna@firma.example --password-file -
              mailworker account add --preset yandex --name anna-mail --user anna \\
                --email anna@firma.example --password-file -
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "The account's name, unique. (default: the address)")
    var name: String?

    @OptionGroup var arguments: AccountArguments

    @Flag(name: [.customShort("y"), .long], help: "Uses the servers that are found without asking.")
    var yes = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() async throws {
        try await Act.$current.withValue(act) { try await add() }
    }

    private func add() async throws {
        let workplace = try Workplace(
            common, secrets: arguments.passwordFile == nil ? .unused : .needed)
        var options = arguments.options
        options.name = name ?? options.email
        var found: FoundSettings?
        if options.preset == nil, options.imapHost == nil, let email = options.email {
            let address = try EmailAddress(typed: email)
            Terminal.progress("looking for the servers of \(address.domain) …")
            found = try await workplace.configuration.discovery(over: try NetworkLoop()).settings(of: address)
            if let found {
                try agree(to: found, address)
                options.fill(in: found)
            }
        }
        let secret = try arguments.passwordFile.map { try PasswordInput.read($0) }
        let declaration = AccountDeclaration(
            archive: workplace.archive, configuration: workplace.configuration)
        let settings = try declaration.settings(for: options)
        let id = try workplace.archive.addAccount(settings, secret: secret)
        let name = settings.name
        if json {
            return Terminal.print(
                try JSONOutput.document(AccountEntry(try workplace.archive.account(id))))
        }
        Terminal.print("added account \(name) (\(id))")
        if secret == nil {
            Terminal.print("It has no password yet: mailworker account edit \(name) --password-file FILE")
            Terminal.print("or, to sign in with OAuth 2.0: mailworker account authorize \(name)")
        } else {
            Terminal.print("Try it: mailworker account check \(name)")
        }
    }

    /// Nothing that was only found is used before a person has seen it.
    private func agree(to found: FoundSettings, _ address: EmailAddress) throws {
        if !json { Terminal.print(DiscoveredSettings(found, address).text) }
        if yes { return }
        // A password that comes over standard input leaves no place for an answer.
        guard !json, isatty(STDIN_FILENO) == 1 else {
            throw MailFailure.usage(
                "The servers were found and not agreed to", detail: DiscoveredSettings(found, address).line,
                remedy: "Say --yes to use them, or name others with --imap-host and --smtp-host.")
        }
        Terminal.ask("Use these servers? [y/N] ")
        guard let answer = readLine()?.lowercased(), ["y", "yes", "д", "да"].contains(answer) else {
            Terminal.print("Nothing was added.")
            throw ExitStatus.someItemsFailed
        }
    }
}

extension AccountOptions {
    /// What a person has said stands; what was found fills the rest.
    fileprivate mutating func fill(in found: FoundSettings) {
        preset = found.preset.rawValue
        login = login ?? found.login
        guard found.preset == .custom else { return }
        imapHost = found.imap.host
        imapPort = imapPort ?? Int(found.imap.port)
        imapSecurity = imapSecurity ?? found.imap.security
        guard smtpHost == nil, let smtp = found.smtp else { return }
        smtpHost = smtp.host
        smtpPort = smtpPort ?? Int(smtp.port)
        smtpSecurity = smtpSecurity ?? smtp.security
    }
}
