import MailModel

/// Whether a message can go within another as it is (RFC 2046, 5.2.1: without any encoding).
struct EnclosedMessage {
    /// Octets with CRLF line ends; nil when it must be sent as a file of its bytes.
    let size: Int?

    /// - Parameter boundary: the beginning of all delimiter lines of the message around it.
    init(_ source: ContentSource, boundary: String) throws(MailFailure) {
        var scan = Scan(delimiter: Array("--\(boundary)".utf8))
        try source.forEachPiece(of: 64 << 10) { (piece) throws(MailFailure) in scan.read(piece) }
        size = scan.isClean && !scan.endsInCR && source.count > 0 ? scan.size : nil
    }

    private struct Scan {
        let delimiter: [UInt8]
        var size = 0
        var isClean = true
        private var column = 0
        private var matched = 0
        private var previous: UInt8 = 0

        init(delimiter: [UInt8]) { self.delimiter = delimiter }

        mutating func read(_ piece: UnsafeRawBufferPointer) {
            for byte in piece {
                size += 1
                if previous == UInt8(ascii: "\r"), byte != UInt8(ascii: "\n") { isClean = false }
                if byte == UInt8(ascii: "\n") {
                    if previous != UInt8(ascii: "\r") { size += 1 }
                    column = 0
                    matched = 0
                } else if byte != UInt8(ascii: "\r") {
                    if byte == 0 || byte >= 0x80 { isClean = false }
                    if matched == column, matched < delimiter.count, byte == delimiter[matched] {
                        matched += 1
                        if matched == delimiter.count { isClean = false }
                    }
                    column += 1
                    if column > 998 { isClean = false }
                }
                previous = byte
            }
        }

        var endsInCR: Bool { previous == UInt8(ascii: "\r") }
    }
}
