public import MailModel

/// What the ledger knows of one folder.
public struct LedgerFacts: Sendable, Hashable {
    /// Of the rows that count as present; nil when the folder was never polled.
    public var uidValidity: UIDValidity?
    /// Rows of this UIDVALIDITY that the server still showed when last asked.
    public var presentCount: Int
    /// Of all rows of this UIDVALIDITY; nil when there is none.
    public var highestUID: UID?
    /// When all UIDs of the folder were last compared with the ledger.
    public var lastFullSweep: UnixTime?
    /// Up to where the folder's disappearances are noted; nil when nothing is known.
    public var mark: FolderMark?
    /// The account leads to another server than the one whose UIDs the ledger has.
    public var isInDoubt: Bool

    public init(
        uidValidity: UIDValidity?, presentCount: Int, highestUID: UID?, lastFullSweep: UnixTime?,
        mark: FolderMark? = nil, isInDoubt: Bool = false
    ) {
        self.isInDoubt = isInDoubt
        self.uidValidity = uidValidity
        self.presentCount = presentCount
        self.highestUID = highestUID
        self.lastFullSweep = lastFullSweep
        self.mark = mark
    }
}

/// Decides what one poll of a folder has to do. Pure: facts and the time go in, an action comes out.
///
/// There is no cursor: what is missing is always derived from the ledger, so that nothing can run
/// ahead of what was stored.
public enum SyncPlan {
    public enum Action: Sendable, Hashable {
        /// The ledger has all that the server shows.
        case nothing
        /// Ask for this UID and higher ones.
        case fetchNew(from: UID)
        /// Ask for all UIDs, and fetch whatever the ledger lacks.
        case fullSweep(SweepReason)
        /// The UIDs known so far say nothing any more: sweep under the new UIDVALIDITY. Rows of the old
        /// one stay.
        case newEpoch
    }

    public enum SweepReason: String, Sendable, Hashable {
        case firstSync
        case due
        /// The number of messages cannot be explained by new ones alone, or by few.
        case countsDisagree
        /// What is new was refused together, and has to be asked for by its UIDs.
        case sizesRefused
        /// The folder is in an earlier state than it was, as after a restore from a backup.
        case setBack
    }

    /// Seconds between two full sweeps, even when nothing seems amiss.
    public static let sweepInterval: Int64 = 86_400

    public static func action(
        folder: FolderState, ledger: LedgerFacts, now: UnixTime, sweepInterval: Int64 = sweepInterval
    ) -> Action {
        guard let validity = ledger.uidValidity else { return .fullSweep(.firstSync) }
        guard validity == folder.uidValidity else { return .newEpoch }
        if isSetBack(folder, since: ledger.mark) { return .fullSweep(.setBack) }
        // A sweep in the future means that the clock was wrong then or is now: sweep.
        guard let swept = ledger.lastFullSweep, swept <= now, now < swept.advanced(bySeconds: sweepInterval)
        else { return .fullSweep(.due) }

        let highest = Int64(ledger.highestUID?.rawValue ?? 0)
        let surplus = Int64(folder.exists) - Int64(ledger.presentCount)
        // UIDs that the server has given out since; more than the messages when some are gone again.
        let unseenUIDs = folder.uidNext.map { Int64($0.rawValue) - highest - 1 }
        if surplus < 0 { return .fullSweep(.countsDisagree) }
        if surplus == 0 {
            // One may have come while another went.
            if let unseenUIDs, unseenUIDs <= 0 { return .nothing }
            return highest < Int64(UInt32.max) ? .fetchNew(from: UID(UInt32(highest + 1))) : .nothing
        }
        // Only when every new UID is a message, and every new message has a new UID, is looking above
        // the highest known one enough.
        guard unseenUIDs == surplus, surplus <= Int64(IMAPLimits.metadataWindow) else {
            return .fullSweep(.countsDisagree)
        }
        return .fetchNew(from: UID(UInt32(highest + 1)))
    }

    /// Whether the folder's mod-sequence, which only grows (RFC 7162, 3.1), has fallen.
    public static func isSetBack(_ folder: FolderState, since mark: FolderMark?) -> Bool {
        guard let before = mark, let now = folder.mark, before.uidValidity == now.uidValidity else {
            return false
        }
        return now.modSequence < before.modSequence
    }

    /// UIDs that the ledger and the server both have, and that may stand for other messages now: the server was set
    /// back, and has given the UIDs that it had lost to new mail.
    ///
    /// So they may where the account leads to another server. Where only UIDNEXT says so, which stays too low until as many
    /// messages have come as were lost, it is the newest ones.
    public static func doubtful(
        _ difference: Difference, folder: FolderState, ledger: LedgerFacts, shared: UIDSet
    ) -> UIDSet {
        if ledger.isInDoubt || isSetBack(folder, since: ledger.mark) {
            return difference.reappeared.union(shared)
        }
        guard let next = folder.uidNext, let highest = ledger.highestUID, next <= highest else {
            return difference.reappeared
        }
        return difference.reappeared.union(shared.highest(IMAPLimits.metadataWindow))
    }

    /// What a full sweep found, given all UIDs of the server and those of the ledger.
    public struct Difference: Sendable, Hashable {
        /// On the server and not in the ledger: to be fetched.
        public var missing: UIDSet
        /// Present in the ledger and not on the server any more; of none is that known by a listing that lacks some.
        public var vanished: UIDSet
        /// On the server although the ledger has them as vanished: an earlier answer was short, or the UIDs were
        /// given to other messages.
        public var reappeared: UIDSet
    }

    /// - Parameters:
    ///   - server: what the folder shows now.
    ///   - recorded: every UID with a ledger row of this UIDVALIDITY, whatever its state.
    ///   - present: those of them that the server still showed when last asked.
    public static func difference(
        server: FolderListing, recorded: UIDSet, present: UIDSet
    ) -> Difference {
        let missing = server.uids.subtracting(recorded)
        return Difference(
            missing: missing, vanished: server.gone(of: present),
            reappeared: server.uids.subtracting(present).subtracting(missing))
    }
}
