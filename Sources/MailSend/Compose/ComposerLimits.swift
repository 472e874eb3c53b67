/// What a draft may hold at most, each with its reason. Far beyond what people write; what a
/// provider takes is less, and asked of the provider.
public struct ComposerLimits: Sendable, Hashable {
    /// Providers take 100 to 500 in one transaction.
    public var recipients = 5_000
    /// A subject, name or line of a field, in UTF-8 bytes: readers cut it long before.
    public var lineBytes = 4_000
    /// Text or HTML, in UTF-8 bytes: they are held in memory.
    public var textBytes = 16 << 20
    /// Each open file is a descriptor.
    public var enclosures = 500
    /// A long thread keeps its first message and the last ones.
    public var references = 60
    /// A file name, in UTF-8 bytes; most file systems allow 255.
    public var fileNameBytes = 200

    public static let standard = ComposerLimits()
    public init() {}
}
