public import Archive
public import MailFetch
public import MailModel
public import MailTransport

/// One poll of one account: everything that the server lists and the ledger lacks
/// ends in the archive.
///
/// Nothing is remembered between polls but the ledger itself. A poll that breaks
/// off anywhere has lost nothing: what was not committed is still missing from the
/// ledger, and the next poll fetches it.
public struct MailboxPoller: Sendable {
    let archive: Archive
    let loop: NetworkLoop
    let pipeline: IngestPipeline
    let settings: PollSettings
    let partials = PartialMessages()
    private let signIn: AccountSignIn

    public init(archive: Archive, loop: NetworkLoop, pipeline: IngestPipeline, settings: PollSettings) {
        self.archive = archive
        self.loop = loop
        self.pipeline = pipeline
        self.settings = settings
        signIn = AccountSignIn(archive: archive, loop: loop, settings: settings)
    }

    /// Polls the account, whose lease the caller holds. What goes wrong is in the report.
    public func poll(
        _ account: Account, lease: Lease, startedAt now: UnixTime,
        watch: @escaping @Sendable (PollEvent) -> Void = { _ in }
    ) async -> AccountReport {
        watch(.connecting(account: account.settings.name))
        return await filing(account, watch) { tally, report, sweeps throws(MailFailure) in
            let (session, folders) = try await openSession(account, compression: settings.compression)
            defer { noteAlert(of: session, account, &report) }
            let choice = FolderChoice(
                sentFolder: account.settings.sentFolder, furtherFolders: account.settings.furtherFolders)
            let (chosen, failures) = choice.folders(among: folders)
            report.failures += failures
            var allowance = try allowance(for: account, now)
            for folder in chosen {
                let poll = FolderPoll(
                    poller: self, account: account, lease: lease, session: session, now: now, tally: tally,
                    watch: watch)
                let before = report.failures.count
                let sweep = try await poll.run(folder, allowance: &allowance, report: &report)
                if let sweep { sweeps.append(sweep) }
                if folder.role == .inbox {
                    // What a short listing names was fetched.
                    report.isInboxDone = report.failures[before...].allSatisfy { $0.code == .listingShort }
                }
            }
            report.hasMore = allowance.hasMore
            report.isDayUsedUp = allowance.isDayUsedUp
            // What arrived last is stored while the server says goodbye.
            async let _ = try? pipeline.flush(tally)
            await session.logout()
        }
    }

    /// A session with the account's IMAP server, and the folders of the mailbox that the account has read so far.
    func openSession(
        _ account: Account, for use: AccountSignIn.SessionUse = .work,
        compression: CompressionPolicy = .never
    ) async throws(MailFailure) -> (IMAPSession, [ListedFolder]) {
        let session = try await signIn.openMailbox(account, for: use, compression: compression)
        return (session, try await MailboxRecognition(archive: archive).folders(of: account, on: session))
    }

    /// Polls one folder on a session that is open already.
    func poll(
        _ folder: FolderChoice.Chosen, of account: Account, on session: IMAPSession, lease: Lease,
        startedAt now: UnixTime, watch: @escaping @Sendable (PollEvent) -> Void
    ) async -> AccountReport {
        await filing(account, watch) { tally, report, sweeps throws(MailFailure) in
            defer { noteAlert(of: session, account, &report) }
            let poll = FolderPoll(
                poller: self, account: account, lease: lease, session: session, now: now, tally: tally,
                watch: watch)
            var allowance = try allowance(for: account, now)
            let sweep = try await poll.run(folder, allowance: &allowance, report: &report)
            if let sweep { sweeps.append(sweep) }
            report.hasMore = allowance.hasMore
            report.isDayUsedUp = allowance.isDayUsedUp
        }
    }

    private func noteAlert(of session: IMAPSession, _ account: Account, _ report: inout AccountReport) {
        guard let words = session.takeAlert() else { return }
        report.alert = words
        // The report has it too, and no mail depends on it.
        try? archive.noteAlert(words, of: account.id)
    }

    /// Seconds for which mail is new enough to use what older mail leaves of a day's limit.
    private static let recentSeconds: Int64 = 86_400

    private func allowance(for account: Account, _ now: UnixTime) throws(MailFailure) -> FetchAllowance {
        guard let limit = account.knownProfile.dailyDownloadBytes else {
            return FetchAllowance(sliceBytes: settings.sliceBytes)
        }
        return FetchAllowance(
            sliceBytes: settings.sliceBytes, dayBytes: Int64(limit),
            usedToday: try archive.fetchedBytes(of: account.id),
            recentSince: now.advanced(bySeconds: -Self.recentSeconds))
    }

    /// Counts what was received against the day's limit, where the provider has one; while a poll goes on every few
    /// megabytes, so that a process that dies has not fetched for nothing.
    ///
    /// - Parameter bytes: less is left to the next time.
    func noteFetched(
        _ report: inout AccountReport, of account: Account, atLeast bytes: Int64 = 4 << 20
    ) throws(MailFailure) {
        let new = report.receivedBytes - report.notedBytes
        guard new >= bytes, account.knownProfile.dailyDownloadBytes != nil else { return }
        try archive.noteFetched(new, of: account.id)
        report.notedBytes = report.receivedBytes
    }

    /// Counts what `body` hands to the archive, waits until it is there, and notes the sweeps done.
    private func filing(
        _ account: Account, _ watch: @escaping @Sendable (PollEvent) -> Void,
        _ body: (IngestTally, inout AccountReport, inout [FolderPoll.Sweep]) async throws(MailFailure) -> Void
    ) async -> AccountReport {
        var report = AccountReport(name: account.settings.name)
        let tally = IngestTally { watch(.committed(account: account.settings.name, $0)) }
        var sweeps: [FolderPoll.Sweep] = []
        do throws(MailFailure) {
            try await body(tally, &report, &sweeps)
        } catch {
            report.failures.append(account.provider.explaining(error))
        }
        do throws(MailFailure) {
            try noteFetched(&report, of: account, atLeast: 1)
        } catch {
            report.failures.append(error)
        }
        // What was received before a failure is kept: it need not be fetched twice.
        do throws(MailFailure) {
            try await pipeline.flush(tally)
            // A message that the archive would not take has no row: its folder is compared again.
            if tally.failures.isEmpty {
                for sweep in sweeps {
                    try archive.noteSweep(sweep.folder, sweep.uidValidity, at: sweep.sweptAt)
                }
            }
            report.withheld = try archive.withheldCount(of: account.id)
        } catch {
            if !report.failures.contains(error) { report.failures.append(error) }
        }
        report.counts = tally.counts
        report.failures += tally.failures
        return report
    }
}

extension Account {
    public var provider: ProviderPreset { ProviderPreset(rawValue: settings.preset) ?? .custom }

    /// What the provider allows whose IMAP server it is, named by the preset or by its host alone.
    public var knownProfile: ProviderProfile {
        guard provider == .custom, let host = settings.imap.map({ DomainName.canonical($0.host) }) else {
            return provider.profile
        }
        return ProviderPreset.allCases.first { $0.imap?.host == host }?.profile ?? provider.profile
    }
}
