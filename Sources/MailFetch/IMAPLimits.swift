/// Limits on what a server may make us hold, beside those on messages (`MailLimits`).
enum IMAPLimits {
    /// One response without its literals. A SEARCH answer naming a million UIDs is about 8 MB.
    static let responseBytes = 16 << 20
    /// Literals of one response; even a LIST or ENVELOPE of hostile names needs few.
    static let literalsPerResponse = 1_000
    /// A literal announced beyond this multiple of the message limit ends the session; one between is
    /// read and thrown away, so that the session survives one enormous message.
    static let discardMultiple = 4
    /// One command line. Dovecot takes 64 KB and RFC 7162 (section 4) promises 8,192 only.
    static let sequenceSetBytes = 4_000
    /// Nested parentheses that are skipped; deeper ones make the response unknown.
    static let nesting = 200
    /// Folders kept from one LIST.
    static let folders = 100_000
    /// Messages, or ranges of UIDs, kept from one question about a folder.
    static let messages = 5_000_000
    /// Commands on the wire at a time; with the longest sets they still fit into the sockets' buffers, so
    /// that sending never waits for a server that itself waits for us to read.
    static let commandsInFlight = 4
    /// Words of a reply kept for people.
    static let replyTextBytes = 2_000
}
