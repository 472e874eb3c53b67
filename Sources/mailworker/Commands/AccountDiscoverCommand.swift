import ArgumentParser
import MailFetch
import MailModel
import MailTransport

struct AccountDiscoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discover", abstract: "Finds the servers of an address, and changes nothing.",
        discussion: """
            Asked one after the other, until one knows: the table of providers, the domain's mail servers (a
            company's own domain at Yandex 360, Google Workspace, Mail.ru, …), its service records (RFC 6186), and
            its file for mail programs (autoconfig). Only the domain is told to anybody. The name
            servers are those of [network] dns, else the system's.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The mailbox's address.")
    var address: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() async throws {
        let configuration = try common.loadConfiguration()
        let address = try EmailAddress(typed: address)
        Terminal.progress("looking for the servers of \(address.domain) …")
        let found = try await configuration.discovery(over: try NetworkLoop()).settings(of: address)
        let shown = DiscoveredSettings(found, address)
        Terminal.print(json ? try JSONOutput.document(shown) : shown.text)
    }
}
