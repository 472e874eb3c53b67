/// A message identifier (RFC 5322, 3.6.4) without its angle brackets and without
/// white space. Sender-chosen: equal identifiers do not prove equal messages.
public struct MessageID: Hashable, Sendable, Codable, RawRepresentable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(String.self)
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// A unique identifier of a message in one folder and one UIDVALIDITY (RFC 9051, 2.3.1.1).
public struct UID: Hashable, Sendable, Codable, Comparable, RawRepresentable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(_ value: UInt32) { rawValue = value }
    public static func < (lhs: UID, rhs: UID) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// The validity value of a folder's UIDs (RFC 9051, 2.3.1.1). A changed value
/// means that every UID known before says nothing any more.
public struct UIDValidity: Hashable, Sendable, Codable, RawRepresentable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(_ value: UInt32) { rawValue = value }
}

/// A folder's name, decoded (the wire's modified UTF-7 is MailFetch's business).
///
/// Two names are the same by their bytes: `é` in one character and in two are two folders to a server, and to the archive.
public struct FolderName: Hashable, Sendable, Codable, RawRepresentable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ value: String) { rawValue = value }

    public static let inbox = FolderName("INBOX")

    public static func == (lhs: FolderName, rhs: FolderName) -> Bool {
        lhs.rawValue.utf8.elementsEqual(rhs.rawValue.utf8)
    }

    public static func != (lhs: FolderName, rhs: FolderName) -> Bool { !(lhs == rhs) }
}

/// A point in time in whole seconds since 1970-01-01T00:00:00Z.
public struct UnixTime: Hashable, Sendable, Codable, Comparable, RawRepresentable {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(_ value: Int64) { rawValue = value }
    public static func < (lhs: UnixTime, rhs: UnixTime) -> Bool { lhs.rawValue < rhs.rawValue }
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(Int64.self)
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
    public func advanced(bySeconds seconds: Int64) -> UnixTime {
        let (sum, overflow) = rawValue.addingReportingOverflow(seconds)
        return UnixTime(overflow ? (seconds < 0 ? .min : .max) : sum)
    }
}

/// A SHA-256 digest: of an original, an attachment, or a message's content.
public struct Digest256: Hashable, Sendable {
    /// Always 32 bytes.
    public let bytes: [UInt8]

    /// Nil unless there are exactly 32 bytes.
    public init?(bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// Nil unless the text is 64 hexadecimal digits.
    public init?(hex: String) {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for pair in stride(from: 0, to: 64, by: 2) {
            guard let high = Character(Unicode.Scalar(digits[pair])).hexDigitValue,
                let low = Character(Unicode.Scalar(digits[pair + 1])).hexDigitValue
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        self.bytes = bytes
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 64) { buffer in
            for (index, byte) in bytes.enumerated() {
                buffer[2 * index] = digits[Int(byte >> 4)]
                buffer[2 * index + 1] = digits[Int(byte & 15)]
            }
            return 64
        }
    }
}

extension Digest256: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = Digest256(hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a SHA-256 digest")
        }
        self = digest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}
