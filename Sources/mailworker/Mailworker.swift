import Archive
import ArgumentParser
import Foundation
import MailModel

/// The program's entry: reads the command line, runs one command, and turns its
/// failure into words with a remedy and an exit code.
@main
enum Main {
    static func main() async {
        // A peer or a reader that goes away is an error of that write, not our end.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try Mailworker.parseAsRoot(
                CommonOptions.takingLeadingOptions(from: Array(CommandLine.arguments.dropFirst())))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else if var action = command as? any HumanAction {
                try Act.$current.withValue(action.act) { try action.run() }
            } else {
                try command.run()
            }
        } catch let failure as MailFailure {
            Terminal.complain(failure.revealed)
            Foundation.exit(ExitStatus.code(for: failure).rawValue)
        } catch let code as ExitCode {
            Terminal.clearProgress()
            Foundation.exit(code.rawValue)
        } catch {
            Terminal.clearProgress()
            Mailworker.exit(withError: error)
        }
    }
}

struct Mailworker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mailworker",
        abstract: "Keeps the mail history of every CRM contact complete.",
        discussion: """
            Polls each user's mailboxes, matches every message to contacts, and files it with its
            attachments in their history; what matches nobody waits in the review queue.

            To begin:
              mailworker init
              mailworker user add anna --email anna@firma.example
              mailworker account add --name anna-mail --email anna@firma.example --password-file -
              mailworker contact import contacts.csv
              mailworker sync

            The configuration is taken from --config FILE (before or after the command), from
            $MAILWORKER_CONFIG, or from ./mailworker.toml or /etc/mailworker/mailworker.toml.

            Exit codes: 0 done, 1 some items failed (each named), 64 usage, 69 service
            unavailable, 75 try again later, 78 configuration.
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "Setting up",
                subcommands: [
                    InitCommand.self, ConfigCommand.self, UserCommand.self, DepartmentCommand.self,
                    RoleCommand.self,
                    AccountCommand.self,
                    ContactCommand.self,
                ]),
            CommandGroup(
                name: "Working", subcommands: [RunCommand.self, SyncCommand.self, ImportCommand.self]),
            CommandGroup(
                name: "Reading and reviewing",
                subcommands: [
                    QueueCommand.self, HistoryCommand.self, MessageCommand.self, SearchCommand.self,
                    RuleCommand.self, UndoCommand.self, EventCommand.self,
                ]),
            CommandGroup(
                name: "Sending",
                subcommands: [
                    SendCommand.self, OutboxCommand.self, TemplateCommand.self, SuppressionCommand.self,
                ]),
            CommandGroup(
                name: "Checking",
                subcommands: [
                    ParseCommand.self, VerifyCommand.self, DoctorCommand.self, AuditCommand.self,
                    ParseWorkerCommand.self,
                ]),
            CommandGroup(name: "Keeping", subcommands: [BackupCommand.self, RestoreCommand.self]),
        ])
}
