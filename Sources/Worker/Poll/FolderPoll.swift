import Archive
import MailFetch
public import MailModel
import MailTransport

/// The part of a poll that concerns one folder of the open session.
struct FolderPoll {
    let poller: MailboxPoller
    let account: Account
    let lease: Lease
    let session: IMAPSession
    let now: UnixTime
    let tally: IngestTally
    let watch: @Sendable (PollEvent) -> Void

    /// A folder whose ledger has a row for everything that the server shows once what was received is stored,
    /// and the full sweep that says so.
    struct Sweep {
        var folder: FolderID
        var uidValidity: UIDValidity
        var sweptAt: UnixTime
    }

    /// Receives all that brings the ledger up to what the server shows. The last of it may be on its way to the
    /// archive still when this returns: the session goes on with the next folder meanwhile.
    ///
    /// - Returns: a sweep to be noted once the tally is flushed.
    /// - Throws: what ends the session or the archive; a folder that the server refuses
    ///   to open or to list is a failure in the report.
    func run(
        _ chosen: FolderChoice.Chosen, allowance: inout FetchAllowance, report: inout AccountReport
    ) async throws(MailFailure) -> Sweep? {
        do throws(MailFailure) {
            return try await bringUp(chosen, &allowance, report: &report)
        } catch  where Self.concernsOneFolder.contains(error.code) {
            report.failures.append(error)
        } catch  where error.code == .sessionOver && !report.failures.isEmpty {
            // Why it is over was said by the folder before.
            throw report.failures.removeLast()
        }
        return nil
    }

    /// After these the session may go on with the next folder, and if it does not, says so.
    static let concernsOneFolder: Set<MailFailure.Code> = [
        .commandRefused, .folderMissing, .serverBusy, .protocolViolation,
    ]

    private func bringUp(
        _ chosen: FolderChoice.Chosen, _ allowance: inout FetchAllowance, report: inout AccountReport
    ) async throws(MailFailure) -> Sweep? {
        let state = try await session.examine(chosen.folder)
        let folder = try record(chosen)
        let validity = state.uidValidity
        let facts = try planFacts(folder, validity)
        let action = SyncPlan.action(folder: state, ledger: facts, now: now)

        var wanted: [MessageMetadata]
        /// Whether the server has told of everything that has to be fetched.
        let isWhole: Bool
        var sweptAt = now
        switch action {
        case .nothing:
            return nil
        case .fetchNew(let first):
            wanted = try await session.metadata(from: first)
            isWhole = wanted.count >= Int(state.exists) - facts.presentCount
            sweptAt = facts.lastFullSweep ?? now
            // Another process may have recorded some of them meanwhile.
            let recorded = try archive.knownUIDs(folder, validity)
            wanted.removeAll { recorded.contains($0.uid) }
        case .fullSweep, .newEpoch:
            let difference = SyncPlan.difference(
                server: state.exists == 0 ? UIDSet() : try await session.allUIDs(),
                recorded: try archive.knownUIDs(folder, validity),
                present: try archive.presentUIDs(folder, validity))
            report.vanished += try archive.markVanished(difference.vanished, in: folder, validity)
            try archive.markListed(difference.reappeared, in: folder, validity)
            wanted = difference.missing.isEmpty ? [] : try await session.metadata(of: difference.missing)
            isWhole = difference.missing.count == wanted.count
        }

        // What breaks off may have stored a later message and not an earlier one. Counts do not show that
        // when another was removed meanwhile: only a sweep does, so none is valid until all is stored.
        if facts.lastFullSweep != nil, !wanted.isEmpty || !isWhole {
            try archive.voidSweep(folder, validity)
        }
        let isFetched = try await fetch(
            wanted, into: folder, validity, name: chosen.folder.name, &allowance, report: &report)
        guard isWhole, isFetched else { return nil }
        return Sweep(folder: folder, uidValidity: validity, sweptAt: sweptAt)
    }

    private var archive: Archive { poller.archive }

    private func record(_ chosen: FolderChoice.Chosen) throws(MailFailure) -> FolderID {
        let name = chosen.folder.name
        return switch chosen.role {
        case .inbox: try archive.folder(account: account.id, name: name, role: .inbox)
        case .sent: try archive.folder(account: account.id, name: name, role: .sent)
        default: try archive.folder(account: account.id, name: name, role: .other)
        }
    }

