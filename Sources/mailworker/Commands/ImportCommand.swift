import Archive
import ArgumentParser
import MailModel
import Worker

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Takes messages out of files into the archive.",
        discussion: """
            Each PATH is a message, an mbox file, a Maildir, or a directory that is searched for
            them. They go the same way as polled mail, and importing twice changes nothing.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "Messages, mbox files, Maildirs or directories.", completion: .file())
    var paths: [String]

    @Option(
        help: ArgumentHelp("The account that the mail is filed under. (default: import)", valueName: "name"))
    var account: String?

    @Option(help: ArgumentHelp("The folder that it is filed under.", valueName: "folder"))
    var folder = "Imported"

    @Flag(help: "One JSON document instead of text.")
    var json = false

    private struct Answer: Encodable {
        var imported, linked, review, duplicates, ignored, quarantined, failed: Int
    }

    func run() async throws {
        let workplace = try Workplace(common)
        let target =
            try account.map { try workplace.archive.account(named: $0).id } ?? importAccount(workplace)
        guard !folder.isEmpty else {
            throw MailFailure.usage("The folder has no name", remedy: "Leave --folder out, or name one.")
        }
        let files = try MessageFiles(paths: paths)
        try Act.$current.withValue(act) {
            try workplace.archive.noteAct(about: "account \(account ?? "import")")
        }
        let importer = FileImport(
            archive: workplace.archive, pipeline: workplace.makePipeline(),
            limits: workplace.configuration.limits)
        let (counts, failures) = try await importer.run(files, account: target, folder: FolderName(folder)) {
            Terminal.progress("\($0.fetched) messages …")
        }
        if let losses = counts.lossesInWords { Terminal.complain(losses) }
        for failure in failures { Terminal.complain(failure.revealed) }
        if json {
            Terminal.print(
                try JSONOutput.document(
                    Answer(
                        imported: counts.fetched, linked: counts.linked, review: counts.review,
                        duplicates: counts.duplicates, ignored: counts.ignored,
                        quarantined: counts.quarantined, failed: failures.count)))
        } else {
            Terminal.print(
                "\(counts.fetched) read: \(counts.linked) linked, \(counts.review) in review, "
                    + "\(counts.duplicates) duplicates, \(counts.ignored) ignored, "
                    + "\(counts.quarantined) quarantined, \(failures.count) failed")
        }
        if let failure = workplace.archive.stopFailure { throw failure }
        if !failures.isEmpty { throw ExitStatus.someItemsFailed }
    }

    /// The account of imported mail that belongs to nobody's mailbox.
    private func importAccount(_ workplace: Workplace) throws(MailFailure) -> AccountID {
        let name = "import"
        func known() throws(MailFailure) -> AccountID? {
            try workplace.archive.accounts().first { $0.settings.name == name }?.id
        }
        if let account = try known() { return account }
        do throws(MailFailure) {
            return try workplace.archive.addAccount(
                AccountSettings(name: name, kind: .import, email: nil, login: ""))
        } catch {
            // Another first import was quicker.
            guard error.code == .nameTaken, let account = try known() else { throw error }
            return account
        }
    }
}
