public import MIMEParse
import MailModel

/// One reply of an SMTP server (RFC 5321, 4.2), all its lines together.
public struct SMTPReply: Sendable, Hashable {
    public let code: Int
    /// What follows the code, line by line, with the enhanced status.
    public let lines: [String]
    /// The enhanced status (RFC 3463, RFC 2034) where the reply begins with one of its own class.
    public let status: EnhancedStatus?

    public init(code: Int, lines: [String]) {
        self.code = code
        self.lines = lines
        let leading = lines.first?.utf8.prefix { $0 != UInt8(ascii: " ") }
        let found = leading.flatMap { EnhancedStatus(firstIn: String(Substring($0))) }
        status = found.flatMap { $0.class == code / 100 ? $0 : nil }
    }

    /// All lines as one, for people.
    public var text: String { "\(code) " + lines.joined(separator: " ") }

    public var isPositive: Bool { code / 100 == 2 }
    /// Trying again may help.
    public var isTransient: Bool { code / 100 == 4 }
    public var isPermanent: Bool { code / 100 == 5 }
    /// The server closes the connection with it (RFC 5321, 3.8).
    public var closesConnection: Bool { code == 421 }
}

/// Cuts what a server sends into replies; pure, and bounded whatever comes.
struct SMTPReplyReader {
    private var buffer: [UInt8] = []
    private var lines: [String] = []
    private var lineBytes = 0

    /// Something has come that is not yet a whole reply.
    var isWithinReply: Bool { !buffer.isEmpty || !lines.isEmpty }

    mutating func feed(_ bytes: [UInt8]) { buffer += bytes }

    /// The next whole reply; nil until more has come.
    ///
    /// - Throws: `not-a-mail-server` for what is no reply, or for one beyond the limits.
    mutating func next() throws(MailFailure) -> SMTPReply? {
        while let end = buffer.firstIndex(of: 0x0A) {
            var line = buffer[..<end]
            while line.last == 0x0D { line.removeLast() }
            let (code, continues, text) = try Self.read(line)
            buffer.removeSubrange(...end)
            lineBytes += line.count
            guard lines.count < SMTPLimits.replyLines, lineBytes <= SMTPLimits.replyBytes else {
                throw Self.violation("a reply without an end")
            }
            lines.append(text)
            guard !continues else { continue }
            defer {
                lines.removeAll()
                lineBytes = 0
            }
            return SMTPReply(code: code, lines: lines)
        }
        guard buffer.count <= SMTPLimits.replyLineBytes else { throw Self.violation("a line without an end") }
        return nil
    }

    private static func read(_ line: ArraySlice<UInt8>) throws(MailFailure) -> (Int, Bool, String) {
        let digits = line.prefix(3)
        guard line.count >= 3, line.count <= SMTPLimits.replyLineBytes,
            digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let first = digits.first, (0x32...0x35).contains(first)
        else { throw violation("no reply: " + String(decoding: line.prefix(80), as: UTF8.self)) }
        let code = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        let separator = line.dropFirst(3).first
        guard separator == nil || separator == 0x20 || separator == UInt8(ascii: "-") else {
            throw violation("no reply: " + String(decoding: line.prefix(80), as: UTF8.self))
        }
        // Controls never reach a database or a screen.
        let text = String(
            decoding: line.dropFirst(4).map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
        guard line.contains(where: { $0 >= 0x80 }) else {
            return (code, separator == UInt8(ascii: "-"), text)
        }
        let visible = String(
            String.UnicodeScalarView(text.unicodeScalars.map { Grammar.isControl($0) ? " " : $0 }))
        return (code, separator == UInt8(ascii: "-"), visible)
    }

    private static func violation(_ detail: String) -> MailFailure { .notAnSMTPReply(detail) }
}
