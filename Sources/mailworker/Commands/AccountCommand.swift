import Archive
import ArgumentParser
import MailFetch
import MailModel
import Worker

struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Mailboxes to poll.",
        subcommands: [
            AccountDiscoverCommand.self, AccountAddCommand.self, AccountListCommand.self,
            AccountShowCommand.self, AccountEditCommand.self, AccountConfirmCommand.self,
            AccountRemoveCommand.self, AccountAuthorizeCommand.self, AccountCheckCommand.self,
            AccountFoldersCommand.self, AccountWithheldCommand.self,
            AccountSignatureCommand.self, AccountSMTPLoginCommand.self,
        ])
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
        if let identity = try workplace.archive.mailboxIdentity(of: found.id), let imap = settings.imap,
            identity.change(
                to: MailboxIdentity(login: settings.login, host: imap.host, port: imap.port, serverName: nil))
                != nil
        {
            Terminal.print(
                "Its login or server is another one than that of the mailbox that was read so far. Unless its INBOX is"
                    + " recognised, it waits. If it is the same mailbox: mailworker account confirm \(account)"
            )
        }
    }
}

struct AccountConfirmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Says that another login or server leads to the mailbox that was read so far.",
        discussion: """
            An account remembers which mailbox it reads. When its login or server changes it waits, so that
            nobody else's mail is mixed in. Confirm it when the mailbox is the same and only its name or place
            is new; add another mailbox as an account of its own.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    func run() throws {
        let archive = try Workplace(common).archive
        try archive.confirmMailbox(of: try archive.account(named: account).id)
        Terminal.print("confirmed account \(account); its next poll remembers what it finds")
    }
}

struct AccountRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Stops polling a mailbox; what it brought stays in the archive.",
        discussion: "Mail that waits to be sent through it is held; see mailworker outbox list --state held.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    func run() throws {
        let workplace = try Workplace(common)
        let archive = workplace.archive
        let found = try archive.account(named: account)
        try AccountDeclaration(archive: archive, configuration: workplace.configuration)
            .demandUndeclared(found)
        let removal = try archive.removeAccount(found.id)
        Terminal.print(
            removal.isGone
                ? "removed account \(account)"
                : "account \(account) is polled no more and its password is erased; its mail stays")
        if removal.heldMail > 0 {
            Terminal.print(
                "\(removal.heldMail) mails that waited to be sent are held: mailworker outbox list --state held"
            )
        }
    }
}

struct AccountListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Every mailbox with its state, last success, next poll and error.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    func run() throws {
        let workplace = try Workplace(common)
        let shortage = workplace.shortage
        let accounts = try workplace.archive.accounts().prefix(listing.limit ?? .max)
            .map { $0.held(by: shortage) }
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
        let workplace = try Workplace(common)
        let archive = workplace.archive
        let found = try archive.account(named: account).held(by: workplace.shortage)
        let withheld = try archive.withheld(of: found.id)
        let fetched = try archive.fetchedBytes(of: found.id)
        let dayLimit = found.knownProfile.dailyDownloadBytes
        let pause = try archive.sendPause(of: found.id)
        if json {
            let receipts = AccountEntry.Receipts(
                withheld: withheld.count, fetchedToday: dayLimit == nil ? nil : fetched, sendPause: pause)
            return Terminal.print(try JSONOutput.document(AccountEntry(found, receipts)))
        }
        let settings = found.settings
        let status = found.status
        let lines: [(String, String?)] = [
            ("name", settings.name), ("user", found.userName), ("address", settings.email?.addrSpec),
            ("preset", settings.preset), ("login", settings.login),
            found.credentialKind == .refreshToken
                ? ("authorization", found.hasSecret ? "stored, encrypted" : "none")
                : ("password", found.hasSecret ? "stored, encrypted" : "none"),
            ("imap", settings.imap?.text), ("smtp", settings.smtp?.text), ("proxy", settings.proxy),
            ("ca file", settings.caFile),
            ("pins", settings.pins.isEmpty ? nil : settings.pins.map(\.text).joined(separator: " ")),
            ("sent folder", settings.sentFolder?.rawValue), ("sent copy", settings.sentCopy?.rawValue),
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
            ("error", status.failure?.revealed), ("sending", pause?.waitText),
            ("its server says", status.alert.map { "\($0.words) (\($0.at.shortText))" }),
            (
                "fetched today",
                dayLimit.map { limit in
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
