import MIMEParse
import MailModel

extension FuzzTarget {
    /// A whole message, and the content of each attachment that it names.
    static let message = FuzzTarget(
        name: "message", summary: "the whole parser, every attachment read", maximumLength: 8192
    ) { bytes in
        let parser = MIMEParser(limits: .standard)
        let message = read(bytes, parser)
        promise(parser.parse(bytes) == message, "another reading the second time")
        compareLineEnds(bytes, message, parser)

        var tight = MailLimits.standard
        tight.depth = 3
        tight.parts = 5
        tight.headerBlockBytes = 600
        tight.fieldBytes = 100
        tight.fields = 6
        tight.addresses = 3
        tight.parameters = 2
        tight.fileNameBytes = 20
        tight.textBytes = 100
        _ = read(bytes, MIMEParser(limits: tight))
    }

    /// Reads a message and holds every bound of the limits against the value.
    private static func read(_ bytes: UnsafeRawBufferPointer, _ parser: MIMEParser) -> ParsedMessage {
        let limits = parser.limits
        let message = parser.parse(bytes)
        let addresses = [
            message.from, message.sender, message.replyTo, message.to, message.cc, message.bcc,
        ]
        promise(addresses.reduce(0) { $0 + $1.count } <= limits.addresses, "too many addresses")
        promise((message.text?.utf8.count ?? 0) <= limits.textBytes, "a long text")
        promise((message.furtherText?.utf8.count ?? 0) <= limits.textBytes, "a long further text")
        promise(message.attachments.count <= 2 * limits.parts, "\(message.attachments.count) attachments")
        if let split = message.split {
            let length = message.text?.utf8.count ?? 0
            for range in split.quoted + (split.signature.map { [$0] } ?? []) {
                promise(range.upperBound <= length, "\(range) of a text of \(length) octets")
            }
        }
        promise(Set(message.defects).count == message.defects.count, "a defect twice")
        for (index, attachment) in message.attachments.enumerated() {
            if let name = attachment.filename {
                promise(name.utf8.count <= limits.fileNameBytes, "a long file name")
            }
            guard index < 20 else { continue }
            let content = parser.attachmentContent(index, of: bytes)
            promise(content?.count == attachment.size, "attachment \(index): another size")
        }
        promise(parser.attachmentContent(message.attachments.count, of: bytes) == nil, "one attachment more")
        return message
    }

    /// The same mail with CRLF for LF has the same attachments.
    private static func compareLineEnds(
        _ bytes: UnsafeRawBufferPointer, _ message: ParsedMessage, _ parser: MIMEParser
    ) {
        guard !bytes.contains(0x0D) else { return }
        var windows: [UInt8] = []
        for byte in bytes {
            if byte == 0x0A { windows.append(0x0D) }
            windows.append(byte)
        }
        let other = windows.withUnsafeBytes { parser.parse($0) }
        let names = message.attachments.map { "\($0.contentType) \($0.filename ?? "-")" }
        let otherNames = other.attachments.map { "\($0.contentType) \($0.filename ?? "-")" }
        promise(names == otherNames, "with LF \(names), with CRLF \(otherNames)")
    }
}
