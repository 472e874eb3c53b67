public import Archive
public import MailModel
import MailTransport
import Synchronization

/// Polls every account when it is due, and watches those that ask for it, until its task is
/// cancelled or the archive writes no more.
///
/// The accounts are read anew each second, so that what `account add` and
/// `account edit` change takes effect without a restart.
public struct PollingDaemon: Sendable {
    private let archive: Archive
    private let pass: SyncPass
    private let settings: PollSettings

    public init(archive: Archive, pass: SyncPass, settings: PollSettings) {
        self.archive = archive
        self.pass = pass
        self.settings = settings
    }

    /// Returns when the task is cancelled and every poll has ended; what they had
    /// received by then is committed.
    ///
    /// - Throws: `archive.stopped`, after which only a new process can go on.
    /// - Parameter failed: called when the archive itself cannot be asked; the next second tries again.
    public func run(
        watch: @escaping @Sendable (PollEvent) -> Void, failed: @escaping @Sendable (MailFailure) -> Void
    ) async throws(MailFailure) {
        let turns = PollTurns(settings.places)
        let postponed = PostponedAccounts()
        let watches = MailboxWatches(
            archive: archive, poller: pass.poller, turns: turns, settings: settings)
        await withDiscardingTaskGroup { group in
            group.addTask {
                while (try? await Task.sleep(for: .seconds(1))) != nil { turns.announce() }
            }
            var isHeld = false
            var lookedAt: ContinuousClock.Instant?
            var due: [Account] = []
            while !Task.isCancelled, archive.stopFailure == nil {
                do throws(MailFailure) {
                    let now = settings.now()
                    let isNewSecond = lookedAt.map { .now - $0 >= .seconds(1) } ?? true
                    if isNewSecond {
                        lookedAt = .now
                        let shortage = settings.space.shortage(in: try archive.diskSpace())
                        if let shortage, !isHeld { watch(.held(shortage)) }
                        if shortage == nil, isHeld { watch(.resumed) }
                        isHeld = shortage != nil
                        try watches.follow(isHeld ? [:] : try archive.watchedAccounts(), watch: watch)
                    }
                    if isNewSecond || due.isEmpty {
                        due = isHeld ? [] : try dueAccounts(at: now, turns, postponed)
                    }
                    due.removeAll { account in
                        guard turns.begin(account) else { return false }
                        group.addTask { await turns.run(account) { await poll(account, postponed, watch) } }
                        return true
                    }
                    // Behind the polls, which bring the mail all the same.
                    turns.admitOpenings()
                } catch {
                    failed(error)
                }
                await turns.wait()
            }
            group.cancelAll()
            await watches.stop()
        }
        if let failure = archive.stopFailure { throw failure }
    }

    private func dueAccounts(
        at now: UnixTime, _ turns: PollTurns, _ postponed: PostponedAccounts
    ) throws(MailFailure) -> [Account] {
        // Asked first: a poll that ends meanwhile stands among the due ones still.
        let polled = turns.polled
        return try archive.dueAccounts(at: now).filter {
            !polled.contains($0.id) && !postponed.contains($0.id, at: now)
        }
    }

    /// Seconds until an account is looked at again whose poll left nothing in the archive.
    private static let postponedSeconds: Int64 = 30
    /// Seconds until an account is claimed again that another process polls, which may die.
    private static let heldSeconds: Int64 = 5

    private func poll(
        _ account: Account, _ postponed: PostponedAccounts, _ watch: @escaping @Sendable (PollEvent) -> Void
    ) async -> AccountReport {
        let report = await pass.poll(account, onlyIfDue: true) { event in
            // What another process polls is no trouble, and it says itself how that went.
            if case .finished(let report) = event, report.isLeftToOthers { return }
            watch(event)
        }
        // Nobody has put off the next poll: at once it would be due again, before all the others.
        if !report.failures.isEmpty,
            (try? archive.account(account.id).status) ?? account.status == account.status
        {
            let seconds = report.isLeftToOthers ? Self.heldSeconds : Self.postponedSeconds
            postponed.insert(account.id, until: settings.now().advanced(bySeconds: seconds))
        }
        return report
    }
}

extension AccountReport {
    fileprivate var isLeftToOthers: Bool { failures.map(\.code) == [.accountBusy] }
}

/// The accounts to leave alone for a while.
private final class PostponedAccounts: Sendable {
    private let times = Mutex<[AccountID: UnixTime]>([:])

    func insert(_ id: AccountID, until time: UnixTime) { times.withLock { $0[id] = time } }

    func contains(_ id: AccountID, at now: UnixTime) -> Bool {
        times.withLock { times in
            guard let until = times[id] else { return false }
            if until <= now { times[id] = nil }
            return until > now
        }
    }
}
