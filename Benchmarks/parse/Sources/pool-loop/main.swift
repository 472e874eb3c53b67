import Foundation
import MIMEParse
import MailModel
import ParsePool

// pool-loop PROGRAM SECONDS DIR…: reads every message below the folders into memory, and has
// the children of PROGRAM (a mailworker) read them round after round: one child, then two,
// by turns, SECONDS each and five times over. Prints messages a second of each turn and the
// median of their ratios. What comes back is turned into values and let go.

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 3, let seconds = Double(arguments[1]) else {
    FileHandle.standardError.write(Data("usage: pool-loop PROGRAM SECONDS DIR…\n".utf8))
    exit(64)
}

var batches: [[MessageBytes]] = [[]]
for folder in arguments[2...] {
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

/// Messages a second with so many children.
func rate(children: Int, _ batches: [[MessageBytes]]) async throws -> Double {
    var settings = ParsePool.Settings(processes: children)
    settings.program = arguments[0]
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
    let start = clock.now
    var read = 0
    while clock.now - start < .seconds(seconds) {
        try await round()
        read += batches.reduce(0) { $0 + $1.count }
    }
    let elapsed = (clock.now - start).components
    return Double(read) / (Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18)
}

var ratios: [Double] = []
for _ in 0..<5 {
    let one = try await rate(children: 1, batches)
    let two = try await rate(children: 2, batches)
    ratios.append(two / one)
    print(String(format: "one child %7.0f/s   two %7.0f/s   ratio %.2f", one, two, two / one))
}
print(String(format: "median ratio (two children / one): %.2f", ratios.sorted()[2]))
