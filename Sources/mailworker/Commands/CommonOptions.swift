import ArgumentParser
import Foundation
import MailModel
import Synchronization

/// The options that every command takes.
struct CommonOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The configuration file.", valueName: "file"), completion: .file())
    var config: String?

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("The CRM user who acts; their rights hold.", valueName: "user"))
    var person: String?

    /// The file to read: `--config` after the command, `--config` before it,
    /// $MAILWORKER_CONFIG, or the first of the usual places that exists.
    var configurationPath: String {
        let named =
            config ?? Self.leadingConfig.withLock { $0 }
            ?? ProcessInfo.processInfo.environment["MAILWORKER_CONFIG"]
        let path =
            named
            ?? Configuration.searchPath.first { FileManager.default.fileExists(atPath: $0) }
            ?? Configuration.searchPath[0]
        return URL(fileURLWithPath: path).standardizedFileURL.path
    }

    func loadConfiguration() throws(MailFailure) -> Configuration {
        try Configuration(path: configurationPath)
    }

    private static let leadingConfig = Mutex<String?>(nil)

    /// Takes `--config FILE` off the front of the arguments, where the parser's
    /// subcommands could not see it.
    static func takingLeadingOptions(from arguments: [String]) throws -> [String] {
        guard let first = arguments.first else { return arguments }
        if first == "--config", arguments.count >= 2 {
            leadingConfig.withLock { $0 = arguments[1] }
            return Array(arguments.dropFirst(2))
        }
        if first.hasPrefix("--config=") {
            leadingConfig.withLock { $0 = String(first.dropFirst("--config=".count)) }
            return Array(arguments.dropFirst())
        }
        return arguments
    }
}

/// What every listing takes.
struct ListingOptions: ParsableArguments {
    @Flag(help: "One JSON document instead of text.")
    var json = false

    @Option(help: ArgumentHelp("At most this many entries.", valueName: "n"))
    var limit: Int?

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit takes a whole number, 0 or more.") }
    }
}
