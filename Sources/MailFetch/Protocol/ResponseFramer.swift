import Glibc
import MailModel

/// Cuts the stream of bytes into responses (RFC 9051, section 7): a line, and where it announces
/// literals their counted bytes and the line that goes on behind them.
///
/// Content is never searched for the end of anything: what a literal holds is counted, so that no
/// message can imitate a reply.
struct ResponseFramer: ~Copyable {
    /// The present response without its literals' content and without the final CRLF; the
    /// announcements (`{123}`) are still in it.
    private(set) var text: [UInt8] = []
    /// The literals in order, each with the offset in `text` right behind its announcement.
    private(set) var literals: [(end: Int, content: Literal)] = []

    private let limits: MailLimits
    private let spoolDirectory: String
    private var chunk: [UInt8] = []
    private var cursor = 0
    private var collector: LiteralCollector?
    /// Whether the present response may hold literals; nil until its first line is complete.
    private var mayHoldLiterals: Bool?
    private var literalBytes = 0
    private var isComplete = false

    init(limits: MailLimits, spoolDirectory: String) {
        self.limits = limits
        self.spoolDirectory = spoolDirectory
        text.reserveCapacity(256)
    }

    /// Whether the stream may end here: between two responses.
    var isBetweenResponses: Bool { (isComplete || text.isEmpty) && collector == nil && cursor == chunk.count }

    /// Where the stream stopped within a literal: the text up to it, and what came of its content.
    var brokenLiteral: (text: [UInt8], content: MessageBytes)? {
        // What cannot be mapped is fetched from its beginning.
        guard let content = try? collector?.sofar() else { return nil }
        return (text, content)
    }

    /// Gives the next bytes; only after `next` has answered false.
    mutating func feed(_ bytes: consuming [UInt8]) {
        chunk = bytes
        cursor = 0
    }

    /// Takes the bytes that came behind the present response.
    mutating func takeRest() -> [UInt8] {
        defer { cursor = chunk.count }
        return Array(chunk[cursor...])
    }

    /// True when `text` and `literals` hold a whole response; false when more bytes are needed.
    /// - Throws: `protocol-violation` beyond the limits, `spool-failed`. The stream is lost then.
    mutating func next() throws(MailFailure) -> Bool {
        if isComplete {
            text.removeAll(keepingCapacity: text.capacity <= 1 << 16)
            literals.removeAll(keepingCapacity: true)
            literalBytes = 0
            mayHoldLiterals = nil
            isComplete = false
        }
        while cursor < chunk.count {
            if collector != nil {
                try collect()
            } else if try readLine() {
                isComplete = true
                return true
            }
        }
        return false
    }

    /// True when the line that ends here ends the response.
    private mutating func readLine() throws(MailFailure) -> Bool {
        let (start, available) = (cursor, chunk.count - cursor)
        let length = chunk.withUnsafeBytes { bytes -> Int? in
            guard let base = bytes.baseAddress, let found = memchr(base + start, 0x0A, available) else {
                return nil
            }
            return UnsafeRawPointer(found) - (base + start)
        }
        guard text.count + (length ?? available) <= IMAPLimits.responseBytes else {
            throw .violation("a response of more than \(IMAPLimits.responseBytes) bytes")
        }
        guard let length else {
            text.append(contentsOf: chunk[start...])
            cursor = chunk.count
            return false
        }
        text.append(contentsOf: chunk[start..<(start + length)])
        cursor = start + length + 1
        if text.last == 0x0D { text.removeLast() }
        // An empty line between responses means nothing and hurts nobody.
        if text.isEmpty, literals.isEmpty { return false }
        if mayHoldLiterals == nil { mayHoldLiterals = Self.mayHoldLiterals(text) }
        guard mayHoldLiterals == true, let size = try announcedSize() else { return true }
        try begin(size)
        return false
    }

    /// Status responses end with free text, in which `{5}` announces nothing.
    private static func mayHoldLiterals(_ line: [UInt8]) -> Bool {
        guard line.count > 2, line[0] == UInt8(ascii: "*"), line[1] == UInt8(ascii: " ") else { return false }
        let word = line[2...].prefix { $0 != 0x20 }.prefix(8)
        return !StatusKind.allCases.contains { $0.matches(word) }
    }

    /// The count of a literal announced at the end of the text; nil when none is.
    private func announcedSize() throws(MailFailure) -> Int? {
        // Where nothing stands behind the last literal, its own announcement ends the text.
        guard text.last == UInt8(ascii: "}"), literals.last?.end != text.count else { return nil }
        var index = text.count - 2
        if index >= 0, text[index] == UInt8(ascii: "+") { index -= 1 }
        var size = 0
        var scale = 1
        var digits = 0
        while index >= 0, let digit = text[index].decimalDigit {
            digits += 1
            // Far beyond every limit already, and far from overflow.
            guard digits <= 15 else { throw .violation("a literal of an impossible size") }
            size += digit * scale
            scale *= 10
            index -= 1
        }
        guard digits > 0, index >= 0, text[index] == UInt8(ascii: "{") else { return nil }
        return size
    }

    private mutating func begin(_ size: Int) throws(MailFailure) {
        guard literals.count < IMAPLimits.literalsPerResponse else {
            throw .violation("more than \(IMAPLimits.literalsPerResponse) literals in one response")
        }
        let (most, overflow) = limits.messageBytes.multipliedReportingOverflow(by: IMAPLimits.discardMultiple)
        guard overflow || size <= most else { throw .violation("a literal of \(size) bytes") }
        literalBytes += size
        // An empty literal lies whole in any chunk, and no file of no bytes can be mapped.
        if size > 0, literalBytes > limits.messageBytes {
            collector = .discarding(size)
        } else if size > 0, literalBytes > limits.heapMessageBytes {
            collector = .keeping(size, in: SpooledBytes(heapBytes: 0, directory: spoolDirectory))
        } else if size <= chunk.count - cursor {
            // The ordinary message lies whole in the chunk: one copy, to where it stays.
            let content = chunk.withUnsafeBytes { bytes in
                MessageBytes(count: size) { target in
                    guard size > 0 else { return }
                    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[cursor..<(cursor + size)]))
                }
            }
            literals.append((text.count, .bytes(content)))
            cursor += size
        } else {
            collector = .keeping(size, in: SpooledBytes(heapBytes: size, directory: spoolDirectory))
        }
    }

    private mutating func collect() throws(MailFailure) {
        let (bytes, start) = (chunk, cursor)
        var failure: MailFailure?
        let taken = bytes.withUnsafeBytes { raw -> Int in
            do throws(MailFailure) {
                return try collector?.take(UnsafeRawBufferPointer(rebasing: raw[start...])) ?? 0
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        cursor += taken
        if collector?.remaining == 0 { try finishCollecting() }
    }

    private mutating func finishCollecting() throws(MailFailure) {
        guard let content = try collector?.finished() else { return }
        collector = nil
        literals.append((text.count, content))
    }
}

extension UInt8 {
    /// 0 to 9 for an ASCII digit.
    var decimalDigit: Int? {
        let value = self &- 0x30
        return value <= 9 ? Int(value) : nil
    }

    var asciiUppercased: UInt8 { self >= 0x61 && self <= 0x7A ? self & 0xDF : self }
}
