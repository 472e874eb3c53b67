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
    /// that was changed is watched anew.
    func follow(
        _ wanted: [AccountID: Int64], watch: @escaping @Sendable (PollEvent) -> Void
    ) throws(MailFailure) {
        let present = entries.withLock { entries in
            for (id, entry) in entries where wanted[id] != entry.revision {
                entry.task.cancel()
                entries[id] = nil
            }
            return Set(entries.keys)
        }
        for (id, revision) in wanted where !present.contains(id) {
            let account = try archive.account(id)
            let mailbox = MailboxWatch(archive: archive, poller: poller, settings: settings)
            let task = Task { await mailbox.run(account, watch: watch) }
            entries.withLock { $0[id] = Entry(revision: revision, task: task) }
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
