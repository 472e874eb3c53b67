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

    @Test(arguments: ["socket", "exec", "fork", "kill", "unlink", "code"])
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

    @Test func aChildInheritsItsChannelAndNothingElse() throws {
        var process: pid_t = 0
        var channel: Int32 = -1
        let path = BuiltProgram.url("SandboxProbe").path
        let words = [strdup("probe"), strdup("report")]
        defer { for word in words { free(word) } }
        var arguments = words.map { UnsafePointer<CChar>($0) } + [nil]
        try #require(mw_child_start(path, &arguments, &process, &channel) == 0)
        var answer = [UInt8](repeating: 0, count: 256)
        var file: Int32 = -1
        let count = mw_channel_receive(channel, &answer, answer.count, 1, &file)
        var value: Int32 = 0
        _ = mw_child_finish(process, &value)
        close(channel)
        try #require(count > 0)
        #expect(
            String(decoding: answer[..<count], as: UTF8.self)
                == "descriptors 3 variables 0 blocked 1 group 1")
    }
}
