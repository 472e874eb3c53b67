/// Base64 (RFC 4648; RFC 2045, 6.8) that reads what is there: octets outside the
/// alphabet are skipped, padding may be missing or stand in the middle.
/// Takes its input in pieces of any size.
public struct Base64Decoder: Sendable {
    private var accumulator: UInt32 = 0
    private var digits = 0
    /// Padding was met, and nothing but white space and padding since.
    private var isPadded = false
    /// Text that is no base64 follows the padding: nothing more is decoded.
    private var isFinished = false
    /// Something other than digits, white space and padding was met, or the end is incomplete.
    public private(set) var isDamaged = false

    public init() {}

    /// 0...63 for a digit, 64 for white space, 65 for `=`, 66 for anything else.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 66, count: 256)
        for (value, digit) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
            .enumerated()
        {
            values[Int(digit)] = UInt8(value)
        }
        for blank: UInt8 in [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20] { values[Int(blank)] = 64 }
        values[Int(Octet.equals)] = 65
        return values
    }()

    /// Appends what `bytes` decode to.
    public mutating func decode(_ bytes: UnsafeRawBufferPointer, into result: inout [UInt8]) {
        let room = bytes.count / 4 * 3 + 6
        let old = result.count
        // Written in place: appending octet by octet costs more than decoding them.
        result.append(contentsOf: repeatElement(0, count: room))
        let written = result.withUnsafeMutableBytes { target in
            decode(bytes, to: UnsafeMutableRawBufferPointer(rebasing: target[old...]))
        }
        result.removeLast(room - written)
    }

    /// Decodes into `target`, which has room for 3 octets in 4 of the input and 6 more.
    mutating func decode(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) -> Int {
        if isFinished { return 0 }
        var written = 0
        var index = 0
        let count = bytes.count
        var accumulator = accumulator
        var digits = digits
        // Up to here the octets behind some padding were seen to be digits and padding.
        var checked = 0
        Self.values.withUnsafeBufferPointer { values in
            Self.places.withUnsafeBufferPointer { places in
                while index < count {
                    if isPadded {
                        while index < count, values[Int(bytes[index])] & 0xFE == 64 { index += 1 }
                        if index == count { break }
                        guard Self.isWholeGroups(bytes, from: index, values, &checked) else {
                            // Padding ends the data; a list's footer may follow.
                            isDamaged = true
                            isFinished = true
                            break
                        }
                        isPadded = false
                    }
                    if digits == 0 {
                        let (read, wrote) = Self.decodeGroups(
                            bytes.slice(index..<count),
                            to: UnsafeMutableRawBufferPointer(rebasing: target[written...]), places)
                        index += read
                        written += wrote
                        if index == count { break }
                    }
                    let value = values[Int(bytes[index])]
                    index += 1
                    if value < 64 {
                        accumulator = accumulator << 6 | UInt32(value)
                        digits += 1
                        if digits == 4 {
                            target[written] = UInt8(truncatingIfNeeded: accumulator >> 16)
                            target[written + 1] = UInt8(truncatingIfNeeded: accumulator >> 8)
                            target[written + 2] = UInt8(truncatingIfNeeded: accumulator)
                            written += 3
                            accumulator = 0
                            digits = 0
                        }
                    } else if value == 65 {
                        written += Self.flush(accumulator, digits, to: target, at: written)
                        if digits < 2 { isDamaged = true } else { isPadded = true }
                        accumulator = 0
                        digits = 0
                    } else if value == 66 {
                        isDamaged = true
                    }
                }
            }
        }
        self.accumulator = accumulator
        self.digits = digits
        return written
    }

    /// For each place in a group of four and each octet, its six bits where they belong; anything
    /// but a digit has the lowest bit.
    private static let places: [UInt32] = (0..<4).flatMap { place in
        values.map { $0 < 64 ? UInt32($0) << UInt32(26 - 6 * place) : 1 }
    }

    /// Decodes whole groups of four digits up to the first other octet.
    /// - Returns: how many octets were read, and how many written.
    private static func decodeGroups(
        _ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer,
        _ places: UnsafeBufferPointer<UInt32>
    ) -> (read: Int, written: Int) {
        var index = 0
        var written = 0
        func group(_ digits: UInt64) -> UInt32 {
            places[Int(digits & 0xFF)] | places[256 + Int(digits >> 8 & 0xFF)]
                | places[512 + Int(digits >> 16 & 0xFF)] | places[768 + Int(digits >> 24 & 0xFF)]
        }
        // Two groups at a time. More octets are written than decoded; the next ones overwrite them.
        while index + 8 <= bytes.count, written + 8 <= target.count {
            let digits = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let first = group(digits)
            let second = group(digits >> 32)
            if (first | second) & 1 != 0 { break }
            let value = UInt64(first) << 32 | UInt64(second) << 8
            target.storeBytes(of: value.bigEndian, toByteOffset: written, as: UInt64.self)
            index += 8
            written += 6
        }
        while index + 4 <= bytes.count, written + 4 <= target.count {
            let digits = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self))
            let value = group(UInt64(digits))
            if value & 1 != 0 { break }
            target.storeBytes(of: value.bigEndian, toByteOffset: written, as: UInt32.self)
            index += 4
            written += 3
        }
        return (index, written)
    }

    /// Whether the line at `start` is base64 of its own, as where encoded pieces
    /// were put one behind the other.
    private static func isWholeGroups(
        _ bytes: UnsafeRawBufferPointer, from start: Int, _ values: UnsafeBufferPointer<UInt8>,
        _ checked: inout Int
    ) -> Bool {
        // A line of base64 is shorter. What was looked at behind earlier padding of the
        // same line is not looked at again: all of an endless line may be padding.
        let end = min(bytes.count, start + 128)
        var cursor = max(start, checked)
        while cursor < end, values[Int(bytes[cursor])] < 64 || values[Int(bytes[cursor])] == 65 {
            cursor += 1
        }
        checked = cursor
        if cursor < end, bytes[cursor] != Octet.cr, bytes[cursor] != Octet.lf { return false }
        let digits = cursor - start
        return digits >= 4 && (digits % 4 == 0 || digits == 128)
    }

    /// Appends what the last, unpadded digits still say.
    public mutating func finish(into result: inout [UInt8]) {
        if digits == 0 { return }
        // Behind damage the last digits are anybody's; without it only padding is missing.
        defer { isDamaged = true }
        if isDamaged { return }
        var last: [UInt8] = [0, 0]
        let count = last.withUnsafeMutableBytes { Self.flush(accumulator, digits, to: $0, at: 0) }
        result.append(contentsOf: last[..<count])
        accumulator = 0
        digits = 0
    }

    private static func flush(
        _ accumulator: UInt32, _ digits: Int, to target: UnsafeMutableRawBufferPointer, at offset: Int
    ) -> Int {
        switch digits {
        case 2:
            target[offset] = UInt8(truncatingIfNeeded: accumulator >> 4)
            return 1
        case 3:
            target[offset] = UInt8(truncatingIfNeeded: accumulator >> 10)
            target[offset + 1] = UInt8(truncatingIfNeeded: accumulator >> 2)
            return 2
        default:
            return 0
        }
    }
}

