/// Every limit on hostile or enormous mail, in one place with its reason.
/// Beyond a limit a message is still archived, with what was read and a defect.
public struct MailLimits: Sendable, Hashable, Codable {
    /// Nested entities. mimetic recurses once a level; 100 stays far from a 512 KB stack.
    public var depth = 100
    /// Leaves and containers of one message.
    public var parts = 10_000
    /// One entity's header block, in bytes.
    public var headerBlockBytes = 1 << 20
    /// One header field, in bytes. mimetic is quadratic in it: 4 MB take 12 s.
    public var fieldBytes = 256 << 10
    /// Fields of one header block.
    public var fields = 5_000
    /// Addresses read from one message.
    public var addresses = 10_000
    /// Authentication-Results fields read from one message. Only the topmost can be a trusted server's.
    public var authenticationResults = 16
    /// One Authentication-Results field, in bytes. The longest of large providers have about 2 KB.
    public var authenticationResultBytes = 8 << 10
    /// Parameters read from one field.
    public var parameters = 200
    /// A multipart boundary, in bytes. The RFC's limit (2046, 5.1.1); mimetic is
    /// quadratic beyond it.
    public var boundaryBytes = 70
    /// A file name after cleaning, in UTF-8 bytes; most file systems allow 255.
    public var fileNameBytes = 200
    /// A file name as its sender wrote it, in UTF-8 bytes: shown, never saved under.
    public var declaredNameBytes = 1000
    /// Text kept for reading and search, in UTF-8 bytes.
    public var textBytes = 1 << 20
    /// A whole message, in bytes: larger ones are recorded as too large, not fetched.
    public var messageBytes = 150 << 20
    /// A message larger than this is received into a file and mapped, not held on the heap.
    public var heapMessageBytes = 4 << 20

    public init() {}

    public static let standard = MailLimits()
}
