import Archive
import MailFetch
public import MailModel
import MailTransport

extension FolderPoll {
    /// What could not be had as one of many.
    private struct Trouble {
        /// Answered without being sent: gone, or held back.
        var absent = UIDSet()
        var refusals: RefusalSearch
        /// As the server has told them: of what was asked for last, and of what made trouble before.
        var asked: [UID: Int] = [:]
        var sizes: [UID: Int] = [:]
        /// To be fetched in pieces, without waiting for another poll.
        var cutShort = UIDSet()
        /// Nothing more is asked of a server that is busy.
        var isStopped: Bool { refusals.stop != nil }

        var failed: [FailedFetch] {
            refusals.alone.map { FailedFetch(uid: $0.uid, size: sizes[$0.uid], failure: $0.failure) }
        }
        var uids: UIDSet { absent.union(UIDSet(refusals.alone.map(\.uid))) }

        func size(of uid: UID) -> Int? { asked[uid] ?? sizes[uid] }

        mutating func note(_ fetched: FetchReport) {
            absent = absent.union(fetched.missing)
            cutShort = cutShort.union(fetched.cutShort)
            keepSizes(of: fetched.missing.union(fetched.cutShort))
            if fetched.delivered > 0 { refusals.came() }
            for batch in fetched.refused.reversed() {
                keepSizes(of: batch.uids)
                refusals.refused(batch.uids, batch.failure)
            }
        }

        private mutating func keepSizes(of uids: UIDSet) {
            for uid in uids.uids { sizes[uid] = asked[uid] }
        }
    }

    /// Tries of single messages that a busy server refuses, one after another, before the others are left to the next
    /// poll.
    private static let busyAtOnce = 3
    /// Sizes that the server does not tell are taken for small ones, in small batches.
    private static let unsizedBatch = 10

    /// Returns whether every message has, or after the flush will have, its ledger row, or waits for its
    /// next try.
    func fetch(
        _ work: inout FolderWork, from place: Place, _ allowance: inout FetchAllowance,
        report: inout AccountReport
    ) async throws(MailFailure) -> Bool {
        var trouble = Trouble(refusals: RefusalSearch(insists: insists))
        var renewal = LeaseRenewal(
            lease: lease, forSeconds: account.leaseSeconds, isDueAtOnce: archive.isOnTrial)
        var isComplete = true
        /// Whether the rest is left to the account's next turn.
        var isCut = false
        do throws(MailFailure) {
            while !trouble.isStopped, !isCut, let window = work.nextWindow() {
                try renewal.renewIfDue(in: archive)
                var found = window.known
                if !window.unknown.isEmpty {
                    found += try await session.metadata(of: window.unknown, insists: insists)
                }
                let untold = window.unknown.subtracting(UIDSet(found.map(\.uid)))
                isCut = try await fetch(
                    found, from: place, &allowance, trouble: &trouble, renewal: &renewal, report: &report)
                // Listed, and without a size: asked for all the same.
                try await receive(
                    untold.pieces(of: Self.unsizedBatch), sizes: [:], from: place, trouble: &trouble,
                    renewal: &renewal, report: &report)
            }
            isComplete = !trouble.isStopped && !isCut
            try await settle(trouble, of: place, report: &report)
            if !trouble.isStopped {
                let again = trouble.cutShort.uids.map { ($0, trouble.size(of: $0)) }
                var busy = 0
                for (uid, size) in work.takeDue().map({ ($0.uid, $0.size) }) + again {
                    guard busy < Self.busyAtOnce else {
                        isComplete = false
                        break
                    }
                    try renewal.renewIfDue(in: archive)
                    let failure = try await fetchAlone(uid, size: size, from: place, report: &report)
                    busy = failure?.code == .serverBusy ? busy + 1 : 0
                }
            }
        } catch {
            try suspect(error, in: place, report: &report) { trouble.size(of: $0) }
            throw error
        }
        return isComplete
    }

