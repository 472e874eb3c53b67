import MailModel

/// Splits an mbox file (RFC 4155) at its From_ lines and undoes the quoting of
/// the `mboxrd` kind: a line of `>`s before `From ` loses one of them.
///
/// A From_ line counts as a separator at the start of the file and after an
/// empty line only, so that prose beginning with "From " stays in its message.
enum MboxReader {
    /// The byte range of each message, without its From_ line and without the
    /// empty line before the next one.
    static func messages(in mailbox: MessageBytes) -> [Range<Int>] {
        mailbox.withUnsafeBytes { bytes in
            var ranges: [Range<Int>] = []
            var start: Int?
            var position = 0
            var previousLineIsEmpty = true
            var emptyLineStart = 0
            while position < bytes.count {
                let end = lineEnd(from: position, in: bytes)
                if previousLineIsEmpty, isFromLine(at: position, in: bytes) {
                    if let start { ranges.append(start..<max(start, emptyLineStart)) }
                    start = end
                    emptyLineStart = end
                    previousLineIsEmpty = false
                } else {
                    previousLineIsEmpty = isEmptyLine(position..<end, in: bytes)
                    emptyLineStart = previousLineIsEmpty ? position : end
                }
                position = end
            }
            if let start { ranges.append(start..<max(start, emptyLineStart)) }
            return ranges
        }
    }

    /// The bytes of one message with its quoting undone.
    static func message(_ range: Range<Int>, of mailbox: MessageBytes) -> MessageBytes {
        mailbox.withUnsafeBytes { bytes in
            var copy: [UInt8] = []
            copy.reserveCapacity(range.count)
            var position = range.lowerBound
            while position < range.upperBound {
                let end = min(lineEnd(from: position, in: bytes), range.upperBound)
                var quotes = position
                while quotes < end, bytes[quotes] == UInt8(ascii: ">") { quotes += 1 }
                let isQuoted = quotes > position && isFromLine(at: quotes, in: bytes)
                copy.append(contentsOf: bytes[(isQuoted ? position + 1 : position)..<end])
                position = end
            }
            return MessageBytes(copy)
        }
    }

    private static func lineEnd(from start: Int, in bytes: UnsafeRawBufferPointer) -> Int {
        var position = start
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
        return min(position + 1, bytes.count)
    }

    private static func isFromLine(at position: Int, in bytes: UnsafeRawBufferPointer) -> Bool {
        position + 5 <= bytes.count && bytes[position..<(position + 5)].elementsEqual("From ".utf8)
    }

    private static func isEmptyLine(_ line: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Bool {
        bytes[line].allSatisfy { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    }
}
