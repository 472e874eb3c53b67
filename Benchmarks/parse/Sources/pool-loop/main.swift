import Foundation
import MIMEParse
import MailModel
import ParsePool

// pool-loop SECONDS DIR…: reads every message below the folders into memory, and has children of its own read
// them round after round: one child, then two, by turns, SECONDS each and five times over. Prints messages a
// second of each turn, the processor time that a message takes here and in its child, and the median of the
// ratios. What comes back is turned into values and let go.
//
// MAILWORKER_BINARY names another program whose children read.

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.first == "parse-worker" {
    // As the pool starts it: --memory-bytes N --limits JSON.
    guard arguments.count == 5, let memory = UInt64(arguments[2]),
        let limits = MailLimits(wireText: arguments[4])
    else { exit(64) }
    ParseService.run(memoryBytes: memory, limits: limits)
}
guard arguments.count >= 2, let seconds = Double(arguments[0]) else {
    FileHandle.standardError.write(Data("usage: pool-loop SECONDS DIR…\n".utf8))
    exit(64)
}

var batches: [[MessageBytes]] = [[]]
for folder in arguments[1...] {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    for name in names.sorted() {
        let isMessage = name.hasSuffix(".eml") || name.split(separator: "/").last?.first?.isNumber == true
        guard isMessage, let data = FileManager.default.contents(atPath: folder + "/" + name) else {
            continue
        }
        if batches[batches.count - 1].count == 32 { batches.append([]) }
        batches[batches.count - 1].append(MessageBytes(data))
    }
}
let count = batches.reduce(0) { $0 + $1.count }
guard count > 0 else {
    FileHandle.standardError.write(Data("error: no message there\n".utf8))
    exit(66)
}

/// Processor time in seconds, of the program and its kernel work.
enum ProcessorTime {
    static var own: Double { seconds(RUSAGE_SELF) }

    /// Of children that have ended, and those that run.
    static var ofChildren: Double {
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        var sum = seconds(RUSAGE_CHILDREN)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        where Int(name) != nil {
            guard let stat = FileManager.default.contents(atPath: "/proc/\(name)/stat"),
                let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?
                    .split(separator: " "),
                fields.count > 12, Int32(fields[1]) == getpid(), let user = Double(fields[11]),
                let system = Double(fields[12])
            else { continue }
            sum += (user + system) / ticks
        }
        return sum
    }

    private static func seconds(_ who: __rusage_who) -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(who.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
}

struct Turn {
    /// Messages a second.
    var rate: Double
    /// Microseconds of processor time a message.
    var own: Double
    var children: Double
}

func turn(children: Int, _ batches: [[MessageBytes]]) async throws -> Turn {
    var settings = ParsePool.Settings(processes: children)
    if let program = ProcessInfo.processInfo.environment["MAILWORKER_BINARY"] { settings.program = program }
    let pool = ParsePool(settings: settings)
    func round() async throws {
        try await withThrowingTaskGroup(of: Int.self) { group in
            // Twice as many at work as there are children, so that none waits for us.
            var next = 0
            func startNext() {
                guard next < batches.count else { return }
                let batch = batches[next]
                next += 1
                group.addTask { try await pool.parse(batch).count }
            }
            for _ in 0..<(2 * children) { startNext() }
            while try await group.next() != nil { startNext() }
        }
    }
    try await round()
    let clock = ContinuousClock()
    // Looking for the children takes time of our own, which is not the pool's.
    let childrenBefore = ProcessorTime.ofChildren
    let ownBefore = ProcessorTime.own
    let start = clock.now
    var read = 0
    while clock.now - start < .seconds(seconds) {
        try await round()
        read += batches.reduce(0) { $0 + $1.count }
    }
    let elapsed = (clock.now - start).components
    let own = ProcessorTime.own - ownBefore
    let ofChildren = ProcessorTime.ofChildren - childrenBefore
    let micros = 1e6 / Double(read)
    return Turn(
        rate: Double(read) / (Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18),
        own: own * micros, children: ofChildren * micros)
}

var ratios: [Double] = []
for _ in 0..<5 {
    let one = try await turn(children: 1, batches)
    let two = try await turn(children: 2, batches)
    ratios.append(two.rate / one.rate)
    print(
        String(
            format: "one child %7.0f/s (us: parent %.1f, child %.1f)   two %7.0f/s (%.1f, %.1f)   ratio %.2f",
            one.rate, one.own, one.children, two.rate, two.own, two.children, two.rate / one.rate))
}
print(String(format: "median ratio (two children / one): %.2f", ratios.sorted()[2]))
