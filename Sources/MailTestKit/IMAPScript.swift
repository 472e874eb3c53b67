/// What a scripted server does on one connection, step by step.
///
/// In what is sent `$T` stands for the tag of the last command received, and `$1` to `$9` for the tags
/// of the commands since the opening.
public struct IMAPScript: Sendable {
    public enum Step: Sendable, Hashable {
        /// Greets, answers libcurl's CAPABILITY and LOGIN, then the session's first CAPABILITY, and ID,
        /// NAMESPACE and ENABLE QRESYNC where they are among the capabilities.
        case opening(capabilities: String)
        /// Waits for a command that begins so behind its tag; any other ends the script as a violation.
        case expect(String)
        /// Waits for the line that ends IDLE (RFC 2177), which has no tag: `$T` stays what it was.
        case expectDone
        /// Asks for the literal that the last command has announced, and takes it with the line's end behind it.
        case takeLiteral
        /// A line; CRLF is added.
        case send(String)
        /// Bytes as they are.
        case sendBytes([UInt8])
        /// Bytes, many times over.
        case repeatBytes([UInt8], Int)
        /// The same bytes again and again at this interval, until the client leaves.
        case drip([UInt8], everyMilliseconds: Int)
        /// Says and hears nothing until the server is released or stopped.
        case stall
        /// Ends the connection in order.
        case close
        /// Ends the connection with a reset, as a crash does.
        case reset
    }

    public var steps: [Step]

    public init(_ steps: [Step]) { self.steps = steps }

    /// The common case: opening, EXAMINE of a folder, then these steps.
    public static func examined(
        capabilities: String = "IMAP4rev1", exists: Int = 3, uidNext: Int = 4, _ steps: [Step]
    ) -> IMAPScript {
        IMAPScript(
            [
                .opening(capabilities: capabilities), .expect("EXAMINE"), .send("* \(exists) EXISTS"),
                .send("* OK [UIDVALIDITY 7] UIDs valid"), .send("* OK [UIDNEXT \(uidNext)] next"),
                .send("$T OK [READ-ONLY] done"),
            ] + steps)
    }
}
