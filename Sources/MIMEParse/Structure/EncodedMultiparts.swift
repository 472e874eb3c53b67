/// Multiparts that are encoded as a whole, which RFC 2045, 6.4 forbids and gateways do:
/// their parts show only in the decoded body.
enum EncodedMultiparts {
    /// The message with every such body decoded in its place; nil when there is none.
    static func decoded(in bytes: UnsafeRawBufferPointer, _ tree: EntityTree) -> [UInt8]? {
        var result: [UInt8] = []
        var copied = 0
        for entity in tree.entities where !entity.isContainer && entity.contentType.kind == .multipart {
            guard entity.encoding == .base64 || entity.encoding == .quotedPrintable,
                let boundary = entity.contentType.parameters?.raw("boundary")?.bytes, !boundary.isEmpty
            else { continue }
            // Nothing grows by decoding; what is not written takes no memory.
            if copied == 0 { result.reserveCapacity(bytes.count + 8) }
            let start = result.count
            result.append(contentsOf: bytes.slice(copied..<entity.body.lowerBound))
            let body = result.count
            var defects = DefectLog()
            LeafContent(bytes: bytes.slice(entity.body), encoding: entity.encoding)
                .decode(into: &result, defects: &defects)
            guard
                result.withUnsafeBytes({ holdsDelimiter($0.slice(body..<$0.count), boundary) })
            else {
                result.removeLast(result.count - start)
                continue
            }
            copied = entity.body.upperBound
        }
        guard copied > 0 else { return nil }
        result.append(contentsOf: bytes.slice(copied..<bytes.count))
        return result
    }

    /// Whether a line begins with the boundary behind two hyphens.
    private static func holdsDelimiter(_ body: UnsafeRawBufferPointer, _ boundary: [UInt8]) -> Bool {
        var cursor = 0
        while cursor < body.count {
            let line = body.line(from: cursor, to: body.count)
            if line.end - cursor >= boundary.count + 2, body[cursor] == Octet.hyphen,
                body[cursor + 1] == Octet.hyphen,
                body.slice((cursor + 2)..<line.end).starts(with: boundary)
            {
                return true
            }
            cursor = line.next
        }
        return false
    }
}
