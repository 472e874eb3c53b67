/// What waits under one address.
public struct ReviewGroup: Sendable, Hashable, Encodable {
    /// In lower case; nil for everything in which none could be read.
    public var address: String?
    public var count: Int
    /// The newest of its items, with its suggestions.
    public var newest: ReviewItem

    private enum CodingKeys: CodingKey {
        case address, count, newest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(address, forKey: .address)
        try container.encode(count, forKey: .count)
        try container.encode(newest, forKey: .newest)
    }
}
