import Archive
import ArgumentParser
import MailFetch
import MailModel
import Worker

struct AccountCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Signs in to IMAP and SMTP, and says what is wrong and what to do.",
        discussion: """
            Changes nothing. With --send a marked mail goes to the mailbox's own address, and is looked for there
            by its Message-ID. Ends with 69 or 75 when the account does not work.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The account's name.")
    var account: String

    @Flag(help: "Sends a mail to the mailbox itself, and waits until it has arrived.")
    var send = false

    @Option(help: ArgumentHelp("Seconds that it may take to arrive, 1 to 3600.", valueName: "n"))
    var within = 60

    @OptionGroup var tracing: TraceOptions

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func validate() throws {
        guard (1...3600).contains(within) else { throw ValidationError("--within takes 1 to 3600.") }
    }

    func run() async throws {
        try await Act.$current.withValue(act) { try await check() }
    }

    private func check() async throws {
        let workplace = try Workplace(common, secrets: .needed)
        let found = try workplace.archive.account(named: account)
        var settings = try workplace.pollSettings()
        settings.trace = try tracing.open()
        var answer = CheckAnswer(
            try await AccountInspection(archive: workplace.archive, settings: settings).check(found))
        // Signing in may work, and the account be kept from reading all the same.
        if found.status.state == .stopped, let failure = found.status.failure, failure.code == .mailboxChanged
        {
            answer.add(failure)
        }
        if send, answer.failures.isEmpty {
            try workplace.archive.noteAct(about: "account \(account)")
            Terminal.progress("waiting up to \(within) s for the mail to arrive …")
            answer.add(
                try await RoundTrip(
                    archive: workplace.archive, settings: settings, patienceSeconds: within
                ).run(found))
        }
        Terminal.print(json ? try JSONOutput.document(answer) : answer.lines.joined(separator: "\n"))
        let failures = answer.failures
        if let worst = failures.first(where: { $0.kind != .transient }) ?? failures.first {
            throw ExitStatus.code(for: worst)
        }
    }
}

/// What a check has found, step by step.
private struct CheckAnswer: Encodable {
    private struct Step: Encodable {
        var step: String
        var ok: Bool
        var detail: String?
        var seconds: Double?
        var error: String?
        var remedy: String?
    }

    private(set) var failures: [MailFailure] = []
    private var steps: [Step] = []

    private enum CodingKeys: String, CodingKey { case steps }

    init(_ report: AccountCheck.Report) {
        switch report.imap {
        case .success(let findings):
            pass(
                "IMAP",
                "\(amount(findings.folderCount, "folder")), \(amount(findings.inboxMessages, "message")) in INBOX, "
                    + (findings.sentFolder.map { "sent mail in \($0.rawValue)" }
                        ?? "no Sent folder recognised: name it with --sent-folder"))
        case .failure(let failure): fail("IMAP", failure)
        }
        switch report.smtp {
        case .success(let reply): pass("SMTP", reply)
        case .failure(let failure): fail("SMTP", failure)
        case nil:
            steps.append(
                Step(step: "SMTP", ok: true, detail: "not set; it is needed for sending: --smtp-host"))
        }
    }

    mutating func add(_ hindrance: MailFailure) { fail("MAILBOX", hindrance) }

    mutating func add(_ trip: RoundTrip.Report) {
        switch trip.sent {
        case .success((let answer, let seconds)): pass("SENT", answer, seconds)
        case .failure(let failure): fail("SENT", failure)
        }
        switch trip.arrived {
        case .success((let folder, let seconds)):
            pass(
                "BACK", "found in \(folder.rawValue) by its Message-ID <\(trip.messageID.rawValue)>", seconds)
        case .failure(let failure): fail("BACK", failure)
        case nil: break
        }
    }

    private mutating func pass(_ step: String, _ detail: String, _ seconds: Double? = nil) {
        steps.append(Step(step: step, ok: true, detail: detail, seconds: seconds))
    }

    private mutating func fail(_ step: String, _ failure: MailFailure) {
        failures.append(failure)
        let words = [failure.summary, failure.detail].compactMap { $0 }.joined(separator: ": ")
        steps.append(Step(step: step, ok: false, error: words, remedy: failure.remedy))
    }

    var lines: [String] {
        steps.map { step in
            if let error = step.error {
                return "\(step.step)  \(error)" + (step.remedy.map { ". \($0)" } ?? "")
            }
            let time = step.seconds.map { " (\(($0 * 10).rounded() / 10) s)" } ?? ""
            let mark = step.step == "SMTP" && step.detail?.hasPrefix("not set") == true ? "" : "ok: "
            return "\(step.step)  \(mark)\(step.detail ?? "")\(time)"
        }
    }
}
