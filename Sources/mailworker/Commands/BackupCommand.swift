import Archive
import ArgumentParser
import Foundation
import MailModel

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copies the archive into a directory, while it is in use.",
        discussion: """
            A directory that holds an earlier backup gets only what is new, and stays a whole backup
            until the new one is. The mailbox passwords in it are encrypted; the key is not in it.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The directory; made when it does not exist.", completion: .directory)
    var directory: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let workplace = try Workplace(common)
        let report = try workplace.archive.backup(to: directory) { done, total in
            Terminal.progress("\(done >> 20) of \(total >> 20) MB …")
        }
        try workplace.archive.noteAct()
        if json { return Terminal.print(try JSONOutput.document(report)) }
        Terminal.print(
            """
            \(report.messages) messages in \(directory): \(report.databaseBytes) bytes of database, \
            \(report.originalBytes) bytes of originals, \(report.copiedBytes) of them new
            Keep \(workplace.configuration.keyFile) apart from it: without the key the mailbox passwords \
            have to be entered again.
            """)
    }
}

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Makes the archive out of a backup.",
        discussion: """
            The archive's directory must not exist, or be empty. What is restored is verified before it is
            put there. The next sync fetches what came after the backup.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The directory that was given to backup.", completion: .directory)
    var directory: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let configuration = try common.loadConfiguration()
        let report = try Archive.restore(
            from: directory, to: configuration.archiveDirectory,
            progress: { Terminal.progress("\($0 >> 20) of \($1 >> 20) MB …") })
        if json { return Terminal.print(try JSONOutput.document(report)) }
        Terminal.print(
            "restored \(report.messages) messages with \(report.originals) originals to "
                + "\(configuration.archiveDirectory), verified")
        guard (try? configuration.key()) == nil else { return }
        Terminal.print(
            "Put the archive's key to \(configuration.keyFile), or make a new one: mailworker init --new-key")
    }
}
