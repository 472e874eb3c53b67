import MailModel

@testable import MIMEParse

extension FuzzTarget {
    /// Transfer encodings, charsets, flowed text and HTML. The first octet chooses the charset.
    static let bodies = FuzzTarget(
        name: "bodies", summary: "transfer encodings, charsets, HTML to text", maximumLength: 4096
    ) { bytes in
        guard let first = bytes.first else { return }
        let body = bytes.slice(1..<bytes.count)
        for encoding in [TransferEncoding.identity, .base64, .quotedPrintable, .uuencode] {
            readLeaf(body, encoding)
        }
        var cursor = 0
        while let block = UUEncoding.nextBlock(in: body, from: cursor) {
            promise(
                block.range.lowerBound >= cursor && block.range.upperBound <= body.count, "a block outside")
            promise(block.range.upperBound > cursor, "a block without an end")
            promise(
                block.range.contains(block.data.lowerBound)
                    && block.data.upperBound <= block.range.upperBound, "data outside its block")
            cursor = block.range.upperBound
        }
        let labels = [
            "utf-8", "us-ascii", "windows-1251", "koi8-r", "iso-8859-1", "utf-7", "iso-2022-jp", "gb18030",
            "euc-kr", "utf-16", "x-user-defined", "big5", "ibm866", "shift_jis", "iso-2022-kr", "utf-32",
        ]
        let label = Array(labels[Int(first) % labels.count].utf8)
        readText(body, label)
    }

    private static func readLeaf(_ body: UnsafeRawBufferPointer, _ encoding: TransferEncoding) {
        var defects = DefectLog()
        let leaf = LeafContent(bytes: body, encoding: encoding)
        let content = leaf.decoded(defects: &defects)
        promise(content.count <= body.count * 64, "\(content.count) octets decoded from \(body.count)")
        let (size, digest) = leaf.measure(defects: &defects)
        promise(size == content.count, "measured \(size), decoded \(content.count)")
        let identity = content.withUnsafeBytes {
            LeafContent(bytes: $0, encoding: .identity).measure(defects: &defects)
        }
        promise(digest == identity.digest, "the digest is another's")
        if encoding == .base64 { readInPieces(body) }
    }

    /// Base64 takes pieces of any size; what comes out is the same.
    private static func readInPieces(_ body: UnsafeRawBufferPointer) {
        let results = [4096, max(1, body.count)].map { size in
            var decoder = Base64Decoder()
            var result: [UInt8] = []
            for start in stride(from: 0, to: body.count, by: size) {
                decoder.decode(body.slice(start..<min(body.count, start + size)), into: &result)
            }
            decoder.finish(into: &result)
            return result
        }
        promise(results[0] == results[1], "other octets from pieces")
    }

    private static func readText(_ body: UnsafeRawBufferPointer, _ label: [UInt8]) {
        var defects = DefectLog()
        var utf8: [UInt8] = []
        TextDecoder.decode(body, label: label, into: &utf8, defects: &defects)
        promise(utf8.count <= 16 * body.count + 64, "\(utf8.count) octets of text from \(body.count)")
        promise(utf8.withUnsafeBytes(UTF8Text.isValid), "text that is no UTF-8")
        var limits = MailLimits.standard
        limits.textBytes = 1000
        for parameters in ["", "; format=flowed", "; format=flowed; delsp=yes"] {
            let field = Array(("text/plain" + parameters).utf8)
            let type = field.withUnsafeBytes {
                ContentType($0, standard: .plain, parameterLimit: 10, defects: &defects)
            }
            var plain = BodyText(limits: limits)
            plain.appendPlain(body, type, label: label, defects: &defects)
            promise(plain.utf8.count <= limits.textBytes, "\(plain.utf8.count) octets kept")
            promise(plain.utf8.withUnsafeBytes(UTF8Text.isValid), "plain text that is no UTF-8")
        }
        var html = BodyText(limits: limits)
        html.appendHTML(body, label: label, defects: &defects)
        promise(html.utf8.count <= limits.textBytes, "\(html.utf8.count) octets of HTML kept")
        promise(html.utf8.withUnsafeBytes(UTF8Text.isValid), "HTML text that is no UTF-8")
    }
}
