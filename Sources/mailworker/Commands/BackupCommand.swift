import Archive
import ArgumentParser
import Foundation
import MailModel

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copies the archive into a directory, while it is in use.",
        discussion: """
            A directory that holds an earlier backup of this archive gets only what is new, and stays a whole
            backup until the new one is. What was copied is read back, and so is what the earlier backup has, which
            is mended where it is damaged. What is damaged in the archive itself is named; the command then ends
            with 1, and the rest is a backup all the same. The mailbox passwords in it are encrypted; the key is not
            in it.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The directory; made when it does not exist.", completion: .directory)
    var directory: String

    @Flag(help: "Does not read back what the earlier backup has, for archives that are too large for it.")
    var newOnly = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    private struct Answer: Encodable {
        var report: BackupReport

        enum CodingKeys: CodingKey { case clean }

        func encode(to encoder: any Encoder) throws {
            try report.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(report.isClean, forKey: .clean)
        }
    }

    func run() throws {
        let workplace = try Workplace(common)
        let report = try workplace.archive.backup(to: directory, readingBack: !newOnly) { done, total in
            Terminal.progress("\(done * 100 / max(total, 1)) % of \(total >> 21) MB …")
        }
        try workplace.archive.noteAct(about: "to \(directory)")
        try show(report, key: workplace.configuration.keyFile)
        if !report.isClean { throw ExitStatus.someItemsFailed }
    }

    private func show(_ report: BackupReport, key: String) throws {
        if json { return Terminal.print(try JSONOutput.document(Answer(report: report))) }
        for line in report.findings.map(\.line) { Terminal.print(line) }
        if report.furtherFindings > 0 { Terminal.print("… and \(report.furtherFindings) more") }
        if !report.isClean {
            Terminal.print(
                "What is named here is damaged in the archive and in its backup; mailworker verify looks at all of it."
            )
        }
        if report.mendedRecords > 0 {
            Terminal.print(
                "\(amount(report.mendedRecords, "record of the earlier backup was damaged, and is", "records of the earlier backup were damaged, and are")) whole again. See to the "
                    + "disk that it lies on.")
        }
        Terminal.print(
            """
            \(amount(report.messages, "message")) in \(directory): \(report.databaseBytes) bytes of database, \
            \(report.originalBytes) bytes of originals, \(report.copiedBytes) of them new
            Keep \(key) apart from it: without the key the mailbox passwords have to be entered again.
            """)
    }
}
