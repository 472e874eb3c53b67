import ArgumentParser

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "What the program reads from its configuration file.",
        subcommands: [ConfigKeysCommand.self])
}

struct ConfigKeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Prints every key that a configuration file may hold, one dotted name a line.",
        discussion:
            "Keys of [[user]] and [[account]] stand once, those of [oauth.…] for each provider. config.example.toml explains them."
    )

    func run() {
        for name in ConfigurationKey.allCases.flatMap(\.names) { Terminal.print(name) }
    }
}
