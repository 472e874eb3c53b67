import Archive
import Foundation
import MailModel

@testable import mailworker

/// A configuration as if it stood in /etc/firma/mail.toml.
func configuration(_ text: String) throws(MailFailure) -> Configuration {
    try Configuration(source: TOMLSource(path: "/etc/firma/mail.toml", text: text))
}

/// What is wrong with a configuration; nil when nothing is.
func complaint(about text: String) -> MailFailure? {
    do {
        _ = try configuration(text)
        return nil
    } catch {
        return error
    }
}

/// An empty archive in a directory of its own, and account declarations on it.
final class DeclarationFixture {
    let directory: String
    let archive: Archive

    init() throws {
        directory = NSTemporaryDirectory() + "mailworker-test-\(UUID().uuidString)"
        archive = try Archive.create(directory: directory, key: SecretKey())
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func declaration(_ text: String = "") throws -> AccountDeclaration {
        AccountDeclaration(archive: archive, configuration: try configuration(text))
    }

    /// Does what the program does at each start.
    func apply(_ text: String) throws {
        let configuration = try configuration(text)
        try AccountDeclaration(archive: archive, configuration: configuration).applyAll()
    }
}

extension AccountOptions {
    static func with(_ change: (inout AccountOptions) -> Void = { _ in }) -> AccountOptions {
        var options = AccountOptions()
        options.name = "anna"
        options.email = "Anna@firma.example"
        change(&options)
        return options
    }
}
