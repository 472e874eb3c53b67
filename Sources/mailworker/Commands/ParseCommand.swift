import ArgumentParser
import MIMEParse
import MailModel
import ParsePool
import Worker

struct ParseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parse",
        abstract: "Shows how messages are read, without any database.",
        discussion: """
            Each PATH is a message, an mbox file, a Maildir, or a directory that is searched for
            them. Prints one JSON line a message: message_id, subject, from, to, cc, date (Unix
            seconds or null), text, has_html, attachments (filename as the mail
            says it, safe_filename to save under, content_type, size, sha256) and defects.
            """)

    @Argument(help: "Messages, mbox files, Maildirs or directories.", completion: .file())
    var paths: [String]

    @Flag(help: "JSON lines; they are also the default.")
    var jsonl = false

    @Flag(help: "Read in this process, not in children that a hostile message could end.")
    var inProcess = false

    func run() async throws {
        let files = try MessageFiles(paths: paths)
        let processes = inProcess ? 1 : Configuration.usualParseProcesses
        var lines = ReadingLines(
            parsing: inProcess
                ? InProcessParsing() : ParsePool(settings: ParsePool.Settings(processes: processes)),
            lanes: processes)
        var someFailed = false
        try await files.forEachMessage { path, bytes in
            try await lines.add(path, bytes)
        } unreadable: { failure in
            Terminal.complain(failure.revealed)
            someFailed = true
        }
        try await lines.finish()
        if someFailed || lines.someWereLost { throw ExitStatus.someItemsFailed }
    }
}

/// Reads messages several at a time and prints a line for each, in their order.
private struct ReadingLines {
    /// What goes to a reader at a time.
    private static let batchMessages = 64
    private static let batchBytes = 1 << 20

    let parsing: any MessageParsing
    let lanes: Int
    private(set) var someWereLost = false
    private var batches: [[(path: String, bytes: MessageBytes)]] = [[]]
    private var lastBytes = 0

    init(parsing: any MessageParsing, lanes: Int) {
        self.parsing = parsing
        self.lanes = lanes
    }

    mutating func add(_ path: String, _ bytes: MessageBytes) async throws {
        if batches[batches.count - 1].count >= Self.batchMessages || lastBytes >= Self.batchBytes {
            if batches.count >= lanes { try await finish() } else { batches.append([]) }
            lastBytes = 0
        }
        batches[batches.count - 1].append((path, bytes))
        lastBytes += bytes.count
    }

    mutating func finish() async throws {
        let parsing = parsing
        let outcomes = try await withThrowingTaskGroup(of: (Int, [ParseOutcome]).self) { group in
            for (index, batch) in batches.enumerated() {
                let messages = batch.map(\.bytes)
                group.addTask { (index, try await parsing.parse(messages)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for (index, batch) in batches.enumerated() {
            for (message, outcome) in zip(batch, outcomes[index] ?? []) {
                switch outcome {
                case .read(let reading):
                    Terminal.print(
                        try JSONOutput.line(MessageReading(path: message.path, message: reading)))
                case .unreadable(let loss):
                    Terminal.complain("\(message.path): \(MailFailure.parserLost(loss).revealed)")
                    someWereLost = true
                }
            }
        }
        batches = [[]]
    }
}
