import Archive
import MailFetch
import MailModel
import MailTransport

/// Keeps one session idling on an account's INBOX, and files what arrives at once.
///
/// It only makes the polls of the account's interval come sooner: whatever it misses,
/// they find. It holds the account's lease while it files, and not while it waits.
struct MailboxWatch: Sendable {
    let archive: Archive
    let poller: MailboxPoller
    let settings: PollSettings

    /// Seconds between two tries to get the account's lease while a poll holds it.
    private static let leaseRetrySeconds = 2

    enum End: Sendable {
        case cancelled
        /// The server does not know IDLE: only a change of the account can help.
        case cannotIdle
        /// The server did not let us in, or answered what it must not. Whether it does again the account's polls
        /// find out, which count their tries and say what is in the way.
        case refused
    }

    func run(_ account: Account, watch: @escaping @Sendable (PollEvent) -> Void) async -> End {
        var losses = 0
        while !Task.isCancelled {
            do throws(MailFailure) {
                try await watchInbox(of: account, watch) { losses = 0 }
                return Task.isCancelled ? .cancelled : .cannotIdle
            } catch  where error.kind == .transient {
                if error.code == .cancelled { return .cancelled }
                losses += 1
                watch(.watchLost(account: account.settings.name, error))
                let pause = Self.pause(after: losses, asked: error.retryAfterSeconds)
                try? await Task.sleep(for: .seconds(pause))
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

    /// Returns when the server cannot idle.
    private func watchInbox(
        of account: Account, _ watch: @escaping @Sendable (PollEvent) -> Void, succeeded: () -> Void
    ) async throws(MailFailure) {
        let (session, folders) = try await poller.openSession(account)
        guard session.capabilities.contains("IDLE"),
            let inbox = folders.first(where: { $0.role == .inbox })
        else { return await session.logout() }
        while !Task.isCancelled {
            try await file(inbox, of: account, session, watch)
            succeeded()
            while try await !session.idle() {}
        }
        await session.logout()
    }

    /// One poll of INBOX on the watching session; opens the folder anew.
    private func file(
        _ inbox: ListedFolder, of account: Account, _ session: IMAPSession,
        _ watch: @escaping @Sendable (PollEvent) -> Void
    ) async throws(MailFailure) {
        let lease = try await lease(on: account, session)
        let report = await poller.poll(
            FolderChoice.Chosen(folder: inbox, role: .inbox), of: account, on: session, lease: lease,
            startedAt: settings.now(), watch: watch)
        try archive.release(lease)
        if report.counts.fetched > 0 { watch(.finished(report)) }
        if let failure = report.failures.first { throw failure }
    }

    /// Waits while a poll of the account is under way.
    private func lease(on account: Account, _ session: IMAPSession) async throws(MailFailure) -> Lease {
        while true {
            if case .granted(let lease) = try archive.claim(account.id, forSeconds: account.leaseSeconds) {
                return lease
            }
            do {
                try await Task.sleep(for: .seconds(Self.leaseRetrySeconds))
            } catch {
                throw MailFailure(.cancelled, kind: .transient, "The watch was cancelled")
            }
            // Polls can take hours; the server must not think that nobody is there.
            try await session.noop()
        }
    }
}
