import CSandbox
import Glibc
import MIMEParse
import MailModel

/// One running child, as its parent has it. Used by one thread alone, which is also the one
/// that starts it: the child ends with that thread.
final class ParseChild {
    /// How many messages it has answered.
    private(set) var answered = 0
    private(set) var isolation = ParseIsolation(isFiltered: false, isLimited: false)

    private let settings: ParsePool.Settings
    private let process: pid_t
    private let channel: Int32
    private let received = ReceiveBuffer()
    private var isFinished = false

    /// Why no child could be started: words for the administrator.
    struct StartFailure: Error {
        var detail: String
    }

    /// How the conversation can go on.
    private enum Event {
        case received, writable, silent, ended
    }

    /// Starts a child and waits until it is ready.
    static func start(_ settings: ParsePool.Settings) throws(StartFailure) -> ParseChild {
        let child = try ParseChild(settings)
        try child.waitUntilReady()
        return child
    }

    private init(_ settings: ParsePool.Settings) throws(StartFailure) {
        self.settings = settings
        var process: pid_t = 0
        var channel: Int32 = -1
        let arguments = [
            "mailworker", "parse-worker", "--memory-bytes", String(settings.memoryBytes),
            "--limits", settings.limits.wireText,
        ]
        var words = arguments.map { UnsafePointer<CChar>(strdup($0)) } + [nil]
        let code = mw_child_start(settings.program, &words, &process, &channel)
        for word in words { free(UnsafeMutablePointer(mutating: word)) }
        self.process = process
        self.channel = channel
        guard code == 0 else {
            isFinished = true
            throw StartFailure(detail: String(cString: strerror(code)))
        }
    }

    deinit { finish() }

    /// Whether it has grown beyond what its settings let it keep.
    var isOversized: Bool { residentBytes > settings.residentBytes }

    /// As the kernel counts it now; 0 when it is gone.
    private var residentBytes: Int {
        let file = open("/proc/\(process)/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = read(file, &text, text.count)
        guard count > 0 else { return 0 }
        let fields = text[..<count].split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = Int(String(decoding: fields[1], as: UTF8.self)) else { return 0 }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    private func waitUntilReady() throws(StartFailure) {
        let deadline = ContinuousClock.now + .milliseconds(settings.startMilliseconds)
        while true {
            switch wait(toSend: false, until: deadline) {
            case .received:
                do throws(MalformedAnswer) {
                    guard let frame = try takeFrame(limit: 64) else { continue }
                    guard frame.status == .ready else { throw MalformedAnswer() }
                    var reader = WireReader(frame.body)
                    isolation.isFiltered = try reader.readInteger(Int32.self) == 0
                    isolation.isLimited = try reader.readInteger(Int32.self) == 0
                    return
                } catch {
                    throw StartFailure(detail: "it is another program")
                }
            case .writable: continue
            case .silent: throw StartFailure(detail: "it was not ready in time")
            case .ended: throw StartFailure(detail: "it ended before it was ready (\(finish()))")
            }
        }
    }

    /// Asks all of `requests` at once, and hands over each answer as it comes.
    ///
    /// - Returns: nil when all have been answered; else how the child was lost, which is no
    ///   more to be used then.
    func exchange(
        _ requests: ArraySlice<ParseRequest>, mode: MIMEParser.Mode, answer: (ParseAnswer) -> Void
    ) -> ParserLoss? {
        var next = requests.startIndex
        var outgoing = OutgoingRequests(requests, mode: mode, settings: settings)
        let furtherMemory = requests.reduce(0) { $0 + settings.furtherMemory(for: $1.message.count) }
        if furtherMemory > 0 { mw_child_add_memory(process, furtherMemory) }
        var deadline = self.deadline(for: requests[next])
        while next < requests.endIndex {
            switch wait(toSend: !outgoing.isSent, until: deadline) {
            case .writable:
                outgoing.send(to: channel)
            case .received:
                do throws(MalformedAnswer) {
                    while next < requests.endIndex,
                        let frame = try takeFrame(limit: Self.limit(for: requests[next]))
                    {
                        answer(try ParseAnswer(frame, to: requests[next].question))
                        answered += 1
                        next += 1
                    }
                    guard next < requests.endIndex || received.count == 0 else { throw MalformedAnswer() }
                    if next < requests.endIndex { deadline = self.deadline(for: requests[next]) }
                } catch {
                    finish()
                    return .garbled
                }
            case .silent:
                finish()
                return .overran
            case .ended:
                return finish().loss
            }
        }
        if furtherMemory > 0 { mw_child_add_memory(process, -furtherMemory) }
        return nil
    }

    private func deadline(for request: ParseRequest) -> ContinuousClock.Instant {
        ContinuousClock.now + settings.silence(for: request.message.count)
    }

    private static func limit(for request: ParseRequest) -> Int {
        request.question == .reading
            ? ParseFrame.longestReading : ParseFrame.longestReading + 2 * request.message.count
    }

    /// Waits for the next event, and takes in what the child has said.
    private func wait(toSend: Bool, until deadline: ContinuousClock.Instant) -> Event {
        while true {
            let (seconds, attoseconds) = ContinuousClock.now.duration(to: deadline).components
            let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
            guard milliseconds > 0 else { return .silent }
            var watched = pollfd(
                fd: channel, events: Int16(POLLIN) | (toSend ? Int16(POLLOUT) : 0), revents: 0)
            let count = poll(&watched, 1, Int32(clamping: milliseconds))
            if count < 0, errno != EINTR { return .ended }
            guard count > 0 else { continue }
            guard watched.revents & ~Int16(POLLOUT) != 0 else { return .writable }
            received.makeRoom(for: ParseFrame.answerHeaderBytes)
            // No honest child sends a descriptor.
            let came = mw_channel_receive(channel, received.room.baseAddress, received.room.count, 0, nil)
            if came < 0, errno == EAGAIN { continue }
            guard came > 0 else { return .ended }
            received.received(came)
            return .received
        }
    }

    /// The first whole answer of what has come, taken out; nil when there is none yet.
    private func takeFrame(limit: Int) throws(MalformedAnswer) -> ParseAnswer.Frame? {
        guard received.count >= ParseFrame.answerHeaderBytes else { return nil }
        var reader = WireReader(received.bytes)
        let status = ParseFrame.Status(rawValue: try reader.readInteger())
        let count = Int(try reader.readInteger(UInt32.self))
        guard count <= limit else { throw MalformedAnswer() }
        let whole = ParseFrame.answerHeaderBytes + count
        guard received.count >= whole else {
            received.makeRoom(for: whole)
            return nil
        }
        let bytes = received.take(whole)
        return ParseAnswer.Frame(
            status: status, body: UnsafeRawBufferPointer(rebasing: bytes[ParseFrame.answerHeaderBytes...]))
    }

    @discardableResult
    private func finish() -> ChildEnd {
        guard !isFinished else { return .signalled(SIGKILL) }
        isFinished = true
        close(channel)
        return ChildEnd(of: process)
    }
}
