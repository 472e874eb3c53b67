public import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// A message ready for the wire: CRLF line ends, no line above 998 octets, no CR or LF by itself,
/// no NUL, and 7-bit throughout unless an address needs SMTPUTF8.
///
/// What it writes is the same each time. Files among its enclosures are read when it is written.
public struct ComposedMail: Sendable {
    public enum Form: Sendable, Hashable {
        /// What the server is given: nothing tells of Bcc.
        case wire
        /// What may be kept in Sent: the same, behind the Bcc field.
        case sent
    }

    public let messageID: MessageID
    public let envelope: Envelope
    /// The Bcc field with its line end, empty without such recipients: the sent form is this and the
    /// wire form behind it.
    public let bccField: [UInt8]
    /// Header fields hold UTF-8 (RFC 6532), or an address of the envelope does: a server without
    /// SMTPUTF8 refuses it.
    public let needsSMTPUTF8: Bool
    /// Octets of the wire form.
    public let size: Int
    let pieces: [MailPiece]

    public func size(of form: Form) -> Int { form == .wire ? size : size + bccField.count }

    /// Hands over the message in pieces of at most about 128 KB, in order.
    ///
    /// - Throws: `compose.file-changed` when a file became shorter, and what `body` throws.
    public func write(
        _ form: Form = .wire, _ body: (UnsafeRawBufferPointer) throws(MailFailure) -> Void
    ) throws(MailFailure) {
        if form == .sent, !bccField.isEmpty {
            try bccField.withOctets(body)
        }
        for piece in pieces { try piece.write(body) }
    }

    /// The whole message in memory.
    public func bytes(_ form: Form = .wire) throws(MailFailure) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(size(of: form))
        try write(form) { result.append(contentsOf: $0) }
        return result
    }

    /// Writes the message at the descriptor's position; syncing it is the caller's.
    ///
    /// - Throws: `compose.file-changed`, `compose.unwritten`.
    public func write(_ form: Form = .wire, to descriptor: Int32) throws(MailFailure) {
        try write(form) { (piece) throws(MailFailure) in
            var done = 0
            while done < piece.count, let base = piece.baseAddress {
                let written = Glibc.write(descriptor, base + done, piece.count - done)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { throw .unwritten(errno: errno) }
                done += written
            }
        }
    }
}

/// A stretch of a composed message.
enum MailPiece: Sendable {
    case bytes([UInt8])
    case base64(ContentSource)
    /// A message that goes as it is, apart from line ends, which become CRLF.
    case lines(ContentSource, size: Int)

    var size: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .base64(let source): Base64Lines.length(source.count)
        case .lines(_, let size): size
        }
    }

    func write(_ body: (UnsafeRawBufferPointer) throws(MailFailure) -> Void) throws(MailFailure) {
        switch self {
        case .bytes(let bytes):
            try bytes.withOctets(body)
        case .base64(let source):
            var encoded: [UInt8] = []
            try source.forEachPiece(of: Base64Lines.pieceOctets) { (piece) throws(MailFailure) in
                encoded.removeAll(keepingCapacity: true)
                Base64Lines.append(piece, to: &encoded)
                try encoded.withOctets(body)
            }
        case .lines(let source, let size):
            var lines = LineEnds()
            var written = 0
            try source.forEachPiece(of: Base64Lines.pieceOctets) { (piece) throws(MailFailure) in
                let text = lines.normalised(piece)
                written += text.count
                try text.withOctets(body)
            }
            // Not shorter, but not what was measured: the file was written to meanwhile.
            guard written == size else { throw .changedFile }
        }
    }
}

/// LF to CRLF, piece by piece.
struct LineEnds {
    private var previous: UInt8 = 0

    mutating func normalised(_ piece: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(piece.count + piece.count / 32)
        for byte in piece {
            if byte == UInt8(ascii: "\n"), previous != UInt8(ascii: "\r") {
                result.append(UInt8(ascii: "\r"))
            }
            result.append(byte)
            previous = byte
        }
        return result
    }
}
