import Archive
import ArgumentParser
import MailModel

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Proves that the originals and the ledger are whole.",
        discussion: """
            Reads every original back against its checksum and along the chain of its pack, and checks
            that every row of the ledger has what it says it has. Names each finding with its place;
            ends with 1 when there is one. Nothing is changed.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let report = try Workplace(common).archive.verify { done, total in
            Terminal.progress("\(done >> 20) of \(total >> 20) MB …")
        }
        Terminal.clearProgress()
        if json {
            Terminal.print(try JSONOutput.document(report))
        } else {
            for finding in report.findings {
                Terminal.print(
                    "\(finding.subject.rawValue) \(finding.place)"
                        + (finding.message.map { " (message \($0))" } ?? "") + ": \(finding.text)")
            }
            if report.furtherFindings > 0 { Terminal.print("… and \(report.furtherFindings) more") }
            Terminal.print(
                "\(report.originals) originals (\(report.originalBytes) bytes), \(report.messages) messages, "
                    + "\(report.ledgerRows) ledger rows: \(report.isClean ? "clean" : "damaged")"
                    + (report.unclaimedRecords == 0
                        ? ""
                        : "; \(report.unclaimedRecords) unclaimed records of interrupted batches, which are harmless")
            )
        }
        if !report.isClean { throw ExitStatus.someItemsFailed }
    }
}
