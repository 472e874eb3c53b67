/// Every limit on what a server may send or demand, with its reason.
public struct SMTPLimits: Sendable, Hashable {
    /// RFC 5321 (4.5.3.1.5) promises 512; real servers write more.
    static let replyLineBytes = 4 << 10
    /// More lines are no answer to anything.
    static let replyLines = 128
    static let replyBytes = 64 << 10
    /// A line of a message without its CRLF (RFC 5322, 2.1.1).
    static let messageLineBytes = 998
    /// What one write hands over.
    static let writeBytes = 256 << 10

    /// Seconds to wait for the answer to a whole message (RFC 5321, 4.5.3.2.6): the server may be
    /// delivering or filtering, and giving up early would make a sent mail uncertain.
    public var endOfDataSeconds = 600

    public init() {}
}
