public import MailModel

/// Whoever reads messages: the parser itself, or processes that run it.
public protocol MessageParsing: Sendable {
    /// Reads messages. A message that cannot be read costs itself only.
    ///
    /// - Returns: an outcome for each message, in their order.
    /// - Throws: when no message can be read at present; nothing is known of any of them.
    func parse(_ batch: [MessageBytes]) async throws(MailFailure) -> [ParseOutcome]

    /// The decoded content of an attachment, as `MIMEParser.attachmentContent`.
    ///
    /// - Throws: `parser.lost` when reading that message ended the reader.
    func attachmentContent(_ index: Int, of message: MessageBytes) async throws(MailFailure) -> [UInt8]?
}

/// What became of the reading of one message.
public enum ParseOutcome: Sendable, Hashable {
    case read(ParsedMessage)
    /// The reader was lost with it, however carefully it read.
    case unreadable(ParserLoss)

    public var message: ParsedMessage? {
        if case .read(let message) = self { message } else { nil }
    }

    /// Whether a full reading failed, be it that a careful one succeeded.
    public var isLoss: Bool {
        switch self {
        case .read(let message): message.defects.contains(.parserFailure)
        case .unreadable: true
        }
    }
}

/// How a reader was lost.
public enum ParserLoss: String, Sendable, Hashable, CaseIterable {
    case crashed
    /// It needed more time than a message is given.
    case overran
    /// It tried what no reader does: the sandbox ended it.
    case escaped
    /// It answered with what is no answer.
    case garbled
    /// Somebody ended it again and again.
    case killed

    /// What became of the reader, for people: "the reading process …".
    public var words: String {
        switch self {
        case .crashed: "crashed"
        case .overran: "took too long"
        case .escaped: "tried what it may not do"
        case .garbled: "answered nonsense"
        case .killed: "was killed again and again"
        }
    }
}

/// Reads messages in this process: for tests, and where no child processes are wanted.
public struct InProcessParsing: MessageParsing {
    private let parser: MIMEParser

    public init(parser: MIMEParser = MIMEParser()) { self.parser = parser }

    public func parse(_ batch: [MessageBytes]) async throws(MailFailure) -> [ParseOutcome] {
        batch.map { .read(parser.parse($0)) }
    }

    public func attachmentContent(
        _ index: Int, of message: MessageBytes
    ) async throws(MailFailure) -> [UInt8]? {
        message.withUnsafeBytes { parser.attachmentContent(index, of: $0) }
    }
}

extension MIMEParser {
    /// Does now what would otherwise be done when the first message needs it, above all
    /// what opens files; a process that then gives up files can read everything.
    public func prepare() {
        Charset.openConverters()
        for sample in Self.samples { _ = parse(MessageBytes(Array(sample.utf8))) }
    }

    /// Mail that goes through every library.
    private static let samples = [
        """
        From: =?utf-8?B?0JDQvdC90LA=?= <a@example.org>
        To: b@example.org
        Date: Mon, 1 Jan 2024 10:00:00 +0300
        Message-ID: <1@example.org>
        Content-Type: multipart/mixed; boundary=b

        --b
        Content-Type: text/html; charset=koi8-r
        Content-Transfer-Encoding: quoted-printable

        <html><body><p>=D0=D2=C9=D7=C5=D4 &copy; <a href="http://example.org">x</a></p></body></html>
        --b
        Content-Type: application/octet-stream; name*=utf-8''%D0%B0.bin
        Content-Transfer-Encoding: base64

        AAECAw==
        --b--

        """
    ]
}
