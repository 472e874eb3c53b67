/// A leaf of a message that a person would call an attachment, or an inline image:
/// what it is, without its bytes. Those are read out of the original when asked for.
///
/// Its JSON has every key always, null where there is nothing; only `declared_name` is left
/// out where it is not known, and `unpacked` where it is false.
public struct Attachment: Hashable, Sendable {
    /// The decoded and cleaned file name (no path, control or bidi characters); nil without one.
    /// The one to store, to show and to save under.
    public var filename: String?
    /// The file name as the sender wrote it, decoded and unfolded and at most bounded: it may
    /// hold a path or control characters, and is no name to save under. Known where a
    /// message was just read; the archive keeps `filename` alone.
    public var declaredName: String?
    /// `type/subtype` in lower case.
    public var contentType: String
    /// Size of the decoded content in bytes.
    public var size: Int
    /// SHA-256 of the decoded content.
    public var sha256: Digest256
    /// Content-Disposition inline, or referred to by the HTML body.
    public var isInline: Bool
    /// Content-ID without its angle brackets.
    public var contentID: String?
    /// Taken out of what is kept beside it: a winmail.dat, a container of signed content, a text with
    /// a file that was rewritten on its way. Known where a message was just read.
    public var isUnpacked = false

    public init(
        filename: String?, declaredName: String? = nil, contentType: String, size: Int, sha256: Digest256,
        isInline: Bool, contentID: String?
    ) {
        self.filename = filename
        self.declaredName = declaredName
        self.contentType = contentType
        self.size = size
        self.sha256 = sha256
        self.isInline = isInline
        self.contentID = contentID
    }
}

extension Attachment: Codable {
    private enum CodingKeys: String, CodingKey {
        case filename
        case declaredName = "declared_name"
        case contentType = "content_type"
        case size, sha256
        case isInline = "inline"
        case contentID = "content_id"
        case isUnpacked = "unpacked"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        filename = try container.decodeIfPresent(String.self, forKey: .filename)
        declaredName = try container.decodeIfPresent(String.self, forKey: .declaredName)
        contentType = try container.decode(String.self, forKey: .contentType)
        size = try container.decode(Int.self, forKey: .size)
        sha256 = try container.decode(Digest256.self, forKey: .sha256)
        isInline = try container.decode(Bool.self, forKey: .isInline)
        contentID = try container.decodeIfPresent(String.self, forKey: .contentID)
        isUnpacked = try container.decodeIfPresent(Bool.self, forKey: .isUnpacked) ?? false
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(filename, forKey: .filename)
        try container.encodeIfPresent(declaredName, forKey: .declaredName)
        try container.encode(contentType, forKey: .contentType)
        try container.encode(size, forKey: .size)
        try container.encode(sha256, forKey: .sha256)
        try container.encode(isInline, forKey: .isInline)
        try container.encode(contentID, forKey: .contentID)
        if isUnpacked { try container.encode(true, forKey: .isUnpacked) }
    }
}
