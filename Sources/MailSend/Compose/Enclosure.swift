/// A file, a picture or another message that goes with a mail.
public struct Enclosure: Sendable {
    /// What it holds, and so how it is written.
    public enum Kind: Sendable, Hashable {
        case file(MediaType)
        /// A whole message, forwarded as it is (message/rfc822). One that is not 7-bit clean goes as
        /// a file of its exact bytes, named .eml, since RFC 2046 (5.2.1) lets nobody encode it.
        case message
    }

    public var content: ContentSource
    public var kind: Kind
    /// Paths and control characters are taken off.
    public var filename: String?
    /// What `cid:` in the HTML names, without angle brackets; needed for inline images.
    public var contentID: String?

    /// A file whose type is guessed by its name where it is not given.
    public init(
        _ content: ContentSource, filename: String?, type: MediaType? = nil, contentID: String? = nil
    ) {
        self.content = content
        self.filename = filename
        self.contentID = contentID
        kind = .file(type ?? MediaType(guessedFrom: filename ?? ""))
    }

    public init(message content: ContentSource, filename: String? = nil) {
        self.content = content
        self.filename = filename
        kind = .message
    }
}
