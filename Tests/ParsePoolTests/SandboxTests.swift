import CSandbox
import Foundation
import Testing

/// What a process in the sandbox can still do; tried by a program of its own.
@Suite(.timeLimit(.minutes(2)))
struct SandboxTests {
    private enum End: Hashable {
        case exited(Int32)
        case signalled(Int32)
    }

    private func end(of attempt: String) throws -> End {
        let process = Process()
        process.executableURL = BuiltProgram.url("SandboxProbe")
        process.arguments = [attempt]
        try process.run()
        process.waitUntilExit()
        return process.terminationReason == .exit
            ? .exited(process.terminationStatus) : .signalled(process.terminationStatus)
    }

    @Test(arguments: [
        "socket", "exec", "fork", "kill", "unlink", "code", "shared memory", "growing memory",
    ])
    func whatNoReaderDoesEndsIt(attempt: String) throws {
        #expect(try end(of: attempt) == .signalled(SIGSYS))
    }

    @Test(arguments: ["open", "create", "memory", "more memory"])
    func filesAndMoreMemoryAreRefused(attempt: String) throws {
        #expect(try end(of: attempt) == .exited(10))
    }

    @Test(arguments: ["nothing", "a little memory"])
    func whatReadingNeedsIsPossible(attempt: String) throws {
        #expect(try end(of: attempt) == .exited(0))
    }

    @Test func anAbortIsSeenAsOne() throws {
        #expect(try end(of: "abort") == .signalled(SIGABRT))
    }

    @Test func anEndlessLoopEndsWithItsTime() throws {
        #expect(try end(of: "spin") == .exited(3))
    }

    /// Starts the probe as a child is started, and returns what it says on its channel.
    ///
    /// - Parameter takesDescriptor: whether what comes beside the octets is let in.
    private func said(by attempt: String, takesDescriptor: Bool = true) throws -> String {
        var process: pid_t = 0
        var channel: Int32 = -1
        let path = BuiltProgram.url("SandboxProbe").path
        let words = [strdup("probe"), strdup(attempt)]
        defer { for word in words { free(word) } }
        var arguments = words.map { UnsafePointer<CChar>($0) } + [nil]
        try #require(mw_child_start(path, &arguments, &process, &channel) == 0)
        var answer = [UInt8](repeating: 0, count: 256)
        var text = ""
        var file: Int32 = -1
        while true {
            let count =
                takesDescriptor
                ? mw_channel_receive(channel, &answer, answer.count, 1, &file)
                : mw_channel_receive(channel, &answer, answer.count, 1, nil)
            guard count > 0 else { break }
            text += String(decoding: answer[..<count], as: UTF8.self)
        }
        var value: Int32 = 0
        _ = mw_child_finish(process, &value)
        close(channel)
        return text
    }

    @Test func aChildInheritsItsChannelAndNothingElse() throws {
        #expect(try said(by: "report") == "descriptors 3 variables 0 blocked 1 group 1")
    }

    @Test func descriptorsThatAHostileChildSendsStayOutside() throws {
        #expect(try said(by: "plant", takesDescriptor: false) == String(repeating: "x", count: 20))
        let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
        #expect(!files.contains { $0.contains("planted") })
    }
}
