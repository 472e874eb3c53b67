public import MailModel

/// What a person has put in place of a message's words. The original stays as it came.
public struct MessageEdit: Sendable, Hashable {
    /// Nil: the message's own; empty: none.
    public var subject: String?
    public var text: String?
    public var person: String
    public var at: UnixTime

    public init(subject: String?, text: String?, person: String, at: UnixTime) {
        self.subject = subject
        self.text = text
        self.person = person
        self.at = at
    }
}

/// That a message was edited, as those see it who are shown the message.
public struct EditNote: Sendable, Hashable, Encodable {
    public var person: String
    public var at: UnixTime
    /// `subject`, `text`, or both.
    public var parts: [String]
    /// Whether this viewer may read the original all the same.
    public var mayReadOriginal: Bool

    private enum CodingKeys: String, CodingKey {
        case person = "by"
        case at, parts
        case mayReadOriginal = "may_read_original"
    }
}

/// New words for a message, with what is derived from them.
public struct EditedWords: Sendable, Hashable {
    /// In UTF-8; longer texts are files, not mail.
    public static let textLimit = 1 << 20

    /// Nil leaves it as it stands; empty takes it away.
    public var subject: String?
    public var text: String?
    /// Of `text`, for listings.
    public var snippet: String?
    /// The lines of a signature within `text`, which suggest whose the message is while it waits.
    public var signature: String?

    public init(subject: String?, text: String?, snippet: String? = nil, signature: String? = nil) {
        self.subject = subject
        self.text = text
        self.snippet = snippet
        self.signature = signature
    }
}

/// What a message is shown from: its bytes, and the words that stand in place of theirs. Whoever shows it puts
/// them there; the bytes by themselves are for nobody who may not read the original.
public struct ReadableMessage: Sendable {
    public var original: MessageBytes
    public var edit: MessageEdit?
}
