public import Archive
public import MailModel
import Synchronization

/// Polls every account when it is due, until its task is cancelled.
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
    /// - Parameter failed: called when the archive itself cannot be asked; the next second tries again.
    public func run(
        watch: @escaping @Sendable (PollEvent) -> Void, failed: @escaping @Sendable (MailFailure) -> Void
    ) async {
        let running = AccountsAtWork()
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let busy = running.all
                do throws(MailFailure) {
                    let free = max(1, settings.concurrency) - busy.count
                    let due = free > 0 ? try archive.dueAccounts(at: settings.now()) : []
                    for account in due.filter({ !busy.contains($0.id) }).prefix(free) {
                        running.insert(account.id)
                        group.addTask {
                            _ = await pass.poll(account, watch: watch)
                            running.remove(account.id)
                        }
                    }
                } catch {
                    failed(error)
                }
                try? await Task.sleep(for: .seconds(1))
            }
            group.cancelAll()
        }
    }
}

/// The accounts whose polls have begun and not ended.
private final class AccountsAtWork: Sendable {
    private let ids = Mutex(Set<AccountID>())

    var all: Set<AccountID> { ids.withLock { $0 } }
    func insert(_ id: AccountID) { ids.withLock { _ = $0.insert(id) } }
    func remove(_ id: AccountID) { ids.withLock { _ = $0.remove(id) } }
}
