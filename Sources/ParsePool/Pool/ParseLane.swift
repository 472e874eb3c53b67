import Glibc
import MIMEParse
import MailModel

/// One thread of the pool with its child: does one job after the other, replaces lost
/// children, and finds out which message a child was lost with.
final class ParseLane {
    /// A message whose child somebody else kills is tried this often: the system may be
    /// short of memory, and that is not the message's fault.
    private static let outsideKills = 5
    /// Pauses in microseconds between the attempts to start a child that will not start.
    private static let startPauses: [UInt32] = [1_000, 10_000, 100_000, 500_000, 1_000_000]

    private let queue: ParseQueue
    private let settings: ParsePool.Settings
    private var child: ParseChild?

    init(queue: ParseQueue, settings: ParsePool.Settings) {
        self.queue = queue
        self.settings = settings
    }

    /// Works until the queue is closed.
    func run() {
        while true {
            switch queue.next(waiting: settings.idleMilliseconds) {
            case .job(let job): job.finish(perform(job))
            case .idle: child = nil
            case .closed:
                child = nil
                return
            }
        }
    }

    private func perform(_ job: ParseJob) -> Result<ParseJob.Answers, MailFailure> {
        Result { () throws(MailFailure) in
            let isolation = try readyChild().isolation
            var answers: [ParseAnswer] = []
            answers.reserveCapacity(job.requests.count)
            while answers.count < job.requests.count {
                let run = run(in: job.requests, from: answers.count)
                if try readyChild().exchange(run, mode: .full, answer: { answers.append($0) }) == nil {
                    replaceWornChild()
                    continue
                }
                child = nil
                // Which of the unanswered ones it was is found by asking one by one.
                for request in job.requests[answers.count..<run.endIndex] {
                    answers.append(try answerAlone(request))
                }
            }
            return ParseJob.Answers(list: answers, isolation: isolation)
        }
    }

    /// The next messages that go over together: large ones go alone, as files.
    private func run(in requests: [ParseRequest], from start: Int) -> ArraySlice<ParseRequest> {
        let large = requests[start...].firstIndex { $0.message.count > settings.inlineBytes }
        guard let large else { return requests[start...] }
        return large == start ? requests[start...start] : requests[start..<large]
    }

    /// Asks about one message, more carefully when a child is lost with it.
    private func answerAlone(_ request: ParseRequest) throws(MailFailure) -> ParseAnswer {
        var loss = ParserLoss.crashed
        for mode in MIMEParser.Mode.allCases {
            for _ in 0..<Self.outsideKills {
                var result: ParseAnswer?
                let lost = try readyChild().exchange([request], mode: mode) { result = $0 }
                if let result { return result }
                child = nil
                loss = lost ?? .crashed
                if loss != .killed { break }
            }
        }
        return .lost(loss)
    }

    private func readyChild() throws(MailFailure) -> ParseChild {
        if let child { return child }
        var pauses = Self.startPauses[...]
        while true {
            do {
                let started = try ParseChild.start(settings)
                child = started
                return started
            } catch {
                guard let pause = pauses.popFirst() else { throw .parserUnavailable(error.detail) }
                usleep(pause)
            }
        }
    }

    private func replaceWornChild() {
        guard let worn = child else { return }
        if worn.answered >= settings.messagesPerChild || worn.isOversized { child = nil }
    }
}
