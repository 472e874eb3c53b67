public import Archive
public import MailModel
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
        let running = AccountsAtWork()
        let watches = MailboxWatches(archive: archive, poller: pass.poller, settings: settings)
        await withDiscardingTaskGroup { group in
            var isHeld = false
            while !Task.isCancelled, archive.stopFailure == nil {
                let now = settings.now()
                let busy = running.all
                do throws(MailFailure) {
                    let shortage = settings.space.shortage(in: try archive.diskSpace())
                    if let shortage, !isHeld { watch(.held(shortage)) }
                    if shortage == nil, isHeld { watch(.resumed) }
                    isHeld = shortage != nil
                    let free = isHeld ? 0 : max(1, settings.concurrency) - busy.count
                    let due = free > 0 ? try archive.dueAccounts(at: now) : []
                    let ready = due.filter { !busy.contains($0.id) && !running.isPutOff($0.id, at: now) }
                    for account in ready.prefix(free) {
                        running.insert(account.id)
                        group.addTask { await poll(account, running, watch) }
                    }
                    try watches.follow(isHeld ? [:] : try archive.watchedAccounts(), watch: watch)
                } catch {
                    failed(error)
                }
                try? await Task.sleep(for: .seconds(1))
            }
            group.cancelAll()
            await watches.stop()
        }
        if let failure = archive.stopFailure { throw failure }
    }

    /// Seconds until an account is looked at again whose poll left nothing in the archive.
    private static let putOffSeconds: Int64 = 30

    private func poll(
        _ account: Account, _ running: AccountsAtWork, _ watch: @escaping @Sendable (PollEvent) -> Void
    ) async {
        let report = await pass.poll(account) { event in
            // What another process polls is no trouble, and it says itself how that went.
            if case .finished(let report) = event, report.failures.map(\.code) == [.accountBusy] { return }
            watch(event)
        }
        // Nobody has put off the next poll: at once it would be due again, before all the others.
        if !report.failures.isEmpty,
            (try? archive.account(account.id).status) ?? account.status == account.status
        {
            running.putOff(account.id, until: settings.now().advanced(bySeconds: Self.putOffSeconds))
        }
        running.remove(account.id)
    }
}

/// The accounts whose polls have begun and not ended, and those to leave alone for a while.
private final class AccountsAtWork: Sendable {
    private struct State {
        var ids: Set<AccountID> = []
        var putOff: [AccountID: UnixTime] = [:]
    }

    private let state = Mutex(State())

    var all: Set<AccountID> { state.withLock(\.ids) }
    func insert(_ id: AccountID) { state.withLock { _ = $0.ids.insert(id) } }
    func remove(_ id: AccountID) { state.withLock { _ = $0.ids.remove(id) } }

    func putOff(_ id: AccountID, until time: UnixTime) { state.withLock { $0.putOff[id] = time } }

    func isPutOff(_ id: AccountID, at now: UnixTime) -> Bool {
        state.withLock { state in
            guard let until = state.putOff[id] else { return false }
            if until <= now { state.putOff[id] = nil }
            return until > now
        }
    }
}