/// Quoted-printable (RFC 2045, 6.7): an `=` that starts no valid sequence stands for itself.
public enum QuotedPrintable {
    /// Where a piece of about `piece` octets from `start` may end without cutting a
    /// sequence: behind a line end, or within a line that is endless.
    static func endOfPiece(in bytes: UnsafeRawBufferPointer, from start: Int, piece: Int) -> Int {
        let end = start + piece
        guard end < bytes.count else { return bytes.count }
        if let newline = bytes.offset(of: Octet.lf, from: end, to: min(bytes.count, end + piece)) {
            return newline + 1
        }
        // Behind an octet that neither belongs to a sequence nor may belong to a soft
        // break, which has blanks before its line end. Only damage has none.
        var last = end
        while last > start + 1 {
            let byte = bytes[last - 1]
            if !Octet.isBlank(byte), byte != Octet.equals, bytes[last - 2] != Octet.equals { return last }
            last -= 1
        }
        return end
    }

    /// Appends what `bytes` decode to; true when something was malformed.
    public static func decode(_ bytes: UnsafeRawBufferPointer, into result: inout [UInt8]) -> Bool {
        var index = 0
        let count = bytes.count
        var isDamaged = false
        result.reserveCapacity(result.count + count)
        while index < count {
            guard let equals = bytes.offset(of: Octet.equals, from: index, to: count) else {
                result.append(contentsOf: bytes.slice(index..<count))
                break
            }
            if equals > index { result.append(contentsOf: bytes.slice(index..<equals)) }
            index = equals + 1
            if index + 1 < count, let high = Octet.hexValue(bytes[index]),
                let low = Octet.hexValue(bytes[index + 1])
            {
                result.append(high << 4 | low)
                index += 2
                continue
            }
            // A soft line break, with the blanks that transport may add before its end.
            var after = index
            while after < count, Octet.isBlank(bytes[after]) { after += 1 }
            while after < count, bytes[after] == Octet.cr { after += 1 }
            if after < count, bytes[after] == Octet.lf {
                index = after + 1
            } else if after == count {
                index = after
            } else {
                isDamaged = true
                result.append(Octet.equals)
            }
        }
        return isDamaged
    }
}

