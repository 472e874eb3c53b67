import Archive
import MailModel
import Synchronization

/// The watches of a daemon: one task for each account that asks for it.
///
/// Used by one task at a time.
final class MailboxWatches: Sendable {
    private struct Entry {
        var revision: Int64
        var task: Task<Void, Never>
        /// When the server refused the watch.
        var refusedAt: UnixTime?
    }

    private let archive: Archive
    private let poller: MailboxPoller
    private let settings: PollSettings
    private let entries = Mutex<[AccountID: Entry]>([:])

    init(archive: Archive, poller: MailboxPoller, settings: PollSettings) {
        self.archive = archive
        self.poller = poller
        self.settings = settings
    }

    /// Begins what is wanted and not there, and ends what is not wanted any more. An account
    /// that was changed is watched anew, and one that was refused once a poll has worked since.
    func follow(
        _ wanted: [AccountID: WatchedAccount], watch: @escaping @Sendable (PollEvent) -> Void
    ) throws(MailFailure) {
        let present = entries.withLock { entries in
            for (id, entry) in entries {
                if let wanted = wanted[id], wanted.revision == entry.revision,
                    entry.refusedAt.map({ wanted.lastSuccess <= $0 }) ?? true
                {
                    continue
                }
                entry.task.cancel()
                entries[id] = nil
            }
            return Set(entries.keys)
        }
        for (id, wanted) in wanted where !present.contains(id) {
            let account = try archive.account(id)
            let mailbox = MailboxWatch(archive: archive, poller: poller, settings: settings)
            entries.withLock { entries in
                let task = Task {
                    guard await mailbox.run(account, watch: watch) == .refused else { return }
                    noteRefusal(of: id, wanted.revision)
                }
                entries[id] = Entry(revision: wanted.revision, task: task)
            }
        }
    }

    private func noteRefusal(of id: AccountID, _ revision: Int64) {
        let now = settings.now()
        entries.withLock { entries in
            guard entries[id]?.revision == revision else { return }
            entries[id]?.refusedAt = now
        }
    }

    /// Ends all, and waits until what they had received is stored.
    func stop() async {
        let tasks = entries.withLock { entries in
            defer { entries = [:] }
            return entries.values.map(\.task)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }
}
