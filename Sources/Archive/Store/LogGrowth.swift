/// When how much of a write-ahead log is copied into its database; pure. All numbers are of pages of 4 KB.
struct LogGrowth {
    enum Move: Hashable {
        case wait
        /// On another connection, while the writer goes on.
        case copyBeside
        /// By the writer.
        case copyHere
    }

    /// Small commits write the same few pages again and again; a log that stays short is written over, which a disk
    /// confirms in half the time that it needs for a file that grows. Of large ones, which write at random places as an
    /// index of digests has them, a page is copied the seldomer the more often it was written meanwhile.
    static let dueAt: ClosedRange<Int32> = 4000...64_000
    static let dueAfterCommits: Int32 = 100
    /// What the writer does not wait for noticeably.
    static let few: Int32 = 2000
    /// Where copying does not keep up the writer waits for it.
    static let most: Int32 = 128_000
    /// A smaller log is copied, too, with the first commit after this: what is in the log only is behind the first bit
    /// of it that flips.
    static let dueAfter = Duration.seconds(60)

    private var pages: Int32 = 0
    private var commits: Int32 = 0
    /// Of the pages, those that are in the database; and how many there were when copying was tried last.
    private var copied: Int32 = 0
    private var tried: Int32 = 0
    private var copiedAt: ContinuousClock.Instant
    private var isCopyingBeside = false

    init(now: ContinuousClock.Instant) { copiedAt = now }

    /// A commit has made the log so long.
    mutating func grew(to pages: Int32, now: ContinuousClock.Instant) -> Move {
        // It has begun anew.
        if pages < self.pages { (copied, tried, commits) = (0, 0, 0) }
        self.pages = pages
        commits += 1
        if pages >= Self.most { return .copyHere }
        let due = min(
            max(pages / commits * Self.dueAfterCommits, Self.dueAt.lowerBound), Self.dueAt.upperBound)
        let isOld = now - copiedAt >= Self.dueAfter
        guard !isCopyingBeside, pages >= due || isOld else { return .wait }
        // Only a log that has been copied whole begins anew.
        if pages - copied <= Self.few { return .copyHere }
        // Readers may keep it from being copied any further.
        guard isOld || pages - tried > Self.few else { return .wait }
        isCopyingBeside = true
        return .copyBeside
    }

    /// Copying has ended: of so many pages so many are in the database. Negative where it has failed before that was known.
    mutating func wasCopied(_ copied: Int32, of all: Int32, now: ContinuousClock.Instant) {
        // A small one that readers keep is not tried with each commit.
        copiedAt = now
        if copied >= 0 { self.copied = copied }
        tried = all >= 0 ? all : pages
    }

    mutating func endedBeside() { isCopyingBeside = false }
}
