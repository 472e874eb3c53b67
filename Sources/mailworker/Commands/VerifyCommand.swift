import Archive
import ArgumentParser
import MailModel
import Worker

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Proves that the originals, the database and the ledger are whole.",
        discussion: """
            Reads every page of the database against its checksum, every original against its digest and
            along the chain of its pack, and every message's stored facts and attachments against its
            original; then the rows against each other, and the search index against the rows. Names each
            finding with its place and message, and goes on; ends with 1 when there is one. Nothing in the
            archive is changed.

            With --server it also asks each mailbox what it lists, and prints how much of every polled
            folder is in the ledger.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "Also compares the ledger with what the servers list now.")
    var server = false

    @Flag(help: "Goes on where an interrupted verification ended, with what it found.")
    var resume = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    private struct Answer: Encodable {
        var report: VerifyReport
        /// Of each account that was asked; nil when none was to be.
        var accounts: [ServerCoverage.Report]?

        enum CodingKeys: CodingKey { case accounts, coverage, clean, complete }

        func encode(to encoder: any Encoder) throws {
            try report.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(report.isClean, forKey: .clean)
            guard let accounts else { return }
            try container.encode(accounts.allSatisfy(\.isComplete), forKey: .complete)
            try container.encode(accounts, forKey: .accounts)
            try container.encode(accounts.flatMap(\.folders), forKey: .coverage)
        }
    }

    func run() async throws {
        let workplace: Workplace
        do throws(MailFailure) {
            workplace = try Workplace(common, secrets: server ? .needed : .unused)
        } catch {
            guard error.code.rawValue.hasPrefix("archive.") else { throw error }
            let directory = try common.loadConfiguration().archiveDirectory
            let report = try Archive.verifyFiles(directory: directory, after: error)
            Terminal.complain(error.revealed)
            try show(Answer(report: report))
            throw ExitStatus.someItemsFailed
        }
        let reread = workplace.configuration.rereading()
        let report = try workplace.archive.verify(resume ? .resumed : .anew, reread: reread) {
            Terminal.progress(
                "pack \($0.pack): \($0.doneBytes >> 20) of \($0.totalBytes >> 20) MB …")
        }
        Terminal.clearProgress()
        var answer = Answer(report: report)
        var isComplete = true
        if server {
            let reports = try await compareWithServers(workplace)
            answer.accounts = reports
            isComplete = reports.allSatisfy(\.isComplete)
        }
        try show(answer)
        if !report.isClean || !isComplete { throw ExitStatus.someItemsFailed }
    }

    private func compareWithServers(_ workplace: Workplace) async throws -> [ServerCoverage.Report] {
        let coverage = try ServerCoverage(archive: workplace.archive, settings: workplace.pollSettings())
        var reports: [ServerCoverage.Report] = []
        for account in try workplace.archive.accounts()
        where account.settings.kind == .mailbox && account.settings.isEnabled {
            Terminal.progress("\(account.settings.name): asking the server …")
            let report = await coverage.compare(account)
            for failure in report.failures { Terminal.complain("\(report.account): \(failure.revealed)") }
            reports.append(report)
        }
        return reports
    }

    private static func missing(of folder: ServerCoverage.Folder) -> String {
        let unlisted = folder.counted - folder.listed
        return [
            folder.missing.map { "UID \($0.prefix(200))" },
            unlisted == 0 ? nil : "\(unlisted) that the server counts and does not list",
        ].compactMap { $0 }.joined(separator: ", ")
    }

    private func show(_ answer: Answer) throws {
        if json { return Terminal.print(try JSONOutput.document(answer)) }
        let report = answer.report
        for line in report.findingLines { Terminal.print(line) }
        if let accounts = answer.accounts {
            var table = TextTable(["ACCOUNT", "FOLDER", "LISTED", "IN LEDGER", "COVERAGE", "MISSING"])
            for folder in accounts.flatMap(\.folders) {
                table.add([
                    folder.account, folder.folder, String(folder.listed), String(folder.recorded),
                    folder.isComplete ? "complete" : "\(folder.percent) %", Self.missing(of: folder),
                ])
            }
            if !table.isEmpty { Terminal.print(table.text) }
            if accounts.isEmpty { Terminal.print("No account to ask.") }
            for account in accounts where !account.failures.isEmpty {
                Terminal.print("\(account.account): not complete, since it could not all be asked")
            }
        }
        if !report.readDifferently.isEmpty {
            Terminal.print(
                "\(amount(report.readDifferently.count, "message is", "messages are")) read otherwise by this version than by the "
                    + "one that stored them, which is no damage; --json names them")
        }
        Terminal.print(
            "\(amount(report.originals, "original")) (\(report.originalBytes) bytes), \(amount(report.messages, "message")), "
                + "\(report.rereadMessages) compared with their originals, \(amount(report.ledgerRows, "ledger row")), "
                + "\(report.indexedMessages) in the search index, \(amount(report.databasePages, "database page")): "
                + (report.isClean ? "clean" : "damaged")
                + (report.resumedPacks == 0
                    ? ""
                    : "; \(amount(report.resumedPacks, "pack was", "packs were")) read by the interrupted verification of "
                        + (report.resumedFrom?.shortText ?? "before"))
                + (report.erasedOriginals == 0
                    ? "" : "; \(amount(report.erasedOriginals, "original was", "originals were")) erased")
                + (report.unclaimedRecords == 0
                    ? ""
                    : "; \(amount(report.unclaimedRecords, "unclaimed record")) of interrupted batches, harmless")
                + (report.trailingBytes == 0
                    ? ""
                    : "; \(report.trailingBytes) bytes of interrupted batches, which the next append cuts off")
        )
    }
}
