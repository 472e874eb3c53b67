import Archive
import MailFetch
import MailModel
import MailTransport

/// Keeps one session idling on an account's INBOX, and files what arrives at once: there, and, where the server
/// offers to tell of them too (NOTIFY), in the further folders that are polled.
///
/// It only makes the polls of the account's interval come sooner: whatever it misses,
/// they find. It holds the account's lease while it files, and not while it waits.
struct MailboxWatch: Sendable {
    let archive: Archive
    let poller: MailboxPoller
    let turns: PollTurns
    let settings: PollSettings

    /// Seconds between two tries to get the account's lease while a poll holds it.
    private static let leaseRetrySeconds = 2

    enum End: Sendable {
        case cancelled
        /// The server does not know IDLE, or ends it at once. It is asked again now and then: another one of its kind may
        /// have answered.
        case cannotIdle
        /// The server did not let us in, or answered what it must not. Whether it does again the account's polls
        /// find out, which count their tries and say what is in the way.
        case refused
    }

    /// - Parameter delay: before the session is opened for the first time.
    func run(
        _ account: Account, after delay: Duration = .zero, watch: @escaping @Sendable (PollEvent) -> Void
    ) async -> End {
        guard (try? await settings.sleep(delay)) != nil else { return .cancelled }
        var losses = 0
        var subscribes = true
        while !Task.isCancelled {
            do throws(MailFailure) {
                guard try await watchFolders(of: account, &subscribes, watch, succeeded: { losses = 0 })
                else {
                    return Task.isCancelled ? .cancelled : .cannotIdle
                }
            } catch  where error.mayBeAnOutage {
                if error.code == .cancelled { return .cancelled }
                losses += 1
                watch(.watchLost(account: account.settings.name, error))
                let pause = Self.pause(after: losses, asked: error.retryAfterSeconds)
                try? await settings.sleep(.seconds(pause))
            } catch {
                watch(.watchLost(account: account.settings.name, error))
                return .refused
            }
        }
        return .cancelled
    }

    /// Seconds before the session is opened again: servers close idle ones now and then, so
    /// first soon, and up to a quarter of an hour when it keeps failing.
    ///
    /// - Parameter seconds: a delay that the server has asked for, which is never undercut; a day at most, since
    ///   polls bring the mail meanwhile.
    static func pause(
        after losses: Int, asked seconds: Int? = nil, jitter: Double = .random(in: 0..<1)
    ) -> Double {
        let doubled = Double(5 << min(max(losses, 1) - 1, 8))
        let asked = Double(min(max(seconds ?? 0, 0), 86_400))
        return max(asked, min(doubled, 900) * (0.8 + 0.4 * jitter))
    }

    /// - Parameter subscribes: whether the server may be asked to tell of further folders; false once that has ended
    ///   a session, or the server has given it up.
    /// - Returns: false when the server cannot idle, true when another session has to go on.
    private func watchFolders(
        of account: Account, _ subscribes: inout Bool, _ watch: @escaping @Sendable (PollEvent) -> Void,
        succeeded: () -> Void
    ) async throws(MailFailure) -> Bool {
        // Thousands may want it at once: after a restart of ours, or of their server.
        let (session, listed) = try await turns.open(account) { () throws(MailFailure) in
            try await poller.openSession(account, for: .watch)
        }
        let choice = FolderChoice(
            sentFolder: account.settings.sentFolder, furtherFolders: account.settings.furtherFolders)
        let chosen = choice.folders(among: listed).chosen
        guard session.capabilities.contains("IDLE"), let inbox = chosen.first(where: { $0.role == .inbox })
        else {
            await session.logout()
            return false
        }
        var further = chosen.filter { $0 != inbox }
        if subscribes, !further.isEmpty {
            subscribes = false
            if try await !session.subscribe(to: further.map(\.folder)) { further = [] }
            subscribes = true
        } else {
            further = []
        }
        var news = FolderNews()
        var due = further
        /// Rounds in a row that brought nothing, though the server had told of something.
        var fruitless = 0
        while !Task.isCancelled {
            // INBOX does not wait for other folders, and has to be the one that is open at the end.
            let isFirst = news.concern(inbox.folder) && !due.isEmpty
            let hasBrought = try await file(
                (isFirst ? [inbox] : []) + due + [inbox], of: account, session, watch)
            fruitless = hasBrought || news.isEmpty ? 0 : fruitless + 1
            try await rest(after: fruitless, of: account)
            try await session.lookAgain(at: due.map(\.folder))
            guard let told = try await idle(on: session, account, succeeded) else {
                await session.logout()
                return false
            }
            news = told
            if news.hasGivenUp {
                subscribes = false
                await session.logout()
                return true
            }
            due = further.filter { news.concern($0.folder) }
        }
        await session.logout()
        return true
    }