/// Unix-to-Unix encoding (POSIX uuencode), as parts and as blocks within text.
enum UUEncoding {
    /// A block in a text: from its `begin` line to the line after its `end`.
    struct Block {
        var range: Range<Int>
        var name: [UInt8]
        var data: Range<Int>
        /// The text ends before the block does.
        var isCut = false
        /// Lines are too long but for characters that take several octets and should be one.
        var hasForeignCharacters = false
    }

    /// Zeros that stand for blanks lost in transport, at most: an octet a line could
    /// otherwise claim 63.
    private static let maximumFilling = 2 << 20

    /// Decodes the lines of `bytes`; a `begin` line before them and what follows
    /// `end` are left out. `body` gets pieces of about `piece` octets. True when
    /// something was malformed.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, piece: Int, _ body: (UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        var cursor = 0
        var isDamaged = false
        var filling = 0
        var result: [UInt8] = []
        result.reserveCapacity(piece + 64)
        while cursor < bytes.count {
            let line = bytes.line(from: cursor, to: bytes.count)
            let text = bytes.slice(cursor..<max(cursor, line.end))
            cursor = line.next
            if text.isEmpty || text.hasPrefixIgnoringCase("begin ") { continue }
            if text.count == 3, text.hasPrefixIgnoringCase("end") { break }
            let isWhole = withDigits(text) { decodeLine($0, into: &result, filling: &filling) }
            if !isWhole { isDamaged = true }
            if result.count >= piece {
                result.withUnsafeBytes(body)
                result.removeAll(keepingCapacity: true)
            }
        }
        result.withUnsafeBytes(body)
        return isDamaged
    }

    private static func decodeLine(
        _ line: UnsafeRawBufferPointer, into result: inout [UInt8], filling: inout Int
    ) -> Bool {
        guard let first = line.first, first >= 0x20, first <= 0x60 else { return false }
        let isWhole = line.count <= lineLength(first) + 3 && line.allSatisfy { $0 <= 0x60 }
        var left = Int((first &- 0x20) & 0x3F)
        let present = (line.count - 1) / 4 * 3
        if left > present + 3 {
            filling += left - present
            if filling > maximumFilling { left = present }
        }
        var index = 1
        func digit(_ offset: Int) -> UInt8 {
            // Trailing blanks are lost in transport; they stand for zeros.
            offset < line.count ? (line[offset] &- 0x20) & 0x3F : 0
        }
        withUnsafeTemporaryAllocation(byteCount: 66, alignment: 1) { buffer in
            var written = 0
            while written < left {
                let (a, b, c, d) = (digit(index), digit(index + 1), digit(index + 2), digit(index + 3))
                buffer[written] = a << 2 | b >> 4
                buffer[written + 1] = b << 4 | c >> 2
                buffer[written + 2] = c << 6 | d
                written += 3
                index += 4
            }
            result.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<left]))
        }
        return isWhole
    }

    /// Digits of a line whose first character is this.
    private static func lineLength(_ first: UInt8) -> Int { (Int((first &- 0x20) & 0x3F) + 2) / 3 * 4 }

    /// The line with an octet for each character. `\` stands for the currency signs that have its place in
    /// Japan and Korea, which mail that was turned into another charset there has in UTF-8 or Latin 1;
    /// other characters of UTF-8 become an octet that is no digit.
    private static func withDigits<Result>(
        _ line: UnsafeRawBufferPointer, _ use: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        if line.isASCII { return use(line) }
        let octets: [UInt8]
        if let text = String(validating: line, as: UTF8.self) {
            octets = text.unicodeScalars.map { scalar in
                if scalar.isASCII { return UInt8(scalar.value) }
                return backslashSigns.contains(scalar) ? Octet.backslash : 0x7F
            }
        } else {
            octets = line.map { $0 == 0xA5 ? Octet.backslash : $0 }
        }
        return octets.withUnsafeBytes(use)
    }

    /// Yen and won, also in full width.
    private static let backslashSigns: Set<Unicode.Scalar> = ["\u{A5}", "\u{20A9}", "\u{FFE5}", "\u{FFE6}"]

    /// The next block at or after `start`: a `begin` line with a mode and a name, lines of the
    /// right shape, an `end` line. Where the text ends before that, the lines must be whole.
    static func nextBlock(in bytes: UnsafeRawBufferPointer, from start: Int) -> Block? {
        var cursor = start
        while cursor < bytes.count {
            let line = bytes.line(from: cursor, to: bytes.count)
            if let name = beginName(bytes.slice(cursor..<max(cursor, line.end))) {
                var hasForeignCharacters = false
                let (end, next) = endOfBlock(
                    in: bytes, from: line.next, hasForeignCharacters: &hasForeignCharacters)
                if let end {
                    return Block(
                        range: cursor..<next, name: name, data: line.next..<end,
                        hasForeignCharacters: hasForeignCharacters)
                }
                if next == bytes.count, isCutOff(bytes.slice(line.next..<next)) {
                    return Block(range: cursor..<next, name: name, data: line.next..<next, isCut: true)
                }
                // Lines already looked at are no block; going on behind them keeps this linear.
                cursor = max(line.next, next)
                continue
            }
            cursor = line.next
        }
        return nil
    }

    private static func beginName(_ line: UnsafeRawBufferPointer) -> [UInt8]? {
        guard line.count > 10, line[0] == 0x62, line.hasPrefixIgnoringCase("begin ") else { return nil }
        var index = 6
        while index < line.count, line[index] &- 0x30 < 8 { index += 1 }
        guard index - 6 == 3 || index - 6 == 4, index < line.count, line[index] == Octet.space else {
            return nil
        }
        let name = line.slice((index + 1)..<line.count).trimmed().withoutQuotes
        return name.isEmpty ? nil : Array(name)
    }

    /// Where the `end` line of a block begins, if there is one, and where the search may go on.
    private static func endOfBlock(
        in bytes: UnsafeRawBufferPointer, from start: Int, hasForeignCharacters: inout Bool
    ) -> (Int?, Int) {
        var cursor = start
        while cursor < bytes.count {
            let line = bytes.line(from: cursor, to: bytes.count)
            let text = bytes.slice(cursor..<max(cursor, line.end))
            if text.count == 3, text.hasPrefixIgnoringCase("end") { return (cursor, line.next) }
            if let first = text.first {
                guard first >= 0x20, first <= 0x60 else { return (nil, cursor) }
                let length = lineLength(first) + 3
                if text.count > length {
                    // No character of UTF-8 has more than four octets.
                    guard text.count <= length * 4, withDigits(text, { $0.count <= length }) else {
                        return (nil, cursor)
                    }
                    hasForeignCharacters = true
                }
            }
            cursor = line.next
        }
        return (nil, cursor)
    }

    /// Whether lines without an `end` are those of a file all the same: each but the last has as
    /// many characters as its first one says.
    private static func isCutOff(_ lines: UnsafeRawBufferPointer) -> Bool {
        var cursor = 0
        var whole = 0
        while cursor < lines.count {
            let line = lines.line(from: cursor, to: lines.count)
            let text = lines.slice(cursor..<max(cursor, line.end))
            cursor = line.next
            guard let first = text.first, first != 0x60, first != Octet.space else { continue }
            if text.count > lineLength(first) { whole += 1 } else if cursor < lines.count { return false }
        }
        return whole > 0
    }
}
