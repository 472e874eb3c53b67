import Crypto
import MailModel

/// The decoded content of one leaf, piece by piece, so that a large attachment is
/// never held whole.
struct LeafContent {
    let bytes: UnsafeRawBufferPointer
    let encoding: TransferEncoding

    /// Input octets decoded at once.
    private static let piece = 48 << 10

    /// Size and SHA-256 of the content.
    func measure(defects: inout DefectLog) -> (size: Int, digest: Digest256) {
        var hasher = SHA256()
        var size = 0
        forEachPiece(defects: &defects) { piece in
            size += piece.count
            hasher.update(bufferPointer: piece)
        }
        return (size, Digest256(sha256: hasher.finalize()))
    }

    /// The whole content, or what its first `inputLimit` encoded octets decode to.
    func decoded(inputLimit: Int = .max, defects: inout DefectLog) -> [UInt8] {
        var result: [UInt8] = []
        let head = LeafContent(bytes: bytes.slice(0..<min(bytes.count, inputLimit)), encoding: encoding)
        // An array that grows holds its octets twice meanwhile.
        result.reserveCapacity(encoding == .base64 ? head.bytes.count / 4 * 3 + 8 : head.bytes.count)
        head.decode(into: &result, defects: &defects)
        return result
    }

    /// Appends the whole content.
    func decode(into result: inout [UInt8], defects: inout DefectLog) {
        forEachPiece(defects: &defects) { result.append(contentsOf: $0) }
    }

    private func forEachPiece(defects: inout DefectLog, _ body: (UnsafeRawBufferPointer) -> Void) {
        switch encoding {
        case .identity:
            body(bytes)
        case .base64:
            var decoder = Base64Decoder()
            var last: [UInt8] = []
            let dataEnd = Base64Lines.end(of: bytes)
            let room = min(bytes.count, Self.piece) / 4 * 3 + 6
            withUnsafeTemporaryAllocation(byteCount: room, alignment: 8) { buffer in
                var cursor = 0
                while cursor < dataEnd {
                    let end = min(dataEnd, cursor + Self.piece)
                    let count = decoder.decode(bytes.slice(cursor..<end), to: buffer)
                    body(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
                    cursor = end
                }
            }
            decoder.finish(into: &last)
            if !last.isEmpty { last.withUnsafeBytes(body) }
            if decoder.isDamaged || dataEnd < bytes.count { defects.note(.malformedBase64) }
        case .quotedPrintable:
            var cursor = 0
            var buffer: [UInt8] = []
            while cursor < bytes.count {
                let end = QuotedPrintable.endOfPiece(in: bytes, from: cursor, piece: Self.piece)
                buffer.removeAll(keepingCapacity: true)
                if QuotedPrintable.decode(bytes.slice(cursor..<end), into: &buffer) {
                    defects.note(.malformedQuotedPrintable)
                }
                buffer.withUnsafeBytes(body)
                cursor = end
            }
        case .uuencode:
            if UUEncoding.decode(bytes, piece: Self.piece, body) { defects.note(.damagedFile) }
        case .yenc:
            var result: [UInt8] = []
            if YEnc.decode(bytes, into: &result) { defects.note(.damagedFile) }
            result.withUnsafeBytes(body)
        }
    }
}
