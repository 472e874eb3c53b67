import Foundation
import Synchronization
import Testing

/// The built program, run as a person runs it.
enum Program {
    /// What one run of a command left behind.
    struct Outcome {
        /// The exit code; for a run that a signal ended, 128 plus the signal.
        var status: Int32
        var output: String
        var errors: String

        /// The one JSON document on standard output.
        func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
            do {
                return try Answers.decoder.decode(type, from: Data(output.utf8))
            } catch {
                throw Unexpected("not the JSON of the contract (\(error)):\n\(output)\n\(errors)")
            }
        }
    }

    struct Unexpected: Error, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    /// The directory of the test bundle, where the build puts the program too.
    static let buildDirectory: URL = {
        // The tests run inside the bundle's own executable, or inside a helper of
        // the toolchain that was given the bundle's path.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
        if let bundle { return URL(fileURLWithPath: bundle).deletingLastPathComponent() }
        return URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }()

    static let executable = buildDirectory.appendingPathComponent("mailworker")

    /// The project's tree.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Runs an executable to its end.
    /// - Parameter whileRunning: called on a thread of its own with the process's id
    ///   as soon as it runs; the run is awaited whatever it does.
    static func run(
        _ executable: URL, _ arguments: [String], input: Data? = nil, environment: [String: String] = [:],
        in directory: URL, whileRunning: (@Sendable (Int32) -> Void)? = nil
    ) async throws -> Outcome {
        let scratch = directory.appendingPathComponent(".run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        func file(_ name: String, _ content: Data) throws -> URL {
            let url = scratch.appendingPathComponent(name)
            try content.write(to: url)
            return url
        }
        // Files, not pipes: nothing waits for us to read.
        let inputFile = try file("in", input ?? Data())
        let outputFile = try file("out", Data())
        let errorFile = try file("err", Data())

        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.environment = ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("MAILWORKER_") }
            .merging(environment) { _, new in new }
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)

        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { ended in
                let signal: Int32 = ended.terminationReason == .uncaughtSignal ? 128 : 0
                continuation.resume(returning: ended.terminationStatus + signal)
            }
            do {
                try launch(process)
            } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
                return
            }
            if let whileRunning {
                let identifier = process.processIdentifier
                Thread.detachNewThread { whileRunning(identifier) }
            }
        }
        return Outcome(
            status: status,
            output: String(decoding: try Data(contentsOf: outputFile), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
    }

    /// One launch at a time: Foundation's own is not safe beside another. The threads that tests
    /// run on block all signals, and a process inherits that: it would be deaf to SIGTERM.
    static func launch(_ process: Process) throws {
        try launching.withLock { _ in
            var none = sigset_t()
            var before = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, &before)
            defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
            try process.run()
        }
    }

    private static let launching = Mutex(())

    /// Runs a script of the project and requires that it succeeds.
    @discardableResult
    static func script(_ name: String, _ arguments: String..., in directory: URL) async throws -> String {
        try await script(name, arguments, in: directory)
    }

    @discardableResult
    static func script(_ name: String, _ arguments: [String], in directory: URL) async throws -> String {
        let outcome = try await run(root.appendingPathComponent("scripts/\(name)"), arguments, in: directory)
        guard outcome.status == 0 else {
            throw Unexpected("scripts/\(name) \(arguments.joined(separator: " ")): \(outcome.errors)")
        }
        return outcome.output
    }
}
