import Dispatch
import Foundation
public import MIMEParse
public import MailModel
import Synchronization

/// Reads messages in child processes, so that one that crashes, hangs or devours its reader
/// costs itself and nothing else.
///
/// Promises:
/// - Each message gets one outcome, in the order of asking, whatever happens to the children.
/// - A message with which a child is lost is tried once more by a fresh child that reads
///   carefully (`MIMEParser.Mode.careful`); lost with that too, it is `unreadable`.
/// - A child has no file, no network, no environment and no descriptor but its channel,
///   and its memory and time are bounded (`ParseIsolation` says what the kernel agreed to).
/// - What a child says is checked for its form. It is not believed about the original's
///   digest, which the parent takes itself.
///
/// Not promised: a mail that takes a child over can lie about itself, and about the messages
/// that this child reads after it, `Settings.messagesPerChild` at most.
///
/// Children are started when there is work, and let go when there is none. They end with
/// this value, and with its process however that ends.
public final class ParsePool: MessageParsing {
    public let settings: Settings
    private let queue: ParseQueue

    public init(settings: Settings) {
        self.settings = settings
        queue = ParseQueue(lanes: settings.processes)
    }

    deinit { queue.close() }

    public func parse(_ batch: [MessageBytes]) async throws(MailFailure) -> [ParseOutcome] {
        Self.outcomes(try await ask(Self.questions(batch)))
    }

    /// As `parse`, and blocks the thread until all is read. The lanes have threads of their own,
    /// so that it ends even where every other thread waits like this one.
    public func parseAndWait(_ batch: [MessageBytes]) throws(MailFailure) -> [ParseOutcome] {
        let reply = Reply()
        add(ParseJob(requests: Self.questions(batch)) { reply.arrive($0) })
        return Self.outcomes(try reply.wait().get())
    }

    private final class Reply: Sendable {
        private let result = Mutex<Result<ParseJob.Answers, MailFailure>?>(nil)
        private let arrived = DispatchSemaphore(value: 0)

        func arrive(_ answers: Result<ParseJob.Answers, MailFailure>) {
            result.withLock { $0 = answers }
            arrived.signal()
        }

        func wait() -> Result<ParseJob.Answers, MailFailure> {
            arrived.wait()
            // Set before the signal.
            return result.withLock { $0! }
        }
    }

    private static func questions(_ batch: [MessageBytes]) -> [ParseRequest] {
        batch.map { ParseRequest(question: .reading, message: $0) }
    }

    private static func outcomes(_ answers: ParseJob.Answers) -> [ParseOutcome] {
        answers.list.map { answer in
            switch answer {
            case .reading(let message): .read(message)
            case .lost(let loss): .unreadable(loss)
            case .content: .unreadable(.garbled)
            }
        }
    }

    public func attachmentContent(
        _ index: Int, of message: MessageBytes
    ) async throws(MailFailure) -> [UInt8]? {
        guard index >= 0, index < Int(UInt32.max) else { return nil }
        let answers = try await ask([ParseRequest(question: .attachment(index), message: message)])
        switch answers.list[0] {
        case .content(let content): return content
        case .lost(let loss): throw .parserLost(loss)
        case .reading: throw .parserLost(.garbled)
        }
    }

    /// What the kernel agrees to; starts a child to find out.
    public func isolation() async throws(MailFailure) -> ParseIsolation {
        try await ask([]).isolation
    }

    private func ask(_ requests: [ParseRequest]) async throws(MailFailure) -> ParseJob.Answers {
        let result = await withCheckedContinuation { continuation in
            add(ParseJob(requests: requests) { continuation.resume(returning: $0) })
        }
        return try result.get()
    }

    private func add(_ job: ParseJob) {
        if queue.add(job) { startLane() }
    }

    /// A thread of its own: it blocks for as long as a child reads.
    private func startLane() {
        let queue = queue
        let settings = settings
        let thread = Thread { ParseLane(queue: queue, settings: settings).run() }
        thread.name = "mail-parse"
        thread.start()
    }
}
