import Archive
import ArgumentParser
import MailModel

struct UserPasswdCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passwd", abstract: "Sets a user's password.",
        discussion: """
            At least 10 characters with digits, upper and lower case. What is kept of it is its
            scrypt; nobody can read it back.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The user's name.")
    var user: String

    @Option(
        help: ArgumentHelp(
            "A file with the password on one line, or - for standard input.", valueName: "file"),
        completion: .file())
    var passwordFile = "-"

    func run() throws {
        let archive = try Workplace(common).archive
        _ = try archive.user(named: user)
        try archive.setPassword(PasswordInput.read(passwordFile), of: user)
        Terminal.print("changed the password of \(user)")
    }
}

struct UserRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Keeps a user out; what they own stays theirs.",
        discussion: """
            Their password and tokens are gone, and no command works in their name. Their mailboxes
            are polled until the accounts are removed. Mail that they have queued and that has not gone
            is held for somebody else to decide. Take them in again: user edit NAME --enable
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The user's name.")
    var user: String

    func run() throws {
        let held = try Workplace(common).archive.disableUser(user)
        Terminal.print("removed user \(user)")
        guard held > 0 else { return }
        Terminal.print(
            "\(amount(held, "mail")) of theirs that waited \(held == 1 ? "is" : "are") held. "
                + "See: mailworker outbox list --state held")
    }
}

struct UserTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Tokens with which programs act in a user's name.",
        subcommands: [UserTokenAddCommand.self, UserTokenListCommand.self, UserTokenRevokeCommand.self])
}

struct UserTokenAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Makes a token, and shows it this once.",
        discussion: "It gives the rights that are named, and never more than its user has.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The user's name.")
    var user: String

    @Argument(help: "What the token is called, unique for the user.")
    var name: String

    @Option(
        help:
            "A right that it gives; may be given several times: read, review, send, contacts, campaigns, administer."
    )
    var right: [Right]

    @Option(help: ArgumentHelp("The day on which it ends, such as 2027-01-31.", valueName: "date"))
    var expires: String?

    @Flag(help: "One JSON document instead of text.")
    var json = false

    private struct Answer: Encodable {
        var user, name, token: String
    }

    func validate() throws {
        if let expires, UnixTime(day: expires) == nil {
            throw ValidationError("--expires takes a day such as 2027-01-31.")
        }
        if let expires, let day = UnixTime(day: expires), day <= .now() {
            throw ValidationError(
                "\(expires) is past: the token would never be taken. Give --expires a later day.")
        }
    }

    func run() throws {
        let token = try Workplace(common).archive.addToken(
            name, for: user, rights: Set(right), expiresAt: expires.flatMap(UnixTime.init(day:)))
        if json {
            return Terminal.print(
                try JSONOutput.document(Answer(user: user, name: name, token: token.withRevealed { $0 })))
        }
        Terminal.print(
            token.withRevealed { $0 } + "\nKeep it where its program finds it: it is shown this once.")
    }
}

struct UserTokenListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists tokens, without the tokens themselves.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listing: ListingOptions

    @Argument(help: "Only those of this user.")
    var user: String?

    func run() throws {
        let tokens = Array(try Workplace(common).archive.tokens(of: user).prefix(listing.limit ?? .max))
        if listing.json { return Terminal.print(try JSONOutput.document(tokens)) }
        var table = TextTable(["USER", "NAME", "RIGHTS", "USED", "STATE"])
        for token in tokens {
            let state =
                token.revokedAt.map { "revoked \($0.shortText)" } ?? token.expiresAt.map {
                    "until \($0.shortText)"
                } ?? ""
            table.add([
                token.user, token.name, token.rights.map(\.rawValue).joined(separator: ", "),
                token.usedAt?.shortText ?? "never", state,
            ])
        }
        Terminal.print(table.isEmpty ? "No tokens." : table.text)
    }
}

struct UserTokenRevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Ends a token, at once and for good.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The user's name.")
    var user: String

    @Argument(help: "What the token is called.")
    var name: String

    func run() throws {
        try Workplace(common).archive.revokeToken(name, of: user)
        Terminal.print("revoked \(name) of \(user)")
    }
}
