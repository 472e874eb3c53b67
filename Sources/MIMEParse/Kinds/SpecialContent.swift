/// What a message holds besides text and files, as values: nearly all mail has none of it.
public struct SpecialContent: Codable, Hashable, Sendable {
    public var calendar: CalendarContent?
    /// The vCards of all parts, in order; empty without one.
    public var contacts: [VCard] = []
    public var deliveryReport: DeliveryReport?
    public var readReceipt: ReadReceipt?
    public var abuseReport: AbuseReport?
    public var protection: Protection?

    public init() {}

    var isEmpty: Bool { self == SpecialContent() }
}
