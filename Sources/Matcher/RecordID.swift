/// The number of a stored thing. JSON has it as a string, since it is a name, not
/// a quantity.
public protocol RecordID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible, Comparable
where RawValue == Int64 {
    init(rawValue: Int64)
}

extension RecordID {
    /// Nil unless the text is a positive decimal number.
    public init?(_ text: some StringProtocol) {
        guard let value = Int64(text), value > 0 else { return nil }
        self.init(rawValue: value)
    }

    public var description: String { String(rawValue) }
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a record number")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// A contact: a person, lead or organisation.
public struct ContactID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// A standing decision to ignore an address or a domain.
public struct IgnoreRuleID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}
