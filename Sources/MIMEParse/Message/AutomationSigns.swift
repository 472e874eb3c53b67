/// The fields of a message, and its other marks, that say that a program wrote or forwarded it.
public struct AutomationSigns: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// RFC 3834, 5.
    public static let autoSubmitted = Self(rawValue: 1 << 0)
    public static let autoreply = Self(rawValue: 1 << 1)
    public static let autoResponseSuppress = Self(rawValue: 1 << 2)
    public static let precedence = Self(rawValue: 1 << 3)
    /// RFC 2369, 3.2.
    public static let listUnsubscribe = Self(rawValue: 1 << 4)
    /// RFC 2919.
    public static let listID = Self(rawValue: 1 << 5)
    public static let mailingList = Self(rawValue: 1 << 6)
    /// A subject that programs write.
    public static let subject = Self(rawValue: 1 << 7)
    /// A part that only programs write, such as a report (RFC 6522).
    public static let part = Self(rawValue: 1 << 8)
    public static let failedRecipients = Self(rawValue: 1 << 9)
    /// It is from a mail system.
    public static let author = Self(rawValue: 1 << 10)
    /// Its text is that of a bounce, or of a receipt.
    public static let text = Self(rawValue: 1 << 11)
    /// It names no address to which anything could come back (RFC 3834, 2).
    public static let nullReturnPath = Self(rawValue: 1 << 12)

    /// For people, in the order above.
    public var names: [String] {
        Self.words.enumerated().filter { contains(Self(rawValue: 1 << UInt16($0.offset))) }.map(\.element)
    }

    private static let words = [
        "Auto-Submitted", "X-Autoreply", "X-Auto-Response-Suppress", "Precedence", "List-Unsubscribe",
        "List-Id", "Mailing-List", "subject", "report part", "X-Failed-Recipients", "author", "text",
        "Return-Path",
    ]
}

extension AutomationSigns: Codable {
    public init(from decoder: any Decoder) throws {
        let names = try decoder.singleValueContainer().decode([String].self)
        self = names.reduce(into: []) { signs, name in
            guard let index = Self.words.firstIndex(of: name) else { return }
            signs.insert(Self(rawValue: 1 << UInt16(index)))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(names)
    }
}