    /// Returns whether the allowance left some of them to the account's next turn.
    private func fetch(
        _ found: [MessageMetadata], from place: Place, _ allowance: inout FetchAllowance,
        trouble: inout Trouble, renewal: inout LeaseRenewal, report: inout AccountReport
    ) async throws(MailFailure) -> Bool {
        var toFetch = found
        if let since = account.settings.since {
            func isOlder(_ message: MessageMetadata) -> Bool {
                message.internalDate.map { $0 < since } ?? false
            }
            let old = toFetch.filter(isOlder)
            toFetch.removeAll(where: isOlder)
            try archive.recordOlder(
                old.map { UnfetchedUID($0, .beforeSince) }, than: since, in: place.folder, place.validity)
            report.beforeSince += old.count
        }
        try await leaveOutGmailCopies(&toFetch, of: place)
        let messageLimit = poller.settings.limits.messageBytes
        let admitted = allowance.admit(toFetch, messageLimit: messageLimit)
        let isCut = admitted.count < toFetch.count
        let batches = FetchBatches(admitted, messageLimit: messageLimit)
        try recordTooLarge(batches.oversize, in: place, report: &report)
        guard !batches.batches.isEmpty else { return isCut }
        watch(.fetching(account: account.settings.name, folder: place.name, messages: toFetch.count))
        try await receive(
            batches.batches, sizes: Dictionary(admitted.map { ($0.uid, $0.size) }) { first, _ in first },
            from: place, trouble: &trouble, renewal: &renewal, report: &report)
        return isCut
    }

    /// A refused batch is halved until the messages are found that the server refuses (`RefusalSearch`).
    private func receive(
        _ batches: [UIDSet], sizes: [UID: Int], from place: Place, trouble: inout Trouble,
        renewal: inout LeaseRenewal, report: inout AccountReport
    ) async throws(MailFailure) {
        let (archive, poller, tally, account) = (archive, poller, tally, account)
        trouble.asked = sizes
        var questions = batches
        while !questions.isEmpty {
            let fetched = try await session.fetch(questions, sizes: sizes) { message throws(MailFailure) in
                try renewal.renewIfDue(in: archive)
                report.receivedBytes += Int64(message.bytes.count)
                try poller.noteFetched(&report, of: account)
                guard try !recordOld(message, in: place, report: &report) else { return }
                try await poller.pipeline.submit(place.received(message), for: tally)
            }
            try recordTooLarge(fetched.tooLarge, in: place, report: &report)
            trouble.note(fetched)
            if let failure = trouble.refusals.stop, !report.failures.contains(failure) {
                report.failures.append(failure)
            }
            questions = trouble.refusals.next()
        }
    }

    /// Gives a message its row without archiving it, where it is older than the account wants: the arrival of some is not
    /// told before they are fetched.
    private func recordOld(
        _ message: FetchedMessage, in place: Place, report: inout AccountReport
    ) throws(MailFailure) -> Bool {
        guard let since = account.settings.since, let date = message.internalDate, date < since else {
            return false
        }
        let old = UnfetchedUID(
            uid: message.uid, reason: .beforeSince, size: message.bytes.count, internalDate: date)
        try archive.recordOlder([old], than: since, in: place.folder, place.validity)
        report.beforeSince += 1
        return true
    }

    /// What was not handed out is gone, unless the server still lists it.
    private func settle(
        _ trouble: Trouble, of place: Place, report: inout AccountReport
    ) async throws(MailFailure) {
        guard !trouble.uids.isEmpty else { return }
        let gone = try await session.listing().gone(of: trouble.uids)
        try recordGone(gone, place, report: &report)
        let withheld = trouble.absent.subtracting(gone).uids.map { uid in
            FailedFetch(uid: uid, size: trouble.size(of: uid), failure: Self.notHandedOut)
        }
        let left = try archive.noteWithheld(
            trouble.failed.filter { !gone.contains($0.uid) } + withheld, in: place.folder, place.validity
        ) { WithheldSchedule.pause(attempts: $0, after: $1) }
        guard left == 0 else { throw Self.tooManyWithheld(left, place) }
    }

    private static func tooManyWithheld(_ left: Int, _ place: Place) -> MailFailure {
        MailFailure(
            .tooManyWithheld, kind: .transient,
            "The server hands out hardly anything of what it lists in a folder",
            detail: "\(place.name.rawValue): \(left) beside the \(Archive.withheldInFolder) that are noted",
            remedy: "Ask the server's administrator whether the folder can be read.")
    }

    private static let notHandedOut = MailFailure(
        .messagesWithheld, kind: .transient, "The server lists the message and does not hand it out")

