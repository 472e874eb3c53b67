import Foundation
import MIMEParse
import MailModel
import Synchronization
import Testing

@testable import ParsePool

/// The pool with real children of the built program. One after the other: the tests look
/// for the children of this process.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct ParsePoolTests {
    private func pool(
        processes: Int = 1, _ change: (inout ParsePool.Settings) -> Void = { _ in }
    ) -> ParsePool {
        var settings = ParsePool.Settings(processes: processes)
        settings.program = BuiltProgram.url("mailworker").path
        change(&settings)
        return ParsePool(settings: settings)
    }

    private func inProcess(_ messages: [MessageBytes]) -> [ParseOutcome] {
        messages.map { .read(MIMEParser().parse($0)) }
    }

    // MARK: Messages that end their reader

    @Test func aMessageThatNeedsTooMuchMemoryCostsItselfOnly() async throws {
        let pool = pool { $0.memoryBytes = 1 << 20 }
        let small = SampleMessages.small
        let outcomes = try await pool.parse([small, SampleMessages.html(bytes: 3_900_000), small])
        #expect(outcomes[0] == inProcess([small])[0])
        #expect(outcomes[1] == .unreadable(.crashed))
        #expect(outcomes[2] == inProcess([small])[0])
    }

    @Test func aMessageThatNeedsTooMuchForAFullReadingIsReadCarefully() async throws {
        let pool = pool { $0.memoryBytes = 7 << 20 }
        let outcome = try await pool.parse([SampleMessages.html(bytes: 3_000_000)])[0]
        let message = try #require(outcome.message)
        #expect(message.defects.contains(.parserFailure))
        #expect(message.from.map(\.address.addrSpec) == ["a@example.org"])
        #expect(message.subject == "html")
        #expect(outcome.isLoss)
    }

    @Test func aMessageThatTakesTooLongCostsItselfOnly() async throws {
        let pool = pool {
            $0.cpuMilliseconds = 1
            $0.bytesPerMillisecond = .max
        }
        let large = try #require(SampleMessages.mapped(SampleMessages.attachment(bytes: 30 << 20)))
        let outcomes = try await pool.parse([SampleMessages.small, large, SampleMessages.small])
        #expect(outcomes[0] == inProcess([SampleMessages.small])[0])
        #expect(outcomes[1] == .unreadable(.overran))
        #expect(outcomes[2] == outcomes[0])
        await #expect(throws: MailFailure.parserLost(.overran)) {
            try await pool.attachmentContent(0, of: large)
        }
    }

    @Test func threadsThatWaitGetTheirAnswersAndAHostileMessageCostsItselfOnly() throws {
        let pool = pool(processes: 2) { $0.memoryBytes = 1 << 20 }
        let small = SampleMessages.small
        let batch = [small, SampleMessages.html(bytes: 3_900_000), small]
        let expected = [inProcess([small])[0], .unreadable(.crashed), inProcess([small])[0]]
        let answers = Mutex<[[ParseOutcome]]>([])
        // More waiting threads than lanes, and as many as there are processors.
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            guard let answer = try? pool.parseAndWait(batch) else { return }
            answers.withLock { $0.append(answer) }
        }
        #expect(answers.withLock { $0 } == Array(repeating: expected, count: 8))
    }

    @Test func whoWaitsIsToldWhenNoChildCanBeStarted() {
        let pool = pool { $0.program = "/nonexistent" }
        #expect { try pool.parseAndWait([SampleMessages.small]) } throws: {
            ($0 as? MailFailure)?.code == .parserUnavailable
        }
    }

    // MARK: Children that are lost

    @Test func aChildThatHangsIsReplaced() async throws {
        let pool = pool { $0.silenceMilliseconds = 500 }
        _ = try await pool.parse([SampleMessages.small])
        for child in RunningChildren.all { kill(child, SIGSTOP) }
        #expect(try await pool.parse(SampleMessages.fixtures) == inProcess(SampleMessages.fixtures))
    }

    @Test(arguments: [SIGKILL, SIGSEGV, SIGABRT])
    func aChildThatDiesBetweenBatchesIsReplaced(signal: Int32) async throws {
        let pool = pool()
        _ = try await pool.parse([SampleMessages.small])
        let children = RunningChildren.all
        #expect(children.count == 1)
        for child in children { kill(child, signal) }
        #expect(try await pool.parse(SampleMessages.fixtures) == inProcess(SampleMessages.fixtures))
    }

    /// Every sixteenth finished batch kills a child, which is in the midst of another then, or starting.
    @Test func childrenKilledAllTheTimeChangeNoAnswer() async throws {
        let pool = pool(processes: 2)
        let fixtures = SampleMessages.fixtures
        let expected = inProcess(fixtures)
        let batches = (0..<480).map { batch in (0..<32).map { (batch * 32 + $0) % fixtures.count } }
        var kills = 0
        try await withThrowingTaskGroup(of: Bool.self) { group in
            func add(_ batch: [Int]) {
                group.addTask {
                    try await pool.parse(batch.map { fixtures[$0] }) == batch.map { expected[$0] }
                }
            }
            for batch in batches[..<6] { add(batch) }
            var next = 6
            while let isEqual = try await group.next() {
                #expect(isEqual)
                if next % 16 == 0, let victim = RunningChildren.all.randomElement() {
                    kill(victim, SIGKILL)
                    kills += 1
                }
                if next < batches.count { add(batches[next]) }
                next += 1
            }
        }
        #expect(kills > 20)
    }

    @Test func withoutAProgramNoMessageIsToBlame() async throws {
        for program in ["/nonexistent", "/bin/false", "/bin/cat"] {
            let pool = pool { $0.program = program }
            let thrown = await #expect(throws: MailFailure.self) {
                try await pool.parse([SampleMessages.small])
            }
            #expect(thrown?.code == .parserUnavailable)
            #expect(thrown?.kind == .transient)
        }
    }

    // MARK: Ordinary work

    @Test func theFixturesReadAsInProcess() async throws {
        let pool = pool(processes: 2)
        #expect(SampleMessages.fixtures.count > 100)
        #expect(try await pool.parse(SampleMessages.fixtures) == inProcess(SampleMessages.fixtures))
        #expect(try await pool.parse([]) == [])
    }

    @Test func largeMessagesGoOverAsFilesAndReadTheSame() async throws {
        let bytes = SampleMessages.attachment(bytes: 6 << 20)
        let messages = [
            SampleMessages.small, try #require(SampleMessages.mapped(bytes)), SampleMessages.small,
            MessageBytes(bytes), MessageBytes(Array(bytes[..<(3 << 20)])),
        ]
        let pool = pool()
        let outcomes = try await pool.parse(messages)
        #expect(outcomes == inProcess(messages))
        let content = try await pool.attachmentContent(0, of: messages[1])
        #expect(content == messages[1].withUnsafeBytes { MIMEParser().attachmentContent(0, of: $0) })
        #expect(content?.count == outcomes[1].message?.attachments[0].size)
        #expect(try await pool.attachmentContent(1, of: messages[1]) == nil)
        #expect(try await pool.attachmentContent(-1, of: messages[1]) == nil)
    }

    @Test(arguments: [99, 100, 101])
    func childrenKeepToTheLimitsOfTheirPool(length: Int) async throws {
        var limits = MailLimits.standard
        limits.textBytes = 100
        let text = String(repeating: "x", count: length)
        let message = MessageBytes(Array("From: a@example.org\nSubject: s\n\n\(text)".utf8))
        let outcome = try await pool { $0.limits = limits }.parse([message])[0]
        #expect(outcome == .read(MIMEParser(limits: limits).parse(message)))
        #expect(outcome.message?.defects.contains(.textLimit) == (length > 100))
        #expect(outcome.message?.text?.utf8.count == min(length, 100))
    }

    /// On either side of the size from which a message goes over as a file.
    @Test(arguments: [99, 100, 101])
    func heapMessageBytes(length: Int) async throws {
        var limits = MailLimits.standard
        limits.heapMessageBytes = 100
        let head = "From: a@example.org\nSubject: s\n\n"
        let text = String(repeating: "x", count: length - head.utf8.count)
        let message = MessageBytes(Array((head + text).utf8))
        let settings = ParsePool.Settings(processes: 1, limits: limits)
        #expect((settings.furtherMemory(for: length) > 0) == (length > 100))
        let pool = pool {
            $0.limits = limits
            $0.inlineBytes = settings.inlineBytes
        }
        #expect(try await pool.parse([message]) == [.read(MIMEParser(limits: limits).parse(message))])
    }

    /// What no pool writes ends the child before it reads anything.
    @Test func limitsAreOneWordThatComesBackTheSame() {
        var limits = MailLimits.standard
        limits.depth = 7
        limits.heapMessageBytes = 9
        #expect(MailLimits(wireText: limits.wireText) == limits)
        #expect(MailLimits(wireText: "") == nil)
        #expect(MailLimits(wireText: "{\"depth\":7}") == nil)
    }

    @Test func everyCharsetIsReadWithoutFiles() async throws {
        let labels = [
            "koi8-r", "cp866", "iso-2022-jp", "euc-kr", "gb18030", "big5", "iso-2022-kr", "utf-7", "viscii",
        ]
        let messages = labels.map { label in
            let header = "From: a@example.org\nContent-Type: text/plain; charset=\(label)\n\n"
            return MessageBytes(
                Array(header.utf8) + [0xC4, 0xE3, 0xBA, 0xC3, 0x1B, 0x24, 0x42, 0x46, 0x7C, 0x0A])
        }
        #expect(try await pool().parse(messages) == inProcess(messages))
    }

    @Test func aWornChildIsReplaced() async throws {
        let pool = pool { $0.messagesPerChild = 3 }
        var seen: Set<pid_t> = []
        for _ in 0..<6 {
            _ = try await pool.parse([SampleMessages.small, SampleMessages.small])
            seen.formUnion(RunningChildren.all)
        }
        #expect(seen.count >= 2)
    }

    @Test func theKernelConfinesTheChildren() async throws {
        #expect(try await pool().isolation() == ParseIsolation(isFiltered: true, isLimited: true))
    }

    @Test func noChildOutlivesItsPool() async throws {
        do {
            let pool = pool(processes: 3)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<9 { group.addTask { _ = try await pool.parse(SampleMessages.fixtures) } }
                try await group.waitForAll()
            }
            #expect(RunningChildren.all.count > 1)
        }
        while !RunningChildren.all.isEmpty { await Task.yield() }
    }
}
