public import Archive
public import MailModel
import MailTransport
import OAuth
import Synchronization

/// Polls accounts, several at a time, each under its lease, and records how each
/// poll ended and when the next one is due.
public struct SyncPass: Sendable {
    private let archive: Archive
    let poller: MailboxPoller
    private let settings: PollSettings

    public init(archive: Archive, poller: MailboxPoller, settings: PollSettings) {
        self.archive = archive
        self.poller = poller
        self.settings = settings
    }

    /// Polls the accounts side by side (`PollPlaces`); one whose mailbox is large comes in slices, between which
    /// the others have their turn. The reports stand in the order of the accounts; one account's trouble is
    /// its own.
    public func run(
        _ accounts: [Account], watch: @escaping @Sendable (PollEvent) -> Void = { _ in }
    ) async -> [AccountReport] {
        guard !accounts.isEmpty else { return [] }
        let turns = PollTurns(settings.places)
        let results = PassResults()
        await withDiscardingTaskGroup { group in
            var waiting = accounts
            while !Task.isCancelled {
                waiting.removeAll { account in
                    guard turns.begin(account) else { return false }
                    group.addTask {
                        await turns.run(account) {
                            let report = await poll(account, watch: watch)
                            results.add(report, of: account.id)
                            return report
                        }
                    }
                    return true
                }
                await turns.wait()
                // In this order: a poll notes its result before it ends.
                let areAllOver = turns.isIdle
                waiting += results.takeUnfinished().compactMap { try? archive.account($0) }
                if areAllOver, waiting.isEmpty { break }
            }
        }
        return accounts.compactMap { results.report(of: $0.id) }
    }

    /// Polls one account; a report with `account-busy` when another process holds it.
    ///
    /// - Parameter onlyIfDue: leaves the account to the other process, too, when that has polled it since `account`
    ///   was read.
    public func poll(
        _ account: Account, onlyIfDue: Bool = false,
        watch: @escaping @Sendable (PollEvent) -> Void = { _ in }
    ) async -> AccountReport {
        var report = AccountReport(name: account.settings.name)
        do throws(MailFailure) {
            try settings.space.check(archive)
            let lease = try claim(account)
            if onlyIfDue, try archive.account(account.id).status.lastAttempt != account.status.lastAttempt {
                try archive.release(lease)
                throw Self.busy(account, "it has just polled it")
            }
            let startedAt = settings.now()
            report = await poller.poll(account, lease: lease, startedAt: startedAt, watch: watch)
            do throws(MailFailure) {
                try conclude(account, report, startedAt: startedAt)
            } catch {
                report.failures.append(error)
            }
            // Whatever could not be noted: a lease that stayed would keep the account away for minutes.
            try archive.release(lease)
        } catch {
            if !report.failures.contains(error) { report.failures.append(error) }
        }
        watch(.finished(report))
        return report
    }

    private func claim(_ account: Account) throws(MailFailure) -> Lease {
        switch try archive.claim(account.id, forSeconds: account.leaseSeconds) {
        case .granted(let lease): return lease
        case .held(let process, _): throw Self.busy(account, "process \(process)")
        }
    }

    private static func busy(_ account: Account, _ detail: String) -> MailFailure {
        MailFailure(
            .accountBusy, kind: .transient, "Another mailworker process polls this account",
            detail: "\(account.settings.name), \(detail)",
            remedy: "Wait until it has finished, or stop that process.")
    }

    private func conclude(_ account: Account, _ report: AccountReport, startedAt: UnixTime)
        throws(MailFailure)
    {
        // A stop asked for by a person says nothing about the account.
        let failure = report.failures.first { $0.code != .cancelled }
        if !report.failures.isEmpty, failure == nil { return }
        let isInFolder = report.failsInFurtherFolders
        let failures = failure.map { account.status.failures(with: $0) } ?? 0
        let schedule = PollSchedule(intervalSeconds: Int64(account.settings.pollMinutes) * 60)
        let outcome: PollSchedule.Outcome =
            if report.isUnfinished { .unfinished } else if let failure, !isInFolder {
                PollSchedule.Outcome(failure)
            } else { .succeeded }
        let next = schedule.nextPoll(
            after: outcome, failures: failures, now: settings.now(), phase: account.id.phase,
            jitter: Double.random(in: 0..<1))
        try archive.noteAttempt(
            account.id, revision: account.revision, startedAt: startedAt, failure: failure,
            isInFolder: isInFolder, nextPoll: next)
    }
}

/// What the polls of one pass have brought.
private final class PassResults: Sendable {
    private struct State {
        var reports: [AccountID: AccountReport] = [:]
        var unfinished: [AccountID] = []
    }

    private let state = Mutex(State())

    func add(_ report: AccountReport, of id: AccountID) {
        state.withLock { state in
            state.reports[id] = state.reports[id].map { $0.followed(by: report) } ?? report
            if report.isUnfinished { state.unfinished.append(id) }
        }
    }

    func report(of id: AccountID) -> AccountReport? { state.withLock { $0.reports[id] } }

    /// Those whose next slice is due.
    func takeUnfinished() -> [AccountID] {
        state.withLock { state in
            defer { state.unfinished = [] }
            return state.unfinished
        }
    }
}

extension Account {
    /// A process that dies frees its leases at once, so this only has to outlast a living
    /// one's longest silence: some reads in a row, each up to the server's timeout.
    var leaseSeconds: Int64 { max(1800, 4 * Int64(settings.timeoutSeconds)) }
}

extension AccountID {
    /// Spreads accounts evenly, however many there are: the multiples of the golden ratio fill a circle without
    /// clusters.
    var phase: Double { (Double(rawValue) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1) }
}

extension PollSchedule.Outcome {
    init(_ failure: MailFailure) {
        self =
            failure.code == .authorizationRevoked || failure.code == .mailboxChanged
            ? .waitsForPerson
            : .failed(failure.kindForAccount, retryAfterSeconds: failure.retryAfterSeconds)
    }
}

extension MailFailure {
    /// Trouble of the archive, such as a full disk, is none of the account's: it is
    /// polled again as after an outage.
    fileprivate var kindForAccount: FailureKind { code.rawValue.hasPrefix("archive.") ? .transient : kind }
}

extension MailFailure.Code {
    /// The account's lease is held by another process.
    public static let accountBusy = Self("account-busy")
}
