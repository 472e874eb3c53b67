import MIMEParse
import MailModel

/// An entity of a message (RFC 2045, 2.4) before it is written.
indirect enum MailPart {
    case text(String, TextBody)
    /// A file in base64.
    case file(MediaType, ContentSource, PartName)
    /// An enclosed message with its size after its line ends were made CRLF.
    case message(ContentSource, size: Int, PartName)
    /// `type` is that of the root of multipart/related (RFC 2387, 3.1).
    case multipart(String, boundary: String, type: String?, parts: [MailPart])

    /// How a part is called and shown.
    struct PartName {
        var filename: String?
        var contentID: String?
        var disposition: String
    }

    /// - Parameter boundary: the beginning of all delimiters of the message.
    /// - Throws: `compose.content-id`, `compose.file-changed`.
    init(
        _ enclosure: Enclosure, disposition: String, _ boundary: String, limits: ComposerLimits
    ) throws(MailFailure) {
        if let id = enclosure.contentID {
            let isPlain = id.utf8.allSatisfy { Grammar.isAlphanumeric($0) || "._-+@".utf8.contains($0) }
            guard isPlain, (1...200).contains(id.utf8.count) else { throw .badContentID(id) }
        }
        var name = PartName(
            filename: enclosure.filename.flatMap { FileName.cleaned($0, limit: limits.fileNameBytes) },
            contentID: enclosure.contentID, disposition: disposition)
        switch enclosure.kind {
        case .file(let type): self = .file(type, enclosure.content, name)
        case .message:
            if let size = try EnclosedMessage(enclosure.content, boundary: boundary).size {
                self = .message(enclosure.content, size: size, name)
            } else {
                name.filename = name.filename ?? "message.eml"
                self = .file(.octets, enclosure.content, name)
            }
        }
    }

    var mediaType: String {
        switch self {
        case .text(let type, _): type
        case .file(let type, _, _): type.name
        case .message: "message/rfc822"
        case .multipart(let subtype, _, _, _): "multipart/\(subtype)"
        }
    }

    func writeFields(into header: inout HeaderWriter) {
        switch self {
        case .text(let type, let body):
            header.field("Content-Type", ["\(type);", "charset=utf-8"])
            header.field("Content-Transfer-Encoding", [body.encoding.rawValue])
        case .file(let type, _, let name):
            name.write(into: &header, type: type.name)
            header.field("Content-Transfer-Encoding", ["base64"])
        case .message(_, _, let name):
            name.write(into: &header, type: "message/rfc822")
            header.field("Content-Transfer-Encoding", ["7bit"])
        case .multipart(_, let boundary, let type, _):
            var tokens = ["\(mediaType);"]
            if let type { tokens.append("type=\"\(type)\";") }
            header.field("Content-Type", tokens + ["boundary=\"\(boundary)\""])
        }
    }

    func writeContent(into writer: inout PieceWriter) {
        switch self {
        case .text(_, let body): writer.append(body.bytes)
        case .file(_, let source, _): writer.append(.base64(source))
        case .message(let source, let size, _): writer.append(.lines(source, size: size))
        case .multipart(_, let boundary, _, let parts):
            for (index, part) in parts.enumerated() {
                // The line end in front of a delimiter belongs to it, not to the part (RFC 2046, 5.1.1).
                if index > 0 { writer.append(UInt8.lineEnd) }
                writer.append(Array("--\(boundary)\r\n".utf8))
                var header = HeaderWriter()
                part.writeFields(into: &header)
                writer.append(header.bytes)
                writer.append(UInt8.lineEnd)
                part.writeContent(into: &writer)
            }
            writer.append(Array("\r\n--\(boundary)--\r\n".utf8))
        }
    }
}

extension MailPart.PartName {
    fileprivate func write(into header: inout HeaderWriter, type: String) {
        if let filename {
            header.field("Content-Type", ["\(type);"] + ParameterText.name(filename))
            header.field("Content-Disposition", ["\(disposition);"] + ParameterText.filename(filename))
        } else {
            header.field("Content-Type", [type])
            header.field("Content-Disposition", [disposition])
        }
        if let contentID { header.field("Content-ID", ["<\(contentID)>"]) }
    }
}

/// Collects the stretches of a message; what is in memory anyway becomes one.
struct PieceWriter {
    private(set) var pieces: [MailPiece] = []
    private(set) var size = 0
    private var pending: [UInt8] = []

    mutating func append(_ bytes: [UInt8]) {
        pending += bytes
        size += bytes.count
    }

    mutating func append(_ piece: MailPiece) {
        finish()
        pieces.append(piece)
        size += piece.size
    }

    mutating func finish() {
        if !pending.isEmpty { pieces.append(.bytes(pending)) }
        pending = []
    }
}

extension UInt8 {
    static let lineEnd: [UInt8] = [0x0D, 0x0A]
}
