/// Tells a slow answer from one that only keeps the line busy: a server that sends a byte before each timeout
/// would otherwise be waited for without end. Pure: waits and bytes go in, a verdict comes out.
struct ReadingPace {
    private let window: Duration
    private let fewestBytes: Int
    private var waited = Duration.zero
    private var bytes = 0

    init(timeoutSeconds: Int) {
        let (seconds, overflow) = timeoutSeconds.multipliedReportingOverflow(by: IMAPLimits.paceTimeouts)
        window = .seconds(overflow ? Int.max >> 10 : seconds)
        let (bytes, tooMany) = seconds.multipliedReportingOverflow(by: IMAPLimits.bytesPerSecond)
        fewestBytes = overflow || tooMany ? .max : bytes
    }

    /// A command was answered: the next one has all its time.
    mutating func restart() { (waited, bytes) = (.zero, 0) }

    /// Notes a wait, and what it brought. Time that is not spent waiting does not count.
    /// - Returns: false when too little came in too long a time.
    mutating func note(waited time: Duration, bytes count: Int) -> Bool {
        waited += time
        bytes += count
        guard waited >= window else { return true }
        defer { restart() }
        return bytes >= fewestBytes
    }
}
