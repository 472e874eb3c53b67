import ArgumentParser
import MIMEParse
import MailModel
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

    func run() async throws {
        let files = try MessageFiles(paths: paths)
        let parser = MIMEParser()
        var someFailed = false
        try await files.forEachMessage { path, bytes in
            Terminal.print(try JSONOutput.line(MessageReading(path: path, message: parser.parse(bytes))))
        } unreadable: { failure in
            Terminal.complain(failure.revealed)
            someFailed = true
        }
        if someFailed { throw ExitStatus.someItemsFailed }
    }
}
