import Archive
import ArgumentParser
import Foundation
import MailModel
import MailTransport
import Worker

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "One pass over the mailboxes.",
        discussion: """
            Polls INBOX, the Sent folder and the further folders of every enabled account that does well, now and
            whatever its interval. An account whose last poll failed is left alone until its next try is due, and one
            that waits for its user (a wrong password, five times) until they have acted; both say so, and --account
            polls them at once. An account that fails does not keep the others back: its error stands in the answer,
            and the exit code is 1.
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("Only this account.", valueName: "name"))
    var account: String?

    @OptionGroup var tracing: TraceOptions

    @Flag(help: "One JSON document instead of text.")
    var json = false

    private struct Answer: Encodable {
        var accounts: [AccountReport]
        var seconds: Double
    }

    func run() async throws {
        let workplace = try Workplace(common, secrets: .needed)
        let started = ContinuousClock.now
        var settings = try workplace.pollSettings()
        settings.trace = try tracing.open()
        let all = try workplace.archive.accounts().filter { $0.settings.kind == .mailbox }
        let accounts =
            try account.map { [try workplace.archive.account(named: $0)] }
            ?? all.filter { $0.settings.isEnabled && !Self.waits($0, at: workplace.archive.time) }
        if let reread = try await workplace.rereadInWords() { Terminal.complain(reread) }
        let progress = SyncProgress()
        var reports = try await workplace.makeSyncPass(settings: settings).run(accounts, watch: progress.note)
        if account == nil {
            let polled = Set(accounts.map(\.id))
            reports += all.filter { $0.settings.isEnabled && !polled.contains($0.id) }.map(Self.report)
        }
        for report in reports {
            if let losses = report.counts.lossesInWords { Terminal.complain("\(report.name): \(losses)") }
            if let alert = report.alert { Terminal.complain("\(report.name): its server says: \(alert)") }
            for failure in report.failures { Terminal.complain("\(report.name): \(failure.revealed)") }
            if report.isDayUsedUp {
                Terminal.complain(
                    "\(report.name): what the provider allows to be fetched in a day is used up; the rest follows"
                        + " from tomorrow (UTC) on")
            }
            if report.reused > 0 {
                Terminal.complain(
                    "\(report.name): its server has given \(report.reused) UIDs to other messages than before, as after"
                        + " a restore from a backup; what stands there now was fetched")
            }
            if report.withheld > 0 {
                Terminal.complain(
                    "\(report.name): its server does not hand out \(report.withheld) of its messages:"
                        + " mailworker account withheld \(report.name)")
            }
        }
        let elapsed = started.duration(to: .now)
        let seconds =
            Double(elapsed.components.seconds) + Double(
                elapsed.components.attoseconds / 1_000_000_000_000_000) / 1000
        if json {
            Terminal.print(try JSONOutput.document(Answer(accounts: reports, seconds: seconds)))
        } else {
            Terminal.print(Self.text(reports, seconds: seconds))
        }
        if let failure = workplace.archive.stopFailure { throw failure }
        if reports.contains(where: { !$0.failures.isEmpty }) { throw ExitStatus.someItemsFailed }
    }

    private static func waits(_ account: Account, at time: UnixTime) -> Bool {
        account.status.state == .stopped || account.status.isPutOff(at: time)
    }

    /// Of an account that is left alone.
    private static func report(on waiting: Account) -> AccountReport {
        var report = AccountReport(name: waiting.settings.name)
        var failure =
            waiting.status.failure
            ?? MailFailure(.loginRefused, kind: .credential, "The account waits for its user")
        if waiting.status.state != .stopped, let next = waiting.status.nextPoll {
            let when =
                "Not polled before \(next.shortText), but with: mailworker sync --account \(waiting.settings.name)."
            failure.remedy = [failure.remedy, when].compactMap { $0 }.joined(separator: " ")
        }
        report.failures = [failure]
        return report
    }

    private static func text(_ reports: [AccountReport], seconds: Double) -> String {
        guard !reports.isEmpty else { return "No accounts to poll. Add one: mailworker account add --help" }
        var table = TextTable([
            "ACCOUNT", "FETCHED", "LINKED", "REVIEW", "DUPLICATES", "IGNORED", "QUARANTINED",
        ])
        for report in reports {
            let counts = report.counts
            table.add(
                [report.name]
                    + [
                        counts.fetched, counts.linked, counts.review, counts.duplicates, counts.ignored,
                        counts.quarantined,
                    ].map(String.init))
        }
        return table.text + "\n\((seconds * 10).rounded() / 10) s"
    }
}

/// Shows the progress of polls on standard error, when somebody watches.
struct SyncProgress: Sendable {
    func note(_ event: PollEvent) {
        switch event {
        case .connecting(let account): Terminal.progress("\(account): connecting …")
        case .fetching(let account, let folder, let messages):
            Terminal.progress("\(account): \(folder.rawValue): fetching \(messages) messages …")
        case .committed(let account, let counts):
            if counts.fetched % 100 == 0 {
                Terminal.progress("\(account): \(counts.fetched) messages stored …")
            }
        case .finished, .watchLost: Terminal.clearProgress()
        case .held, .resumed, .notWatched, .cannotIdle: break
        }
    }
}
