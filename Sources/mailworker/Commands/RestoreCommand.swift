import Archive
import ArgumentParser
import Foundation
import MailModel

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Makes the archive out of a backup.",
        discussion: """
            The archive's directory must not exist, or be empty but for the key and the configuration. What is
            restored is verified before it is put there. What the backup has damaged is named, and costs itself
            only; the command then ends with 1. The next sync fetches what came after the backup.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The directory that was given to backup.", completion: .directory)
    var directory: String

    @Flag(help: "One JSON document instead of text.")
    var json = false

    private struct Answer: Encodable {
        var report: RestoreReport

        enum CodingKeys: String, CodingKey {
            case clean
            case mendedPages = "mended_pages"
            case carriedPages = "carried_pages"
        }

        func encode(to encoder: any Encoder) throws {
            try report.verification.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(report.verification.isClean, forKey: .clean)
            try container.encode(report.mendedPages, forKey: .mendedPages)
            try container.encode(report.carriedPages, forKey: .carriedPages)
        }
    }

    func run() throws {
        let configuration = try common.loadConfiguration()
        let report = try Archive.restore(
            from: directory, to: configuration.archiveDirectory, besides: namesOfOthers(configuration),
            progress: { Terminal.progress("\($0 >> 20) of \($1 >> 20) MB …") })
        try show(report, configuration)
        if !report.verification.isClean { throw ExitStatus.someItemsFailed }
    }

    /// What may lie in the archive's directory without being of it.
    private func namesOfOthers(_ configuration: Configuration) -> Set<String> {
        let directory = URL(fileURLWithPath: configuration.archiveDirectory).standardizedFileURL.path
        let files = [configuration.keyFile, configuration.path].map {
            URL(fileURLWithPath: $0).standardizedFileURL
        }
        return Set(
            files.filter { $0.deletingLastPathComponent().path == directory }.map(\.lastPathComponent))
    }

    private func show(_ report: RestoreReport, _ configuration: Configuration) throws {
        if json { return Terminal.print(try JSONOutput.document(Answer(report: report))) }
        let found = report.verification
        for line in found.findingLines { Terminal.print(line) }
        if report.mendedPages > 0 {
            Terminal.print(
                "In \(amount(report.mendedPages, "page")) of the backup's database a bit had flipped: they are as they were "
                    + "again. See to the disk that the backup lies on.")
        }
        if report.carriedPages > 0 {
            Terminal.print(
                "\(amount(report.carriedPages, "page of the database was", "pages of the database were")) damaged in the archive already when this backup was "
                    + "made: what they held is wrong or missing here too. An earlier backup may have it.")
        }
        let archive = configuration.archiveDirectory
        Terminal.print(
            "restored \(amount(found.messages, "message")) with \(amount(found.originals, "original")) to \(archive), "
                + (found.isClean
                    ? "verified"
                    : "verified: what is named above is damaged in the backup, the rest is whole"))
        guard (try? configuration.key()) == nil else { return }
        Terminal.print(
            "Put the archive's key to \(configuration.keyFile), or make a new one: mailworker init --new-key")
    }
}
