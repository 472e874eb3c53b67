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
    /// Messages, or UIDs, kept from one question about a folder.
    static let messages = 5_000_000
    /// UIDs that a server may list beyond the number of messages that it has told: some may just have come.
    static let listedBeyondCount = 10_000
    /// Messages asked for by their numbers with one command, where a listing was short: the least that a server is known
    /// to name at once.
    static let numbersAtOnce: UInt32 = 1_000
    /// Of a folder's name: what can be sent back (`IMAPCommand.isSendable`).
    static let folderNameBytes = 4_000
    /// Names kept from one LIST, together.
    static let folderNamesBytes = 16 << 20
    /// Of a label; a longer one is left out.
    static let labelBytes = 1_000
    /// Labels kept from one metadata question, together; the messages behind come without.
    static let labelsBytes = 16 << 20
    /// Folders of one NOTIFY, and the bytes of their names. Dovecot refuses more than a hundred; a line of 8,192 bytes
    /// is what RFC 7162 promises.
    static let notifiedFolders = 100
    static let notifiedBytes = 7_000
    /// Commands on the wire at a time; with the longest sets they still fit into the sockets' buffers, so
    /// that sending never waits for a server that itself waits for us to read.
    static let commandsInFlight = 4
    /// One part of a message that is fetched in pieces: small enough that a broken one costs little, large
    /// enough that the way there and back does not count.
    static let pieceBytes = 1 << 20
    /// Parts of one message, however small a server makes them.
    static let pieces = 10_000
    /// Questions on the wire whether a message that came short has more, beside the commands above.
    static let probesInFlight = 16
    /// Bytes and number of messages that came short and wait for the answer whether they have more. Beyond either no further
    /// messages are asked for: what waits here is not stored yet.
    static let heldBytes = 16 << 20
    static let heldMessages = 100
    /// Messages that came shorter than announced and proved to be whole, after which a server's sizes are
    /// taken as the estimates that they are.
    static let provenShortMessages = 16
    /// Messages of one metadata question; a mailbox of a million is first seen in fifty of them.
    static let metadataWindow = 20_000
    /// Labels kept of one message.
    static let labels = 1_000
    /// Bytes a second below which an answer is none: over this many timeouts' time of waiting.
    static let bytesPerSecond = 256
    static let paceTimeouts = 4
    /// After so many such times, and each time again, an answer has to come twice as fast: none takes for ever.
    static let pacePatience = 10
    /// Of responses to one command that are none of its answer; a mailbox's flags told anew fit in. Who sends faster
    /// than we read never lets us wait, which is all that the pace counts.
    static let unaskedBytes = 64 << 20
    /// Words of a reply kept for people.
    static let replyTextBytes = 2_000
}
