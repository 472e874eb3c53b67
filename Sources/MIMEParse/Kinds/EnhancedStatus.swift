/// An enhanced mail system status code (RFC 3463): `5.1.1`.
public struct EnhancedStatus: Hashable, Sendable {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    public let `class`: Int
    public let subject: Int
    public let detail: Int

    init(_ class: Int, _ subject: Int, _ detail: Int) {
        self.class = `class`
        self.subject = subject
        self.detail = detail
    }

    /// The first code that stands in a text as a word of its own.
    public init?(firstIn text: String) {
        let bytes = Array(text.utf8.prefix(4096))
        var index = 0
        while index < bytes.count {
            let isWordStart =
                index == 0 || !(Octet.isDigit(bytes[index - 1]) || bytes[index - 1] == Octet.dot)
            if isWordStart, [0x32, 0x34, 0x35].contains(bytes[index]),
                let code = Self.code(bytes, at: index)
            {
                self = code
                return
            }
            index += 1
        }
        return nil
    }

    private static func code(_ bytes: [UInt8], at start: Int) -> EnhancedStatus? {
        var index = start + 1
        var numbers = [Int(bytes[start] - 0x30)]
        for _ in 0..<2 {
            guard index < bytes.count, bytes[index] == Octet.dot else { return nil }
            index += 1
            let first = index
            var number = 0
            while index < bytes.count, Octet.isDigit(bytes[index]), index - first < 3 {
                number = number * 10 + Int(bytes[index] - 0x30)
                index += 1
            }
            guard index > first else { return nil }
            numbers.append(number)
        }
        // An IP address has a fourth number.
        if index < bytes.count, Octet.isDigit(bytes[index]) { return nil }
        if index + 1 < bytes.count, bytes[index] == Octet.dot, Octet.isDigit(bytes[index + 1]) { return nil }
        return EnhancedStatus(numbers[0], numbers[1], numbers[2])
    }

    /// `x.0.0` says no more than the class.
    var isUndefined: Bool { subject == 0 && detail == 0 }

    var isMailboxFull: Bool { subject == 2 && detail == 2 }

    public var text: String { "\(`class`).\(subject).\(detail)" }
}

extension EnhancedStatus: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let code = EnhancedStatus(firstIn: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a status code")
        }
        self = code
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
