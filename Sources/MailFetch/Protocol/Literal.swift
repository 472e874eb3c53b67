import MailModel

/// The content of one literal (RFC 9051, 4.3).
enum Literal: Sendable {
    case bytes(MessageBytes)
    /// More than the message limit; the bytes were read and thrown away.
    case tooLarge(Int)

    /// Bytes that came.
    var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .tooLarge(let count): count
        }
    }
}

/// Gathers a literal that does not lie whole in one chunk.
struct LiteralCollector: ~Copyable {
    let size: Int
    private(set) var remaining: Int
    /// Nil throws away what comes.
    private var kept: SpooledBytes?

    /// Storage grows with what arrives, not with what is announced.
    static func keeping(_ size: Int, in bytes: consuming SpooledBytes) -> LiteralCollector {
        LiteralCollector(size: size, kept: bytes)
    }

    static func discarding(_ size: Int) -> LiteralCollector { LiteralCollector(size: size, kept: nil) }

    private init(size: Int, kept: consuming SpooledBytes?) {
        self.size = size
        remaining = size
        self.kept = kept
    }

    /// Takes at most what is missing; returns how much that was.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(MailFailure) -> Int {
        let count = min(remaining, bytes.count)
        try kept?.append(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        remaining -= count
        return count
    }

    /// To be called once nothing remains.
    func finished() throws(MailFailure) -> Literal {
        guard let bytes = try sofar() else { return .tooLarge(size) }
        return .bytes(bytes)
    }

    /// What has come; nil when it is thrown away.
    func sofar() throws(MailFailure) -> MessageBytes? { try kept?.finished() }
}
