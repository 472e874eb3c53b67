import MIMEParse
import MailModel

/// The frames on the channel between parent and child.
///
/// A request is a header and, unless a descriptor comes with it, the message's bytes. The
/// answer to each is a header and a body, in the order of the requests. The first thing a
/// child says, unasked, is that it is ready.
enum ParseFrame {
    static let requestHeaderBytes = 24
    static let answerHeaderBytes = 8

    /// A longer answer is none, unless it is the content of an attachment. The largest honest
    /// one has 10,000 attachments with names and types, and 2 MB of text.
    static let longestReading = 64 << 20

    struct Status: Equatable {
        var rawValue: UInt32
        static let ready = Status(rawValue: 1)
        static let reading = Status(rawValue: 2)
        static let content = Status(rawValue: 3)
        static let noSuchAttachment = Status(rawValue: 4)
    }

    /// What is asked about a message.
    enum Question: Hashable, Sendable {
        case reading
        case attachment(Int)
    }

    struct RequestHeader: Equatable {
        var question: Question
        var mode: MIMEParser.Mode
        /// Whether the message comes as a descriptor.
        var isFile: Bool
        /// Processor time that this message is given.
        var cpuMilliseconds: UInt32
        var byteCount: Int

        func write(to writer: inout WireWriter) {
            let index: UInt32 = if case .attachment(let index) = question { UInt32(index) } else { .max }
            writer.write(mode.rawValue)
            writer.write(isFile)
            writer.write(UInt16(0))
            writer.write(index)
            writer.write(cpuMilliseconds)
            writer.write(UInt32(0))
            writer.write(UInt64(byteCount))
        }

        init(
            question: Question, mode: MIMEParser.Mode, isFile: Bool, cpuMilliseconds: UInt32, byteCount: Int
        ) {
            self.question = question
            self.mode = mode
            self.isFile = isFile
            self.cpuMilliseconds = cpuMilliseconds
            self.byteCount = byteCount
        }

        init(_ bytes: UnsafeRawBufferPointer) throws(MalformedAnswer) {
            var reader = WireReader(bytes)
            guard let mode = MIMEParser.Mode(rawValue: try reader.readByte()) else { throw MalformedAnswer() }
            self.mode = mode
            isFile = try reader.readBool()
            _ = try reader.readInteger(UInt16.self)
            let index: UInt32 = try reader.readInteger()
            question = index == .max ? .reading : .attachment(Int(index))
            cpuMilliseconds = try reader.readInteger()
            _ = try reader.readInteger(UInt32.self)
            guard let count = Int(exactly: try reader.readInteger(UInt64.self)) else {
                throw MalformedAnswer()
            }
            byteCount = count
        }
    }
}
