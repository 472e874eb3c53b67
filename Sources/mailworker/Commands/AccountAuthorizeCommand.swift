import Archive
import ArgumentParser
import MailModel
import Worker

struct AccountAuthorizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authorize",
        abstract: "Lets the mailbox's user allow the access with OAuth 2.0, instead of a password.",
        discussion: """
            Prints an address to open in a browser and waits, for ten minutes, until the user has
            allowed the access there. What the provider gives for it is stored encrypted, and takes
            the place of a password. The program has to be registered with the provider first:
            see [oauth.google] and the others in config.example.toml.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    @Flag(help: "The user enters a code on any device; not with every provider.")
    var device = false

    @Flag(help: "The browser runs on another machine: its last address is pasted here.")
    var paste = false

    func validate() throws {
        if device, paste { throw ValidationError("--device and --paste exclude each other.") }
    }

    func run() async throws {
        try await Act.$current.withValue(act) { try await authorize() }
    }

    private func authorize() async throws {
        let workplace = try Workplace(common, secrets: .needed)
        let found = try workplace.archive.account(named: account)
        try AccountDeclaration(archive: workplace.archive, configuration: workplace.configuration)
            .demandNoDeclaredPassword(found)
        let flow: AccountAuthorization.Flow =
            device ? .device : paste ? .paste(readLine: { readLine(strippingNewline: true) }) : .redirect
        try await AccountAuthorization(archive: workplace.archive, settings: workplace.pollSettings())
            .run(found, by: flow) { request in
                switch request {
                case .open(let address):
                    Terminal.print("Open this address in a browser on this machine:\n\(address)")
                case .openAndPaste(let address):
                    Terminal.print(
                        "Open this address in a browser:\n\(address)\n"
                            + "Then copy the address of the page that could not be opened, and paste it here:"
                    )
                case .enter(let code, let address):
                    Terminal.print("Open \(address) and enter the code \(code)")
                }
            }
        Terminal.print("authorized account \(account)\nTry it: mailworker account check \(account)")
    }
}