    /// One message in pieces, behind all others: it may be the one at which the connection breaks off. That the server
    /// is busy counts as its word about this message, since the others are fetched.
    ///
    /// - Returns: why it has not come and is tried again later.
    private func fetchAlone(
        _ uid: UID, size: Int?, from place: Place, report: inout AccountReport
    ) async throws(MailFailure) -> MailFailure? {
        let beginning = poller.partials.take(place.folder, place.validity, uid)
        let outcome = try await session.fetchInPieces(uid, after: beginning, size: size)
        let failure: MailFailure
        switch outcome {
        case .message(let message):
            report.receivedBytes += Int64(message.bytes.count)
            if try !recordOld(message, in: place, report: &report) {
                try await poller.pipeline.submit(place.received(message), for: tally)
            }
            return nil
        case .tooLarge(let size):
            try recordTooLarge([MessageMetadata(uid: uid, size: size)], in: place, report: &report)
            return nil
        case .missing: failure = Self.notHandedOut
        case .refused(let refusal) where [.commandRefused, .serverBusy].contains(refusal.code):
            failure = refusal
        case .refused(let refusal): throw refusal
        }
        let gone = try await session.listing().gone(of: UIDSet([uid]))
        guard gone.isEmpty else {
            try recordGone(gone, place, report: &report)
            return nil
        }
        try archive.noteWithheld(
            [FailedFetch(uid: uid, size: size, failure: failure)], in: place.folder, place.validity
        ) { WithheldSchedule.pause(attempts: $0, after: $1) }
        return failure
    }

    /// The session broke off during a message: the next one fetches it behind all others, from where it stopped.
    func suspect(
        _ failure: MailFailure, in place: Place, report: inout AccountReport,
        size: (UID) -> Int? = { _ in nil }
    ) throws(MailFailure) {
        guard let suspect = session.suspect(of: failure) else { return }
        let hasProgressed = poller.partials.keep(suspect, in: place.folder, place.validity)
        report.hasCutMessageProgressed = hasProgressed
        try archive.noteWithheld(
            [FailedFetch(uid: suspect.uid, size: size(suspect.uid), failure: failure)], in: place.folder,
            place.validity, countsAsTry: !hasProgressed
        ) { attempts, _ in
            hasProgressed ? 0 : WithheldSchedule.pause(attempts: attempts, mayBeInnocent: true)
        }
    }

    /// Messages that another label of the same mailbox brought already. A Sent folder's copies are read all the
    /// same: only they may name blind recipients.
    private func leaveOutGmailCopies(
        _ messages: inout [MessageMetadata], of place: Place
    ) async throws(MailFailure) {
        let copies = messages.compactMap { message in
            message.gmail.map {
                GmailCopy(
                    uid: message.uid, messageID: $0.messageID, threadID: $0.threadID, labels: $0.labels,
                    size: max(0, message.size), internalDate: message.internalDate)
            }
        }
        guard !copies.isEmpty, place.role != .sent else { return }
        // Of what is on its way nothing is known yet.
        try await poller.pipeline.flush(tally)
        let recorded = try archive.recordGmail(copies, in: place.folder, place.validity)
        tally.recorded(duplicates: recorded.count)
        messages.removeAll { recorded.contains($0.uid) }
    }

    private func recordTooLarge(
        _ messages: [MessageMetadata], in place: Place, report: inout AccountReport
    ) throws(MailFailure) {
        let limit = poller.settings.limits.messageBytes
        try archive.recordUnfetched(
            messages.map { UnfetchedUID($0, .tooLarge(limit: limit)) }, in: place.folder, place.validity)
        report.tooLarge += messages.count
    }
}

extension UIDSet {
    /// In pieces of so many UIDs, the highest first.
    func pieces(of count: Int) -> [UIDSet] {
        var pieces: [UIDSet] = []
        var left = self
        while !left.isEmpty {
            let piece = left.highest(count)
            pieces.append(piece)
            left = left.subtracting(piece)
        }
        return pieces
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
    /// A folder has more of them than are kept.
    static let tooManyWithheld = Self("too-many-withheld")
}

extension IMAPSession {
    /// The message that may be the reason for a failure that has ended the session.
    func suspect(of failure: MailFailure) -> SuspectMessage? {
        // Servers have all kinds of words for their goodbye.
        let codes: Set<MailFailure.Code> = [
            .connectionLost, .timedOut, .protocolViolation, .serverClosed, .serverBusy,
        ]
        return isOver && codes.contains(failure.code) ? suspect : nil
    }
}
