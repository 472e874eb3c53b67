import Archive
public import MailModel
import Synchronization

/// What became of the messages submitted for one account or one import.
public final class IngestTally: Sendable {
    /// The counts that a sync reports.
    public struct Counts: Sendable, Hashable {
        /// Messages received and committed, whatever became of them.
        public var fetched = 0
        public var linked = 0
        public var review = 0
        public var duplicates = 0
        public var ignored = 0
        public var quarantined = 0
        /// Already in the ledger: somebody else committed the same UID first.
        public var alreadyKnown = 0
        /// A full reading of these ended the reader: they were read more carefully, or
        /// quarantined.
        public var parserLosses = 0

        public init() {}

        mutating func add(_ other: Counts) {
            fetched += other.fetched
            linked += other.linked
            review += other.review
            duplicates += other.duplicates
            ignored += other.ignored
            quarantined += other.quarantined
            alreadyKnown += other.alreadyKnown
            parserLosses += other.parserLosses
        }
    }

    private struct State {
        var counts = Counts()
        var pending = 0
        var failures: [MailFailure] = []
        var stop: MailFailure?
    }

    private let state = Mutex(State())
    private let onCommit: @Sendable (Counts) -> Void

    /// - Parameter onCommit: called with the running counts after each commit, for progress.
    public init(onCommit: @escaping @Sendable (Counts) -> Void = { _ in }) {
        self.onCommit = onCommit
    }

    public var counts: Counts { state.withLock(\.counts) }
    /// One for each message that the archive would not take; they have no ledger row
    /// and are met again by the next poll.
    public var failures: [MailFailure] { state.withLock(\.failures) }

    var pendingCount: Int { state.withLock(\.pending) }

    /// What kept a commit of these messages from succeeding; the tally takes no more then.
    var stopFailure: MailFailure? { state.withLock(\.stop) }

    func stop(_ failure: MailFailure) {
        state.withLock { state in
            if state.stop == nil { state.stop = failure }
        }
    }

    func submitted() {
        state.withLock { $0.pending += 1 }
    }

    /// Copies that had their row without being fetched.
    func recorded(duplicates: Int) {
        state.withLock { $0.counts.duplicates += duplicates }
    }

    func parserLost() {
        state.withLock { $0.counts.parserLosses += 1 }
    }

    func committed(_ outcome: IngestOutcome) {
        let counts = state.withLock { state in
            state.pending -= 1
            state.counts.fetched += 1
            switch outcome {
            case .linked: state.counts.linked += 1
            case .review: state.counts.review += 1
            case .duplicate: state.counts.duplicates += 1
            case .ignored: state.counts.ignored += 1
            case .quarantined: state.counts.quarantined += 1
            case .alreadyKnown: state.counts.alreadyKnown += 1
            case .failed(let failure):
                state.counts.fetched -= 1
                state.failures.append(failure)
            }
            return state.counts
        }
        onCommit(counts)
    }
}
