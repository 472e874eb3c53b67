import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

extension Charset {
    /// Appends the text in UTF-8 to `result`. False when some octets had no
    /// meaning; U+FFFD stands in their place.
    func decode(_ bytes: UnsafeRawBufferPointer, into result: inout [UInt8]) -> Bool {
        switch kind {
        case .utf8, .ascii:
            if UTF8Text.isValid(bytes) {
                result.append(contentsOf: bytes)
                return true
            }
            result.append(contentsOf: String(decoding: bytes, as: UTF8.self).utf8)
            return false
        case .singleByte:
            if let table = SingleByteTable.common(self) {
                return table.decode(bytes, into: &result)
            }
            return convert(bytes, into: &result)
        case .multiByte, .stateful:
            if self == .hz { return HZText.decode(bytes, into: &result) }
            let start = result.count
            if convert(bytes, into: &result) { return true }
            // What Microsoft's programs put into it: `№` most of all, for which Outlook chooses
            // this charset in Russian mail.
            guard self == .iso2022JP, let octets = ISO2022JPText.asEUC(bytes) else { return false }
            var text: [UInt8] = []
            guard octets.withUnsafeBytes({ Charset.eucJPMS.convert($0, into: &text) }) else { return false }
            result.removeLast(result.count - start)
            result += text
            return true
        }
    }

    /// Through iconv, octet by octet where it stumbles.
    private func convert(_ bytes: UnsafeRawBufferPointer, into result: inout [UInt8]) -> Bool {
        guard let descriptor = iconv_open("UTF-8", name.text), descriptor != iconv_t(bitPattern: -1) else {
            result.append(contentsOf: String(decoding: bytes, as: UTF8.self).utf8)
            return false
        }
        defer { iconv_close(descriptor) }
        IconvModules.keepLoaded(self)
        guard let base = bytes.baseAddress else { return true }
        var input: UnsafeMutablePointer<CChar>? = UnsafeMutablePointer(
            mutating: base.assumingMemoryBound(to: CChar.self))
        var inputLeft = bytes.count
        var isExact = true
        let room = 4096
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: room) { buffer in
            guard let start = buffer.baseAddress else { return }
            while true {
                var output: UnsafeMutablePointer<CChar>? = start
                var outputLeft = room
                // A last call without input flushes what the decoder still holds, such
                // as a letter that an accent may follow (windows-1255, windows-1258).
                let isLast = inputLeft == 0
                let outcome =
                    !isLast
                    ? iconv(descriptor, &input, &inputLeft, &output, &outputLeft)
                    : iconv(descriptor, nil, nil, &output, &outputLeft)
                let failure = errno
                result.append(
                    contentsOf: UnsafeRawBufferPointer(start: start, count: room - outputLeft))
                if outcome != -1 {
                    if isLast { return }
                    continue
                }
                if failure == E2BIG, outputLeft < room { continue }
                isExact = false
                result.append(contentsOf: UTF8Text.replacement)
                // Nothing more can be made of the rest, or of this octet.
                guard failure == EILSEQ, inputLeft > 0, let place = input else { return }
                input = place + 1
                inputLeft -= 1
            }
        }
        return isExact
    }
}

/// One descriptor of each charset stays open and unused: iconv would otherwise
/// load and unload its module for every text.
private enum IconvModules {
    private struct Descriptor: @unchecked Sendable {
        // Unchecked: never converted with, only held.
        let value: iconv_t?
    }

    private static let held = Mutex<[Charset: Descriptor]>([:])

    static func keepLoaded(_ charset: Charset) {
        held.withLock { held in
            if held[charset] == nil {
                held[charset] = Descriptor(value: iconv_open("UTF-8", charset.name.text))
            }
        }
    }
}

extension Charset {
    /// Opens every converter, so that none is looked for in a file later.
    static func openConverters() {
        for charset in all {
            switch charset.kind {
            case .utf8, .ascii: continue
            case .singleByte where SingleByteTable.common(charset) != nil: continue
            case .singleByte, .multiByte, .stateful: IconvModules.keepLoaded(charset)
            }
        }
    }
}

/// The upper half of a single-byte charset as UTF-8, made once from iconv.
final class SingleByteTable: Sendable {
    /// Unicode scalars for the octets 0x80 to 0xFF; 0 where there is none.
    let scalars: [UInt32]

    private init(_ charset: Charset) {
        var scalars: [UInt32] = []
        for octet in UInt8(0x80)...0xFF {
            guard let descriptor = iconv_open("UTF-32LE", charset.name.text),
                descriptor != iconv_t(bitPattern: -1)
            else {
                scalars.append(0)
                continue
            }
            defer { iconv_close(descriptor) }
            var source = CChar(bitPattern: octet)
            var value: UInt32 = 0
            let isRead = withUnsafeMutablePointer(to: &source) { sourcePointer in
                withUnsafeMutableBytes(of: &value) { target in
                    var input: UnsafeMutablePointer<CChar>? = sourcePointer
                    var inputLeft = 1
                    var output = target.baseAddress?.assumingMemoryBound(to: CChar.self)
                    var outputLeft = 4
                    return iconv(descriptor, &input, &inputLeft, &output, &outputLeft) != -1
                        && outputLeft == 0
                }
            }
            scalars.append(isRead ? UInt32(littleEndian: value) : 0)
        }
        self.scalars = scalars
    }