    private func planFacts(
        _ folder: FolderID, _ validity: UIDValidity
    ) throws(MailFailure) -> MailFetch.LedgerFacts {
        let facts = try archive.ledgerFacts(folder, validity)
        // Without a row of this UIDVALIDITY there is nothing to compare with yet.
        let isKnown = facts.highestUID != nil || facts.lastFullSweep != nil
        return MailFetch.LedgerFacts(
            uidValidity: isKnown ? validity : nil, presentCount: facts.presentCount,
            highestUID: facts.highestUID, lastFullSweep: facts.lastFullSweep)
    }

    /// Returns whether every message has, or after the flush will have, its ledger row.
    private func fetch(
        _ wanted: [MessageMetadata], into folder: FolderID, _ validity: UIDValidity, name: FolderName,
        _ allowance: inout FetchAllowance, report: inout AccountReport
    ) async throws(MailFailure) -> Bool {
        var toFetch = wanted
        if let since = account.settings.since {
            func isOlder(_ message: MessageMetadata) -> Bool {
                message.internalDate.map { $0 < since } ?? false
            }
            let old = toFetch.filter(isOlder)
            toFetch.removeAll(where: isOlder)
            try archive.recordUnfetched(old.map { UnfetchedUID($0, .beforeSince) }, in: folder, validity)
            report.beforeSince += old.count
        }
        let messageLimit = poller.settings.limits.messageBytes
        let admitted = allowance.admit(toFetch, messageLimit: messageLimit)
        let isCut = admitted.count < toFetch.count
        let batches = FetchBatches(admitted, messageLimit: messageLimit)
        try recordTooLarge(batches.oversize, in: folder, validity, report: &report)
        guard !batches.batches.isEmpty else { return !isCut }
        watch(.fetching(account: account.settings.name, folder: name, messages: toFetch.count))

        let (pipeline, tally) = (poller.pipeline, tally)
        let (archive, lease) = (archive, lease)
        var renewal = LeaseRenewal(lease: lease, forSeconds: account.leaseSeconds)
        let fetched = try await session.fetch(batches.batches) { message throws(MailFailure) in
            try renewal.renewIfDue(in: archive)
            report.receivedBytes += Int64(message.bytes.count)
            try await pipeline.submit(
                ReceivedMessage(
                    folder: folder, uidValidity: validity, uid: message.uid,
                    internalDate: message.internalDate, bytes: message.bytes),
                for: tally)
        }
        try recordTooLarge(fetched.tooLarge, in: folder, validity, report: &report)
        report.failures += fetched.refused.map(\.failure)
        var complete = fetched.refused.isEmpty && !isCut
        if !fetched.missing.isEmpty {
            // Not sent although asked for: expunged meanwhile, unless the server still lists it.
            let listed = try await session.allUIDs()
            let gone = fetched.missing.subtracting(listed)
            try archive.recordUnfetched(
                gone.uids.map { UnfetchedUID(uid: $0, reason: .gone) }, in: folder, validity)
            report.gone += gone.count
            let withheld = fetched.missing.subtracting(gone)
            if !withheld.isEmpty {
                complete = false
                report.failures.append(
                    MailFailure(
                        .messagesWithheld, kind: .transient,
                        "The server lists messages that it did not hand out",
                        detail: "\(name.rawValue), UID \(withheld.sequenceSet.prefix(200))",
                        remedy: "They are asked for again by the next poll."))
            }
        }
        return complete
    }

    private func recordTooLarge(
        _ messages: [MessageMetadata], in folder: FolderID, _ validity: UIDValidity,
        report: inout AccountReport
    ) throws(MailFailure) {
        let limit = poller.settings.limits.messageBytes
        try archive.recordUnfetched(
            messages.map { UnfetchedUID($0, .tooLarge(limit: limit)) }, in: folder, validity)
        report.tooLarge += messages.count
    }
}

extension UnfetchedUID {
    init(_ message: MessageMetadata, _ reason: UnfetchedReason) {
        self.init(
            uid: message.uid, reason: reason, size: max(0, message.size), internalDate: message.internalDate)
    }
}

extension MailFailure.Code {
    /// A message is listed by the server and was not handed out.
    public static let messagesWithheld = Self("messages-withheld")
}
