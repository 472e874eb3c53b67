import ArgumentParser
import MailModel
import ParsePool

/// The child side of the pool that reads mail; started by the program itself.
struct ParseWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parse-worker",
        abstract: "Reads messages for its parent process, which starts it.",
        discussion: "Not for people: it talks with its parent through descriptor 0.",
        shouldDisplay: false)

    @Option(help: ArgumentHelp("Memory beyond the program's own.", valueName: "bytes"))
    var memoryBytes: UInt64

    @Option(
        help: ArgumentHelp("Limits on what is read of a message.", valueName: "json"),
        transform: { text in
            guard let limits = MailLimits(wireText: text) else {
                throw ValidationError("These are no limits of this version.")
            }
            return limits
        })
    var limits: MailLimits

    func run() { ParseService.run(memoryBytes: memoryBytes, limits: limits) }
}
