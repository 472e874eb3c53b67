import Archive
import MailFetch
import MailModel
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

    /// The folder that is open, under the UIDVALIDITY in which it was opened.
    struct Place {
        var folder: FolderID
        var validity: UIDValidity
        var name: FolderName
        var role: MailFetch.FolderRole

        func received(_ message: FetchedMessage) -> ReceivedMessage {
            ReceivedMessage(
                folder: folder, uidValidity: validity, uid: message.uid, internalDate: message.internalDate,
                bytes: message.bytes)
        }
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
        .commandRefused, .folderMissing, .serverBusy, .protocolViolation, .uidValidityChanged,
        .uidValidityRestless, .listingShort, .tooManyWithheld,
    ]

    private func bringUp(
        _ chosen: FolderChoice.Chosen, _ allowance: inout FetchAllowance, report: inout AccountReport
    ) async throws(MailFailure) -> Sweep? {
        let folder = try record(chosen)
        let mark = try archive.mark(of: folder)
        let isNew = mark == nil ? !(try archive.hasLedger(of: folder)) : false
        let state = try await session.examine(chosen.folder, since: mark, listing: isNew)
        let validity = state.uidValidity
        let place = Place(
            folder: folder, validity: validity, name: chosen.folder.name, role: chosen.role)
        let isSetBack = SyncPlan.isSetBack(state, since: mark)
        if let vanished = state.vanished {
            report.vanished += try archive.markVanished(vanished, in: folder, validity)
            try recordGone(
                UIDSet(try archive.withheld(folder, validity).map(\.uid)).intersection(vanished), place,
                report: &report)
            // A mark that has fallen is the only sign of a server that was set back: it stays until all is compared.
            if !isSetBack { try note(state.mark, insteadOf: mark, of: folder) }
        }

        let facts = try planFacts(folder, validity, mark)
        var action = SyncPlan.action(folder: state, ledger: facts, now: now)
        var found: [MessageMetadata] = []
        if case .fetchNew(let first) = action {
            if let new = try await sizes(from: first, in: place) {
                found = new
            } else {
                action = .fullSweep(.sizesRefused)
            }
        }
        if facts.uidValidity == nil { try demandRest(of: place) }
        var work = FolderWork(withheld: try archive.withheld(folder, validity), now: now)
        /// Whether the server has told of everything that has to be fetched.
        var isWhole = true
        var sweptAt = now
        switch action {
        case .nothing:
            guard !work.due.isEmpty else { return nil }
            sweptAt = facts.lastFullSweep ?? now
        case .fetchNew(let first):
            isWhole = found.count >= Int(state.exists) - facts.presentCount
            sweptAt = facts.lastFullSweep ?? now
            // Another process may have recorded some of them meanwhile.
            work.add(found, without: try archive.knownUIDs(folder, validity, from: first))
        case .fullSweep, .newEpoch:
            let listing =
                if let listed = state.listed { listed } else {
                    state.exists == 0 ? FolderListing() : try await session.listing()
                }
            if !listing.isWhole {
                isWhole = false
                report.failures.append(Self.listingShort(listing, place))
            }
            try archive.forgetTooLarge(
                upTo: poller.settings.limits.messageBytes, among: listing.uids, in: folder, validity)
            try archive.forgetOlder(
                from: account.settings.since, among: listing.uids, in: folder, validity)
            let recorded = try archive.recordedUIDs(folder, validity)
            let difference = SyncPlan.difference(
                server: listing, recorded: recorded.known, present: recorded.present)
            report.vanished += try archive.markVanished(difference.vanished, in: folder, validity)
            let gone = listing.gone(of: work.withheld)
            try recordGone(gone, place, report: &report)
            work.leaveOut(gone)
            work.add(difference.missing)
            let doubtful = SyncPlan.doubtful(
                difference, folder: state, ledger: facts, shared: recorded.present.intersection(listing.uids))
            try await compare(doubtful, in: place, &work, report: &report)
            try archive.endWithheld(of: folder, before: validity)
            if listing.isWhole, state.vanished == nil || isSetBack {
                try note(state.mark, insteadOf: mark, of: folder)
            }
        }

        // What breaks off may have stored a later message and not an earlier one. Counts do not show that
        // when another was removed meanwhile: only a sweep does, so none is valid until all is stored.
        if facts.lastFullSweep != nil, !work.isEmpty || !isWhole {
            try archive.voidSweep(folder, validity)
        }
        let isFetched = try await fetch(&work, from: place, &allowance, report: &report)
        guard isWhole, isFetched else { return nil }
        return Sweep(folder: folder, uidValidity: validity, sweptAt: sweptAt)
    }

    var archive: Archive { poller.archive }

    /// Whether what a busy server refuses is followed up though nothing else shows that single messages are meant: it has
    /// said so for some polls now. Of a further folder alone no tries are counted.
    var insists: Bool {
        account.status.failure?.code == .serverBusy && ![1, 2].contains(account.status.failures)
    }

    /// Sizes of what is new; nil where the server refuses them together, and has to be asked message by message.
    private func sizes(from first: UID, in place: Place) async throws(MailFailure) -> [MessageMetadata]? {
        do throws(MailFailure) {
            return try await session.metadata(from: first)
        } catch {
            guard session.isOver else {
                if error.code == .commandRefused || insists && error.code == .serverBusy { return nil }
                throw error
            }
            // One of them may be the reason. By a list of their UIDs the next poll finds out which.
            try archive.voidSweep(place.folder, place.validity)
            throw error
        }
    }

    private func record(_ chosen: FolderChoice.Chosen) throws(MailFailure) -> FolderID {
        let name = chosen.folder.name
        return switch chosen.role {
        case .inbox: try archive.folder(account: account.id, name: name, role: .inbox)
        case .sent: try archive.folder(account: account.id, name: name, role: .sent)
        default: try archive.folder(account: account.id, name: name, role: .other)
        }
    }

    /// A folder that has not changed keeps its mark without being written.
    private func note(
        _ mark: FolderMark?, insteadOf old: FolderMark?, of folder: FolderID
    ) throws(MailFailure) {
        if let mark, mark != old { try archive.note(mark, of: folder) }
    }

    /// UIDVALIDITIES under which a folder is read in one day. A server that has another one with each session would be
    /// asked for all its mail by each poll.
    static let epochsADay = 8

    private func demandRest(of place: Place) throws(MailFailure) {
        let yesterday = now.advanced(bySeconds: -86_400)
        guard
            try archive.otherEpochs(of: place.folder, than: place.validity, since: yesterday)
                >= Self.epochsADay
        else { return }
        throw MailFailure(
            .uidValidityRestless, kind: .needsPerson,
            "The server numbers all messages of a folder anew again and again", detail: place.name.rawValue,
            remedy: "Its new mail comes a few times a day until the server keeps its UIDVALIDITY: ask its"
                + " administrator (docs/SERVERS.md, UIDs that do not hold).")
    }

    private static func listingShort(_ listing: FolderListing, _ place: Place) -> MailFailure {
        MailFailure(
            .listingShort, kind: .transient, "The server lists fewer messages of a folder than it counts",
            detail:
                "\(place.name.rawValue): \(listing.uids.count) of \(listing.uids.count + listing.lacking)",
            remedy:
                "What it lists is fetched, and the others with the next poll that they are listed to. If it stays"
                + " so, look with another mail program whether they can be read, and ask the server's administrator."
        )
    }

    /// UIDs that are listed again and fetched again for certainty; of more their size and arrival have to be enough.
    private static let fetchedToCompare = 100

    /// Asks for size and arrival of UIDs that may stand for other messages than the ledger says, and adds to the work
    /// those that do, or of which that is not known.
    private func compare(
        _ doubtful: UIDSet, in place: Place, _ work: inout FolderWork, report: inout AccountReport
    ) async throws(MailFailure) {
        // Few are fetched, and their content decides. Gmail's numbers say whose a copy is before that.
        let byContent =
            doubtful.count <= Self.fetchedToCompare && !session.capabilities.contains("X-GM-EXT-1")
        for uids in doubtful.pieces(of: FolderWork.window) {
            let told: [MessageMetadata]
            do throws(MailFailure) {
                told = try await session.metadata(of: uids)
            } catch {
                if let uid = session.suspect(of: error)?.uid {
                    // Nothing can be known of it: it is fetched as if it were new, and like any that breaks a session.
                    _ = try archive.compare([], of: UIDSet([uid]), in: place.folder, place.validity)
                    try suspect(error, in: place, report: &report)
                }
                throw error
            }
            let outcome = try archive.compare(
                told.map { ListedAgain(uid: $0.uid, size: max(0, $0.size), internalDate: $0.internalDate) },
                of: uids, in: place.folder, place.validity, byContent: byContent)
            report.reused += outcome.reused.count
            work.learn(told.filter { outcome.toFetch.contains($0.uid) })
            work.add(outcome.toFetch)
        }
    }

    func recordGone(_ uids: UIDSet, _ place: Place, report: inout AccountReport) throws(MailFailure) {
        try archive.recordUnfetched(
            uids.uids.map { UnfetchedUID(uid: $0, reason: .gone) }, in: place.folder, place.validity)
        report.gone += uids.count
    }

    private func planFacts(
        _ folder: FolderID, _ validity: UIDValidity, _ mark: FolderMark?
    ) throws(MailFailure) -> MailFetch.LedgerFacts {
        let facts = try archive.ledgerFacts(folder, validity)
        // Without a row of this UIDVALIDITY there is nothing to compare with yet.
        let isKnown = facts.highestUID != nil || facts.lastFullSweep != nil
        return MailFetch.LedgerFacts(
            uidValidity: isKnown ? validity : nil, presentCount: facts.presentCount,
            highestUID: facts.highestUID, lastFullSweep: facts.lastFullSweep, mark: mark,
            isInDoubt: facts.isInDoubt)
    }
}

extension MailFailure.Code {
    /// A folder has another UIDVALIDITY too often.
    static let uidValidityRestless = Self("uid-validity-restless")
    /// The server counts messages in a folder of which it tells no UID.
    static let listingShort = Self("listing-short")
}
