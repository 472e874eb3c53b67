public import MailModel
public import Matcher

/// How one process works with an archive; none of it is stored.
public struct ArchiveOptions: Sendable {
    /// The only clock.
    public var clock: @Sendable () -> UnixTime
    /// A pack of originals that has reached this size gets no further batch.
    public var packBytes: Int64 = 256 << 20
    /// What the administrator has decided about matching.
    public var matching = MatchPolicy()
    /// How long the actions of people can be taken back, and how much is kept for that.
    public var undoDays = 30
    public var undoBytes: Int64 = 256 << 20
    /// What one action may change and be taken back: recording it and taking it back hold several times its changes
    /// in memory. A larger one is done all the same.
    public var undoActionBytes: Int64 = 64 << 20
    /// When mail that comes back suppresses an address.
    public var bounces = BounceRule()
    /// Called when opening has waited for a second, with the processes that are bringing the archive up to date, as far
    /// as the system names them; it goes on when they have.
    public var whileWaiting: @Sendable (_ processes: [Int32]) -> Void = { _ in }
    /// Counts the durable steps and may stop the process at one, for proofs.
    public var trial: StepTrial?

    public init(clock: @escaping @Sendable () -> UnixTime = Archive.systemClock) { self.clock = clock }
}
