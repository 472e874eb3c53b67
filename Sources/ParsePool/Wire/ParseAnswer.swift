import MIMEParse
import MailModel

/// What a child says about one message.
enum ParseAnswer: Sendable {
    case reading(ParsedMessage)
    /// Nil when there is no such attachment.
    case content([UInt8]?)
    /// The child was lost with it; this one the parent says.
    case lost(ParserLoss)

    /// The bytes are valid until more is received.
    struct Frame {
        var status: ParseFrame.Status
        var body: UnsafeRawBufferPointer
    }

    init(_ frame: Frame, to question: ParseFrame.Question) throws(MalformedAnswer) {
        switch (question, frame.status) {
        case (.reading, .reading):
            var reader = WireReader(frame.body)
            self = .reading(try reader.readMessage())
            guard reader.isAtEnd else { throw MalformedAnswer() }
        case (.attachment, .content): self = .content(Array(frame.body))
        case (.attachment, .noSuchAttachment): self = .content(nil)
        default: throw MalformedAnswer()
        }
    }
}
