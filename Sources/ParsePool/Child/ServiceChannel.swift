import CSandbox
import Glibc
import MIMEParse
import MailModel

/// The child's end of the channel: requests come out, answers are collected and go in when
/// there are many, when time has passed, or when there is nothing else to do.
struct ServiceChannel {
    private static let descriptor: Int32 = 0
    private static let flushBytes = 64 << 10
    /// An answer waits no longer than this, so that the parent can tell which message is slow.
    private static let flushMilliseconds: Int64 = 500

    struct Request {
        var question: ParseFrame.Question
        var mode: MIMEParser.Mode
        var cpuMilliseconds: UInt32
        var message: Message
    }

    enum Message {
        /// Valid until the next request is taken.
        case inline(UnsafeRawBufferPointer)
        case file(MessageBytes)

        func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
            switch self {
            case .inline(let bytes): body(bytes)
            case .file(let message): message.withUnsafeBytes(body)
            }
        }
    }

    var answers = WireWriter()

    private let buffer = ReceiveBuffer()
    private var receivedFile: Int32 = -1
    private var lastFlush: Int64 = 0

    /// The next request; nil when the parent has closed the channel.
    mutating func next() throws(MalformedAnswer) -> Request? {
        if answers.bytes.count >= Self.flushBytes || Self.now - lastFlush >= Self.flushMilliseconds {
            try flush()
        }
        guard try receive(ParseFrame.requestHeaderBytes) else { return nil }
        let header = try ParseFrame.RequestHeader(buffer.take(ParseFrame.requestHeaderBytes))
        let message: Message
        if header.isFile {
            message = .file(try map(header.byteCount))
        } else {
            guard try receive(header.byteCount) else { throw MalformedAnswer() }
            message = .inline(buffer.take(header.byteCount))
        }
        return Request(
            question: header.question, mode: header.mode, cpuMilliseconds: header.cpuMilliseconds,
            message: message)
    }

    /// Waits until `count` bytes are there; false at the end of the channel.
    private mutating func receive(_ count: Int) throws(MalformedAnswer) -> Bool {
        buffer.makeRoom(for: count)
        while buffer.count < count {
            var file: Int32 = -1
            // Whoever waits has nothing left to say.
            let received = mw_channel_receive(
                Self.descriptor, buffer.room.baseAddress, buffer.room.count, answers.bytes.isEmpty ? 1 : 0,
                &file)
            if file >= 0 { receivedFile = file }
            if received == 0 { return false }
            if received < 0 {
                guard errno == EAGAIN else { return false }
                try flush()
                continue
            }
            buffer.received(received)
        }
        return true
    }

    private mutating func map(_ count: Int) throws(MalformedAnswer) -> MessageBytes {
        let file = receivedFile
        receivedFile = -1
        defer { if file >= 0 { close(file) } }
        guard file >= 0, let message = MessageBytes(mapping: file, count: count) else {
            throw MalformedAnswer()
        }
        return message
    }

    private mutating func flush() throws(MalformedAnswer) {
        lastFlush = Self.now
        guard !answers.bytes.isEmpty else { return }
        let code = answers.bytes.withUnsafeBytes {
            mw_channel_send_all(Self.descriptor, $0.baseAddress, $0.count)
        }
        // A parent that is gone needs no answers.
        guard code == 0 else { throw MalformedAnswer() }
        answers.removeAll()
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