    /// Rounds without fruit that cost nothing: others of the user's programs may have been faster.
    private static let freeRounds = 3

    /// Seconds to wait before a server is listened to again that keeps telling of what is not there, as one does
    /// whose index lags behind. Pure.
    static func rest(after fruitless: Int, interval: Int64) -> Int64 {
        guard fruitless >= freeRounds else { return 0 }
        return min(
            Int64(1) << min(fruitless - freeRounds, 30), max(1, interval), Int64(IMAPSession.idleSeconds))
    }

    private func rest(after fruitless: Int, of account: Account) async throws(MailFailure) {
        let seconds = Self.rest(after: fruitless, interval: Int64(account.settings.pollMinutes) * 60)
        guard seconds > 0 else { return }
        do {
            try await settings.sleep(.seconds(seconds))
        } catch {
            throw Self.cancelled
        }
    }

    private static let cancelled = MailFailure(.cancelled, kind: .transient, "The watch was cancelled")

    /// What ends IDLE sooner, without news, this many times in a row, cannot idle.
    private static let shortIdleSeconds = 30
    private static let shortIdles = 3

    /// What the server tells next; nil when it refuses to wait, or does not wait at all, and would be asked without end.
    private func idle(
        on session: IMAPSession, _ account: Account, _ succeeded: () -> Void
    ) async throws(MailFailure) -> FolderNews? {
        do throws(MailFailure) {
            for _ in 0..<Self.shortIdles {
                while true {
                    let begun = ContinuousClock.now
                    let news = try await session.idle(for: account.provider.profile.idleSeconds)
                    let isShort = ContinuousClock.now - begun < .seconds(Self.shortIdleSeconds)
                    // Only now it is known that the server waits: one that ends each session here is to be come back to
                    // less and less.
                    if !isShort || !news.isEmpty { succeeded() }
                    if !news.isEmpty { return news }
                    if isShort { break }
                }
            }
        } catch  where error.code == .commandRefused && error.kind == .permanent {
            // BAD: it does not know the command. NO is about the moment, whatever its words.
            return nil
        }
        return nil
    }

    /// One poll of each folder on the watching session; opens them anew.
    /// - Returns: whether something came, or went.
    private func file(
        _ folders: [FolderChoice.Chosen], of account: Account, _ session: IMAPSession,
        _ watch: @escaping @Sendable (PollEvent) -> Void
    ) async throws(MailFailure) -> Bool {
        let lease = try await lease(on: account, session)
        var report = AccountReport(name: account.settings.name)
        var failure: MailFailure?
        for folder in folders where failure == nil {
            let one = await poller.poll(
                folder, of: account, on: session, lease: lease, startedAt: settings.now(), watch: watch)
            report = report.followed(by: one)
            // Without a further folder the watch goes on; the account's polls say what is wrong with it.
            failure = one.failures.first {
                folder.role == .inbox && $0.code != .listingShort
                    || !FolderPoll.concernsOneFolder.contains($0.code)
            }
        }
        try archive.release(lease)
        if report.counts.fetched > 0 { watch(.finished(report)) }
        if let failure { throw failure }
        return report.counts.fetched + report.vanished + report.beforeSince + report.tooLarge + report.gone
            > 0
    }

    /// Waits while a poll of the account is under way.
    private func lease(on account: Account, _ session: IMAPSession) async throws(MailFailure) -> Lease {
        while true {
            if case .granted(let lease) = try archive.claim(account.id, forSeconds: account.leaseSeconds) {
                return lease
            }
            do {
                try await settings.sleep(.seconds(Self.leaseRetrySeconds))
            } catch {
                throw Self.cancelled
            }
            // Polls can take hours; the server must not think that nobody is there.
            try await session.noop()
        }
    }
}

extension MailFailure {
    /// Whether a name server, a proxy or a server that is away for a minute looks like this, too.
    fileprivate var mayBeAnOutage: Bool {
        kind == .transient || [.unknownHost, .proxyFailed, .tlsFailed, .notAMailServer].contains(code)
    }
}
