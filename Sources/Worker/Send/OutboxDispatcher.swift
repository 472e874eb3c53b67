public import Archive
public import MIMEParse
public import MailModel
public import MailTransport
import Synchronization

/// Sends whatever is due, of all accounts side by side, and sees to what follows: histories and Sent folders.
public final class OutboxDispatcher: Sendable {
    private let archive: Archive
    private let loop: NetworkLoop
    private let signIn: AccountSignIn
    private let settings: SendSettings
    private let journal: OutboxJournal
    private let sessions: SessionKeeper
    private let filing: SentFiling
    private let troubles: ArchiveTroubles
    private let stop = SendingStop()
    private let atWork = Mutex<Set<Job>>([])

    private struct Job: Hashable {
        enum Kind { case sending, copying }
        var account: AccountID
        var kind: Kind
    }

    public init(
        archive: Archive, loop: NetworkLoop, parsing: any MessageParsing, settings: SendSettings
    ) {
        self.archive = archive
        self.loop = loop
        self.settings = settings
        signIn = AccountSignIn(archive: archive, loop: loop, settings: settings.connections)
        journal = OutboxJournal(archive: archive)
        sessions = SessionKeeper(idleSeconds: settings.idleSeconds, now: settings.connections.now)
        filing = SentFiling(archive: archive, parsing: parsing)
        troubles = ArchiveTroubles(now: settings.connections.now)
    }

    /// Works until the task is cancelled or the archive writes no more. Mail under way then gets a little
    /// time to end, since a broken transfer may be an uncertain one.
    ///
    /// - Throws: `archive.stopped`, after which only a new process can go on.
    public func run(watch: @escaping @Sendable (SendEvent) -> Void) async throws(MailFailure) {
        let watch = sparing(watch)
        let tasks = TaskShelf()
        while !Task.isCancelled, archive.stopFailure == nil {
            do throws(MailFailure) {
                try startDue(tasks, watch)
            } catch {
                watch(.archiveFailed(error))
            }
            await file(watch)
            sessions.closeIdle()
            try? await Task.sleep(for: troubles.pause())
        }
        stop.stop()
        await tasks.finish(withinSeconds: archive.stopFailure == nil ? settings.graceSeconds : 0)
        sessions.closeAll()
        if let failure = archive.stopFailure { throw failure }
        await file(watch)
    }

    /// Sends one mail now, whose time must have come, and sees to what follows. Not to be used beside `run` of the
    /// same process.
    ///
    /// - Returns: the mail as it is then. One that another process has claimed is waited for.
    /// - Throws: `archive.stopped` when how it ended could not be stored; the next process finds that out.
    public func deliver(
        _ id: OutboxID, watch: @escaping @Sendable (SendEvent) -> Void
    ) async throws(MailFailure) -> OutboxItem {
        let watch = sparing(watch)
        try archive.recoverOutbox()
        let account = try archive.account(try archive.outboxItem(id).account)
        var left = Int.max
        while true {
            await sender(watch).run(account, only: id, stop: stop)
            // A mail to many goes in parts.
            let item = try archive.outboxItem(id)
            let open = item.recipients.count { [.waiting, .retry].contains($0.state) }
            guard item.state == .retry, let next = item.nextTry, next <= archive.time, open < left,
                !Task.isCancelled
            else { break }
            left = open
        }
        while try archive.outboxItem(id).state == .sending, !Task.isCancelled {
            // The claim may be this process's own, which can store no answer any more.
            if let failure = archive.stopFailure { throw failure }
            try? await Task.sleep(for: .milliseconds(100))
        }
        await file(watch)
        if await copying(watch).run(account) {
            try? await Task.sleep(for: .seconds(settings.secondLookSeconds))
            await copying(watch).run(account)
        }
        sessions.closeAll()
        return try archive.outboxItem(id)
    }

    // MARK: - Parts

    private func startDue(_ tasks: TaskShelf, _ watch: @escaping @Sendable (SendEvent) -> Void)
        throws(MailFailure)
    {
        let uncertain = try archive.recoverOutbox()
        if !uncertain.isEmpty { watch(.becameUncertain(uncertain.count)) }
        try archive.recoverCopies()
        let now = archive.time
        for id in try archive.accountsWithDueMail(at: now) {
            // A paused account is asked for nothing.
            guard try archive.sendPause(of: id) == nil else { continue }
            let account = try archive.account(id)
            guard account.settings.isEnabled else { continue }
            start(Job(account: id, kind: .sending), tasks) { dispatcher in
                await dispatcher.sender(watch).run(account, stop: dispatcher.stop)
            }
        }
        for id in try archive.accountsWithDueCopies(at: now) {
            let account = try archive.account(id)
            guard account.settings.isEnabled else { continue }
            start(Job(account: id, kind: .copying), tasks) { dispatcher in
                await dispatcher.copying(watch).run(account)
            }
        }
    }

    /// Without what has just been said.
    private func sparing(
        _ watch: @escaping @Sendable (SendEvent) -> Void
    ) -> @Sendable (SendEvent) -> Void {
        let troubles = troubles
        return { event in
            if case .archiveFailed(let failure) = event, !troubles.note(failure) { return }
            watch(event)
        }
    }

    private var isSending: Bool { atWork.withLock { $0.contains { $0.kind == .sending } } }

    private func start(
        _ job: Job, _ tasks: TaskShelf, _ body: @escaping @Sendable (OutboxDispatcher) async -> Void
    ) {
        guard atWork.withLock({ $0.insert(job).inserted }) else { return }
        // A task of its own: the daemon's end must not cut a transfer off at once.
        tasks.add(
            Task { [self] in
                await body(self)
                atWork.withLock { _ = $0.remove(job) }
            })
    }

    /// While mail goes out, only some of it: what is on its way goes before what follows. That is all of what people send,
    /// and of mailings at the pace that providers allow.
    private func file(_ watch: @Sendable (SendEvent) -> Void) async {
        do throws(MailFailure) {
            repeat {
                let count = try await filing.run(limit: isSending ? 25 : 100)
                guard count > 0 else { return }
                watch(.filed(count))
            } while archive.stopFailure == nil && !isSending
        } catch {
            watch(.archiveFailed(error))
        }
    }

    private func sender(_ watch: @escaping @Sendable (SendEvent) -> Void) -> AccountSender {
        AccountSender(
            archive: archive, loop: loop, signIn: signIn, journal: journal, sessions: sessions,
            settings: settings, watch: watch)
    }

    private func copying(_ watch: @escaping @Sendable (SendEvent) -> Void) -> SentCopying {
        var copying = SentCopying(archive: archive, signIn: signIn, watch: watch)
        copying.secondLookSeconds = settings.secondLookSeconds
        return copying
    }
}

/// Tasks that are under way.
private final class TaskShelf: Sendable {
    private let tasks = Mutex<[Int: Task<Void, Never>]>([:])
    private let count = Atomic<Int>(0)

    func add(_ task: Task<Void, Never>) {
        let number = count.add(1, ordering: .relaxed).newValue
        tasks.withLock { $0[number] = task }
        Task { [weak self] in
            await task.value
            self?.tasks.withLock { $0[number] = nil }
        }
    }

    /// Waits for all; those that are not done in time are cancelled and waited for.
    func finish(withinSeconds seconds: Int) async {
        let alarm = Task { [weak self] in
            try? await Task.sleep(for: .seconds(seconds))
            guard !Task.isCancelled else { return }
            self?.tasks.withLock { for task in $0.values { task.cancel() } }
        }
        while let task = tasks.withLock({ $0.values.first }) {
            await task.value
            await Task.yield()
        }
        alarm.cancel()
    }
}
