import Archive
import MailModel
import Synchronization

/// The watches of a daemon: one task for each account that asks for it.
///
/// Used by one task at a time.
final class MailboxWatches: Sendable {
    struct Limits: Sendable, Hashable {
        /// Watches of mailboxes at one host.
        var host: Int
        /// Watches altogether.
        var total: Int
    }

    private struct Entry {
        var revision: Int64
        var host: String
        var task: Task<Void, Never>
        /// Whether it has ended by itself, and needs no connection any more.
        var isOver = false
        /// When the server refused the watch; for one that cannot idle, until when that is believed.
        var refusedAt: UnixTime?
    }

    private let archive: Archive
    private let poller: MailboxPoller
    private let turns: PollTurns
    private let settings: PollSettings
    private let entries = Mutex<[AccountID: Entry]>([:])
    /// Accounts at each host for which there was no room when last looked at.
    private let leftOut = Mutex<[String: Int]>([:])

    init(archive: Archive, poller: MailboxPoller, turns: PollTurns, settings: PollSettings) {
        self.archive = archive
        self.poller = poller
        self.turns = turns
        self.settings = settings
    }

    /// Seconds over which so many watches are begun: together they would all come at once, and each second again.
    static func spreadSeconds(of count: Int) -> Double { min(30, Double(max(0, count - 1)) * 0.02) }

    /// Begins what is wanted and not there, as far as the limits allow, and ends what is not wanted any more. An
    /// account that was changed is watched anew, and one that was refused once a poll has worked since; one whose server
    /// cannot idle once a poll has worked an hour later.
    func follow(
        _ wanted: [AccountID: WatchedAccount], watch: @escaping @Sendable (PollEvent) -> Void
    ) throws(MailFailure) {
        let (present, atHosts, ended) = entries.withLock { entries in
            var ended: [AccountID] = []
            for (id, entry) in entries {
                if let wanted = wanted[id], wanted.revision == entry.revision,
                    entry.refusedAt.map({ wanted.lastSuccess <= $0 }) ?? true
                {
                    continue
                }
                entry.task.cancel()
                entries[id] = nil
                ended.append(id)
            }
            let open = entries.values.lazy.filter { !$0.isOver }.map { ($0.host, 1) }
            return (Set(entries.keys), Dictionary(open, uniquingKeysWith: +), ended)
        }
        let (begun, left) = Self.choice(
            among: wanted.filter { !present.contains($0.key) }, atHosts: atHosts, settings.watchLimits)
        try archive.releaseWatches(of: ended.filter { id in !begun.contains { $0.0 == id } })
        // Another process may be faster.
        let claimed = try archive.claimWatches(of: begun.map(\.0))
        let spread = Self.spreadSeconds(of: claimed.count)
        for (id, wanted) in begun where claimed.contains(id) {
            let account = try archive.account(id)
            let mailbox = MailboxWatch(archive: archive, poller: poller, turns: turns, settings: settings)
            entries.withLock { entries in
                let task = Task {
                    let end = await mailbox.run(
                        account, after: .seconds(spread * Double.random(in: 0..<1)), watch: watch)
                    noteEnd(end, of: id, wanted.revision)
                    if end == .cannotIdle { watch(.cannotIdle(account: account.settings.name)) }
                }
                entries[id] = Entry(revision: wanted.revision, host: wanted.host, task: task)
            }
        }
        let before = leftOut.withLock { leftOut in
            defer { leftOut = left }
            return leftOut
        }
        for (host, count) in left where before[host] != count {
            watch(.notWatched(host: host, accounts: count))
        }
    }

    /// Those that there is room for, the oldest accounts first, so that it is always the same ones; and how many are
    /// left out at each host. Pure.
    static func choice(
        among wanted: [AccountID: WatchedAccount], atHosts: [String: Int], _ limits: Limits
    ) -> (begun: [(AccountID, WatchedAccount)], left: [String: Int]) {
        var atHosts = atHosts
        var total = atHosts.values.reduce(0, +)
        var begun: [(AccountID, WatchedAccount)] = []
        var left: [String: Int] = [:]
        for (id, account) in wanted.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            guard total < limits.total, atHosts[account.host, default: 0] < limits.host else {
                left[account.host, default: 0] += 1
                continue
            }
            total += 1
            atHosts[account.host, default: 0] += 1
            begun.append((id, account))
        }
        return (begun, left)
    }

    /// Seconds for which a server that cannot idle is only polled.
    private static let idleRetrySeconds: Int64 = 3_600

    private func noteEnd(_ end: MailboxWatch.End, of id: AccountID, _ revision: Int64) {
        let now = settings.now()
        entries.withLock { entries in
            guard entries[id]?.revision == revision, end != .cancelled else { return }
            entries[id]?.isOver = true
            switch end {
            case .refused: entries[id]?.refusedAt = now
            case .cannotIdle: entries[id]?.refusedAt = now.advanced(bySeconds: Self.idleRetrySeconds)
            case .cancelled: break
            }
        }
    }

    /// Ends all, and waits until what they had received is stored.
    func stop() async {
        let ended = entries.withLock { entries in
            defer { entries = [:] }
            return entries
        }
        for entry in ended.values { entry.task.cancel() }
        for entry in ended.values { await entry.task.value }
        // What cannot be written now is void as soon as this process ends.
        try? archive.releaseWatches(of: Array(ended.keys))
    }
}
