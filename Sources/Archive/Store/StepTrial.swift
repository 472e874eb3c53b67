import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Numbers the durable steps of a process and, if asked to, ends it at one of them as
/// abruptly as kill -9 does: nothing is flushed, closed or released.
///
/// It is a tool of proofs. It can lose nothing, since a process may die anywhere; an
/// archive without a trial pays one branch a step.
public final class StepTrial: Sendable {
    /// Where to stop: before or after the step of that number, counted from 1.
    public struct StopPoint: Sendable, Hashable {
        public enum Side: String, Sendable { case before, after }

        public var number: Int
        public var side: Side

        /// - Parameter text: `N:before` or `N:after`.
        public init?(_ text: String) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let number = Int(parts[0]), number > 0,
                let side = Side(rawValue: String(parts[1]))
            else { return nil }
            self.number = number
            self.side = side
        }
    }

    /// What the process ends with: EX_SOFTWARE, which it has no other use for.
    public static let exitStatus: Int32 = 70

    private let stopPoint: StopPoint?
    private let note: @Sendable (Int, DurableStep) -> Void
    private let reached = Mutex(0)

    /// - Parameters:
    ///   - stopPoint: nil only counts.
    ///   - note: called for each step before it is done.
    public init(stopAt stopPoint: StopPoint?, note: @escaping @Sendable (Int, DurableStep) -> Void) {
        self.stopPoint = stopPoint
        self.note = note
    }

    fileprivate func begin(_ step: DurableStep) -> Int {
        let number = reached.withLock { reached in
            reached += 1
            return reached
        }
        note(number, step)
        stop(at: number, .before)
        return number
    }

    fileprivate func stop(at number: Int, _ side: StopPoint.Side) {
        if stopPoint?.number == number, stopPoint?.side == side { _exit(Self.exitStatus) }
    }
}

/// A durable step that is about to be done; `done` follows it, unless it fails.
struct BegunStep {
    private let trial: StepTrial?
    private let number: Int

    init(_ step: DurableStep, _ trial: StepTrial?) {
        self.trial = trial
        number = trial?.begin(step) ?? 0
    }

    func done() { trial?.stop(at: number, .after) }
}
