import Archive
import ArgumentParser
import MailFetch
import MailModel
import Worker

struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Mailboxes to poll.",
        subcommands: [
            AccountAddCommand.self, AccountListCommand.self, AccountShowCommand.self, AccountEditCommand.self,
            AccountRemoveCommand.self, AccountAuthorizeCommand.self, AccountCheckCommand.self,
            AccountFoldersCommand.self, AccountWithheldCommand.self,
        ])
}

struct AccountAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds a mailbox.",
        discussion: """
            gmail, yandex and mailru know their servers; custom needs --imap-host. All three want an
            app password, not the one of the website. The user is made when there is none of that name.

              mailworker account add --preset yandex --name anna-mail --user anna \\
                --email anna@firma.example --password-file -
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "The account's name, unique.")
    var name: String

    @OptionGroup var arguments: AccountArguments

    func run() throws {
        let workplace = try Workplace(
            common, secrets: arguments.passwordFile == nil ? .unused : .needed)
        var options = arguments.options
        options.name = name
        let secret = try arguments.passwordFile.map { try PasswordInput.read($0) }
        let declaration = AccountDeclaration(
            archive: workplace.archive, configuration: workplace.configuration)
        let settings = try declaration.settings(for: options)
        let id = try workplace.archive.addAccount(settings, secret: secret)
        Terminal.print("added account \(name) (\(id))")
        if secret == nil {
            Terminal.print("It has no password yet: mailworker account edit \(name) --password-file FILE")
            Terminal.print("or, to sign in with OAuth 2.0: mailworker account authorize \(name)")
        } else {
            Terminal.print("Try it: mailworker account check \(name)")
        }
    }
}

struct AccountEditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Changes a mailbox's settings; what is not named stays as it is.",
        discussion:
            "An account that waited for its user, because of a wrong password, is tried again at once.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    @OptionGroup var arguments: AccountArguments

    func run() throws {
        let workplace = try Workplace(
            common, secrets: arguments.passwordFile == nil ? .unused : .needed)
        let found = try workplace.archive.account(named: account)
        var settings = found.settings
        let declaration = AccountDeclaration(
            archive: workplace.archive, configuration: workplace.configuration)
        try declaration.demandUndeclared(found)
        try declaration.change(&settings, by: arguments.options)
        let secret = try arguments.passwordFile.map { try PasswordInput.read($0) }
        settings.isEnabled = true
        settings.isDeclared = false
        try workplace.archive.editAccount(found.id, settings)
        if let secret { try workplace.archive.setSecret(secret, of: found.id) }
        Terminal.print("changed account \(account)")
    }
}

struct AccountRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Stops polling a mailbox; what it brought stays in the archive.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    func run() throws {
        let workplace = try Workplace(common)
        let archive = workplace.archive
        let found = try archive.account(named: account)
        try AccountDeclaration(archive: archive, configuration: workplace.configuration)
            .demandUndeclared(found)
        let isGone = try archive.removeAccount(found.id)
        Terminal.print(
            isGone
                ? "removed account \(account)"
                : "account \(account) is polled no more and its password is erased; its mail stays")
    }
}

struct AccountListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Every mailbox with its state, last success, next poll and error.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    func run() throws {
        let accounts = try Workplace(common).archive.accounts().prefix(listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(accounts.map(AccountEntry.init))) }
        var table = TextTable(["NAME", "USER", "ADDRESS", "STATE", "LAST SUCCESS", "NEXT POLL", "ERROR"])
        for account in accounts {
            let status = account.status
            table.add([
                account.settings.name, account.userName ?? "-", account.settings.email?.addrSpec ?? "-",
                account.stateText, status.lastSuccess?.shortText ?? "-", account.nextPollText,
                status.failure.map(\.revealed) ?? "",
            ])
        }
        Terminal.print(table.isEmpty ? "No accounts. Add one: mailworker account add --help" : table.text)
    }
}

struct AccountShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "The settings and the state of one mailbox, without its password.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let archive = try Workplace(common).archive
        let found = try archive.account(named: account)
        if json { return Terminal.print(try JSONOutput.document(AccountEntry(found))) }
        let withheld = try archive.withheld(of: found.id)
        let fetched = try archive.fetchedBytes(of: found.id)
        let settings = found.settings
        let status = found.status
        let lines: [(String, String?)] = [
            ("name", settings.name), ("user", found.userName), ("address", settings.email?.addrSpec),
            ("preset", settings.preset), ("login", settings.login),
            found.credentialKind == .refreshToken
                ? ("authorization", found.hasSecret ? "stored, encrypted" : "none")
                : ("password", found.hasSecret ? "stored, encrypted" : "none"),
            ("imap", settings.imap?.text), ("smtp", settings.smtp?.text), ("proxy", settings.proxy),
            ("ca file", settings.caFile), ("sent folder", settings.sentFolder?.rawValue),
            (
                "further folders",
                settings.furtherFolders.isEmpty
                    ? nil : settings.furtherFolders.map(\.rawValue).joined(separator: ", ")
            ),
            ("since", settings.since?.shortText), ("interval", "\(settings.pollMinutes) min"),
            ("push", settings.isWatched ? "yes" : nil), ("colleagues see", settings.colleaguesSee.name),
            ("timeout", "\(settings.timeoutSeconds) s"),
            ("declared in the configuration", settings.isDeclared ? "yes" : nil),
            ("state", found.stateText), ("last attempt", status.lastAttempt?.shortText),
            ("last success", status.lastSuccess?.shortText), ("next poll", found.nextPollText),
            ("error", status.failure?.revealed),
            (
                "fetched today",
                found.provider.dailyDownloadBytes.map { limit in
                    "\(fetched >> 20) of \(limit >> 20) MB that the provider allows"
                        + (fetched >= Int64(limit) / 5 * 4 ? "; older mail goes on tomorrow (UTC)" : "")
                }
            ),
            (
                "withheld by the server",
                withheld.map(\.nextTry.rawValue).min().map {
                    "\(withheld.count), asked for again from \(UnixTime($0).shortText) on;"
                        + " see: mailworker account withheld \(account)"
                }
            ),
        ]
        Terminal.print(
            lines.compactMap { name, value in value.map { "\(name): \($0)" } }.joined(separator: "\n"))
    }
}

struct AccountCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Signs in to IMAP and SMTP, and says what is wrong and what to do.",
        discussion: "Changes nothing. Ends with 69 or 75 when the account does not work.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    func run() async throws {
        let workplace = try Workplace(common, secrets: .needed)
        let found = try workplace.archive.account(named: account)
        let report = try await AccountInspection(
            archive: workplace.archive, settings: workplace.pollSettings()
        )
        .check(found)
        switch report.imap {
        case .success(let findings):
            Terminal.print(
                "IMAP  ok: \(findings.folderCount) folders, \(findings.inboxMessages) messages in INBOX, "
                    + (findings.sentFolder.map { "sent mail in \($0.rawValue)" }
                        ?? "no Sent folder recognised: name it with --sent-folder"))
        case .failure(let failure): Terminal.print("IMAP  \(failure.revealed)")
        }
        switch report.smtp {
        case .success(let reply): Terminal.print("SMTP  ok: \(reply)")
        case .failure(let failure): Terminal.print("SMTP  \(failure.revealed)")
        case nil: Terminal.print("SMTP  not set; it is needed for sending: --smtp-host")
        }
        let failures = [report.imap.failure, report.smtp?.failure].compactMap { $0 }
        if let worst = failures.first(where: { $0.kind != .transient }) ?? failures.first {
            throw ExitStatus.code(for: worst)
        }
    }
}

struct AccountFoldersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "folders", abstract: "The folders of the mailbox with their counts.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    @OptionGroup var listing: ListingOptions

    func run() async throws {
        let workplace = try Workplace(common, secrets: .needed)
        let found = try workplace.archive.account(named: account)
        let folders = try await AccountInspection(
            archive: workplace.archive, settings: workplace.pollSettings()
        )
        .folders(of: found).prefix(listing.limit ?? .max)
        if listing.json { return Terminal.print(try JSONOutput.document(Array(folders))) }
        var table = TextTable(["FOLDER", "ROLE", "MESSAGES", "UNSEEN", "POLLED"])
        for folder in folders {
            table.add([
                folder.name, folder.role ?? "-", folder.messages.map(String.init) ?? "-",
                folder.unseen.map(String.init) ?? "-", folder.isPolled ? "yes" : "no",
            ])
        }
        Terminal.print(table.text)
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { return failure }
        return nil
    }
}
