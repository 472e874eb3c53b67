/// Tells a slow answer from one that only keeps the line busy: a server that sends a byte before each timeout
/// would otherwise be waited for without end. Pure: waits and bytes go in, a verdict comes out.
struct ReadingPace {
    private let window: Duration
    private let fewestBytes: Int
    private var waited = Duration.zero
    private var bytes = 0
    /// Windows of the present command that are over.
    private var windows = 0
    private var isInDoubt = false

    init(timeoutSeconds: Int) {
        let (seconds, overflow) = timeoutSeconds.multipliedReportingOverflow(by: IMAPLimits.paceTimeouts)
        window = .seconds(overflow ? Int.max >> 10 : seconds)
        let (bytes, tooMany) = seconds.multipliedReportingOverflow(by: IMAPLimits.bytesPerSecond)
        fewestBytes = overflow || tooMany ? .max : bytes
    }

    /// A command was answered: the next one has all its time.
    mutating func restart() { (waited, bytes, windows, isInDoubt) = (.zero, 0, 0, false) }

    /// Takes back what has proved to be no answer, such as words that only say to wait.
    mutating func discount(bytes count: Int) { bytes = max(0, bytes - count) }

    /// Notes a wait, and what it brought. Time that is not spent waiting does not count.
    /// - Returns: false when too little came in too long a time.
    mutating func note(waited time: Duration, bytes count: Int) -> Bool {
        waited += time
        let before = bytes
        bytes += count
        guard waited >= window else { return true }
        if before >= demanded {
            (waited, bytes, isInDoubt) = (.zero, count, false)
            windows += 1
            return true
        }
        // What comes just now may be the answer at last, or prove to be none: the next wait tells.
        guard bytes >= demanded, !isInDoubt else { return false }
        isInDoubt = true
        return true
    }

    private var demanded: Int {
        let (demanded, overflow) = fewestBytes.multipliedReportingOverflow(
            by: 1 << min(windows / IMAPLimits.pacePatience, 40))
        return overflow ? .max : demanded
    }
}
