/// ISO-2022-JP (RFC 1468) as EUC-JP, whose converter knows the characters that vendors added.
enum ISO2022JPText {
    private enum Mode {
        case ascii, katakana, kanji, supplement
    }

    private static let escape: UInt8 = 0x1B

    /// Nil where an escape sequence names none of Japan's character sets, and for 8-bit octets.
    static func asEUC(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        var octets: [UInt8] = []
        octets.reserveCapacity(bytes.count)
        var mode = Mode.ascii
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == escape {
                guard let (next, length) = sequence(bytes.slice((index + 1)..<bytes.count)) else {
                    return nil
                }
                mode = next
                index += 1 + length
                continue
            }
            // Another charset's.
            if byte >= 0x80 { return nil }
            // A line ends the mode, whatever the sender forgot.
            if byte == Octet.lf { mode = .ascii }
            index += 1
            guard mode != .ascii, byte > 0x20, byte < 0x7F else {
                octets.append(byte)
                continue
            }
            if mode == .katakana {
                octets += [0x8E, byte | 0x80]
                continue
            }
            guard index < bytes.count, bytes[index] < 0x80 else { return nil }
            if mode == .supplement { octets.append(0x8F) }
            octets += [byte | 0x80, bytes[index] | 0x80]
            index += 1
        }
        return octets
    }

    /// What the octets behind an escape switch to, and how many they are.
    private static func sequence(_ bytes: UnsafeRawBufferPointer) -> (Mode, Int)? {
        if bytes.starts(with: "(B".utf8) || bytes.starts(with: "(J".utf8) { return (.ascii, 2) }
        if bytes.starts(with: "(I".utf8) { return (.katakana, 2) }
        if bytes.starts(with: "$@".utf8) || bytes.starts(with: "$B".utf8) { return (.kanji, 2) }
        return bytes.starts(with: "$(D".utf8) ? (.supplement, 3) : nil
    }
}