    /// The charsets of ordinary mail; others go through iconv each time.
    static func common(_ charset: Charset) -> SingleByteTable? {
        switch charset {
        case .windows1252: windows1252
        case .windows1251: windows1251
        case .koi8R: koi8R
        case .koi8U: koi8U
        case .ibm866: ibm866
        case .iso8859x5: iso8859x5
        case .macCyrillic: macCyrillic
        default: nil
        }
    }

    private static let windows1252 = SingleByteTable(.windows1252)
    private static let windows1251 = SingleByteTable(.windows1251)
    private static let koi8R = SingleByteTable(.koi8R)
    private static let koi8U = SingleByteTable(.koi8U)
    private static let ibm866 = SingleByteTable(.ibm866)
    private static let iso8859x5 = SingleByteTable(.iso8859x5)
    private static let macCyrillic = SingleByteTable(.macCyrillic)

    func decode(_ bytes: UnsafeRawBufferPointer, into result: inout [UInt8]) -> Bool {
        var isExact = true
        scalars.withUnsafeBufferPointer { table in
            result.reserveCapacity(result.count + bytes.count * 2)
            for byte in bytes {
                if byte < 0x80 {
                    result.append(byte)
                    continue
                }
                var scalar = table[Int(byte & 0x7F)]
                if scalar == 0 {
                    // WHATWG gives the five holes of windows-1252 to the C1 controls.
                    isExact = false
                    scalar = 0xFFFD
                }
                if scalar < 0x800 {
                    result.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
                } else {
                    result.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
                    result.append(UInt8(truncatingIfNeeded: 0x80 | (scalar >> 6 & 0x3F)))
                }
                result.append(UInt8(truncatingIfNeeded: 0x80 | (scalar & 0x3F)))
            }
        }
        return isExact
    }
}

/// What we ask of UTF-8 (RFC 3629).
enum UTF8Text {
    static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// Well-formed: no overlong form, no surrogate, nothing above U+10FFFF.
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        counts(bytes, stopAtInvalid: true).invalid == 0
    }

    /// Whether text is UTF-8 but for a few octets, which a relay cut or a program lost: letters of
    /// other charsets hardly ever stand as the sequences of UTF-8 do, let alone so many of them.
    static func isDamaged(_ bytes: UnsafeRawBufferPointer) -> Bool {
        func isLikely(_ bytes: UnsafeRawBufferPointer) -> Bool {
            let counts = counts(bytes)
            // One character that is cut may be three octets.
            return counts.invalid > 0 && counts.sequences >= 8
                && counts.sequences >= 16 * max(0, counts.invalid - 2)
        }
        // The beginning tells of most texts, which are in the charset that they name.
        guard let first = bytes.firstIndex(where: { $0 >= 0x80 }) else { return false }
        let head = UnsafeRawBufferPointer(rebasing: bytes[first...].prefix(512))
        return isLikely(head) && (head.count == bytes.count - first || isLikely(bytes))
    }

    /// Well-formed sequences of more than one octet, and octets outside any sequence.
    static func counts(
        _ bytes: UnsafeRawBufferPointer, stopAtInvalid: Bool = false
    ) -> (sequences: Int, invalid: Int) {
        var index = 0
        let count = bytes.count
        var sequences = 0
        var invalid = 0
        while index < count {
            if index + 8 <= count,
                bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                index += 8
                continue
            }
            let byte = bytes[index]
            if byte < 0x80 {
                index += 1
                continue
            }
            // Two octets a letter: the whole of Cyrillic.
            if byte >= 0xC2, byte < 0xE0, index + 1 < count, bytes[index + 1] & 0xC0 == 0x80 {
                sequences += 1
                index += 2
                continue
            }
            let length = sequenceLength(bytes, at: index, lead: byte)
            if length == 0 {
                invalid += 1
                if stopAtInvalid { break }
                index += 1
            } else {
                sequences += 1
                index += length
            }
        }
        return (sequences, invalid)
    }

    /// Octets of the well-formed sequence at `index`; 0 when there is none.
    @inline(__always)
    private static func sequenceLength(_ bytes: UnsafeRawBufferPointer, at index: Int, lead: UInt8) -> Int {
        func continues(_ offset: Int) -> Bool {
            index + offset < bytes.count && bytes[index + offset] & 0xC0 == 0x80
        }
        switch lead {
        case 0xC2...0xDF:
            return continues(1) ? 2 : 0
        case 0xE0...0xEF:
            guard continues(1), continues(2) else { return 0 }
            let second = bytes[index + 1]
            if lead == 0xE0, second < 0xA0 { return 0 }
            if lead == 0xED, second > 0x9F { return 0 }
            return 3
        case 0xF0...0xF4:
            guard continues(1), continues(2), continues(3) else { return 0 }
            let second = bytes[index + 1]
            if lead == 0xF0, second < 0x90 { return 0 }
            if lead == 0xF4, second > 0x8F { return 0 }
            return 4
        default:
            return 0
        }
    }

    /// The longest prefix of at most `limit` octets that cuts no character.
    static func prefixLength(_ bytes: some RandomAccessCollection<UInt8>, limit: Int) -> Int {
        guard bytes.count > limit else { return bytes.count }
        var end = bytes.index(bytes.startIndex, offsetBy: limit)
        var length = limit
        while length > 0, bytes[end] & 0xC0 == 0x80 {
            end = bytes.index(before: end)
            length -= 1
        }
        return length
    }
}
