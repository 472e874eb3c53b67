public import MailModel

/// Reads a message: RFC 5322 and MIME, and what real senders and relays make of them.
///
/// A value without state; safe to use from any number of threads.
public struct MIMEParser: Sendable {
    /// Counts the releases that read more mail: messages that an older one could not read are
    /// read again.
    public static let version = 1

    public let limits: MailLimits
    public let mode: Mode

    /// What takes part in the reading.
    public enum Mode: UInt8, Sendable, CaseIterable {
        /// Our splitter and libmimetic, checked against each other; HTML through libxml2.
        case full
        /// Our own code alone, and once over: the structure is the splitter's, HTML is not made
        /// readable, calendars, cards and reports are mere files, and nothing is unpacked. For messages on which a full reading failed; every value says so with
        /// `Defect.parserFailure`.
        case careful
    }

    public init(limits: MailLimits = .standard, mode: Mode = .full) {
        self.limits = limits
        self.mode = mode
    }

    /// Never fails and never throws: what could be read is in the value, and what
    /// was odd is in its defects.
    public func parse(_ bytes: UnsafeRawBufferPointer) -> ParsedMessage {
        MessageSource.withUsableLines(bytes) { bytes in
            MessageBuilder.message(bytes, limits: limits, mode: mode)
        }
    }

    public func parse(_ message: MessageBytes) -> ParsedMessage {
        message.withUnsafeBytes { parse($0) }
    }

    /// The decoded content of an attachment: `index` counts in
    /// `ParsedMessage.attachments` of the same bytes. Nil when there is no such one.
    public func attachmentContent(_ index: Int, of bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        MessageSource.withUsableLines(bytes) { bytes in
            MessageBuilder.attachmentContent(index, of: bytes, limits: limits, mode: mode)
        }
    }
}

/// The bytes as the parser wants them.
enum MessageSource {
    /// Nobody wrote larger mail with such line ends, and memory is bounded; beyond it
    /// the message is read as one endless line.
    private static let largestCopy = 48 << 20

    /// Runs `body` on the bytes, or on a copy with LF for CR where the whole mail
    /// has no LF (old Macintosh files).
    static func withUsableLines<Result>(
        _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard bytes.offset(of: Octet.lf, from: 0, to: bytes.count) == nil,
            bytes.offset(of: Octet.cr, from: 0, to: bytes.count) != nil,
            bytes.count <= largestCopy
        else { return body(bytes) }
        let copy = bytes.map { $0 == Octet.cr ? Octet.lf : $0 }
        return copy.withUnsafeBytes(body)
    }

    /// Where the message proper starts: behind a byte order mark, blank lines in
    /// front of the first field, and an mbox envelope line.
    static func start(of bytes: UnsafeRawBufferPointer) -> Int {
        var start = 0
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { start = 3 }
        // Webmail that saves "the original" may begin it with a line of blanks.
        var cursor = start
        var lineStart = start
        while cursor < bytes.count, Octet.isSpace(bytes[cursor]) {
            cursor += 1
            if !Octet.isBlank(bytes[cursor - 1]) { lineStart = cursor }
        }
        cursor = lineStart
        if cursor > start, isFieldOrEnvelope(bytes, cursor) { start = cursor }
        if isEnvelope(bytes, start) { return bytes.line(from: start, to: bytes.count).next }
        return start
    }

    /// An mbox envelope line; `From :` with a blank is a field in obsolete syntax.
    private static func isEnvelope(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        let rest = bytes.slice(start..<bytes.count)
        guard rest.hasPrefixIgnoringCase("from ") || rest.hasPrefixIgnoringCase(">from ") else {
            return false
        }
        var cursor = start
        while cursor < bytes.count, bytes[cursor] != Octet.space { cursor += 1 }
        while cursor < bytes.count, Octet.isBlank(bytes[cursor]) { cursor += 1 }
        return cursor == bytes.count || bytes[cursor] != Octet.colon
    }

    private static func isFieldOrEnvelope(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        if isEnvelope(bytes, start) { return true }
        var cursor = start
        while cursor < bytes.count, Octet.isLetter(bytes[cursor]) || bytes[cursor] == Octet.hyphen {
            cursor += 1
        }
        return cursor > start && cursor < bytes.count && bytes[cursor] == Octet.colon
    }
}
