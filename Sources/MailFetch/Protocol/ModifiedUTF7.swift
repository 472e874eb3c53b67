/// The encoding of mailbox names in IMAP4rev1 (RFC 3501, 5.1.3).
enum ModifiedUTF7 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,".utf8)

    private static let values: [UInt8: UInt32] = Dictionary(
        uniqueKeysWithValues: alphabet.enumerated().map { ($1, UInt32($0)) })

    /// Nil when the bytes are not in the encoding: 8-bit bytes, or a broken shift.
    static func decode(_ bytes: some Collection<UInt8>) -> String? {
        var text = ""
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            bytes.formIndex(after: &index)
            guard byte >= 0x20, byte < 0x7F else { return nil }
            guard byte == UInt8(ascii: "&") else {
                text.unicodeScalars.append(Unicode.Scalar(byte))
                continue
            }
            guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "-")) else { return nil }
            let shifted = bytes[index..<end]
            index = bytes.index(after: end)
            if shifted.isEmpty {
                text.append("&")
                continue
            }
            var units: [UInt16] = []
            var window: UInt32 = 0
            var bits = 0
            for digit in shifted {
                guard let value = values[digit] else { return nil }
                window = (window << 6 | value) & 0xFF_FFFF
                bits += 6
                if bits >= 16 {
                    bits -= 16
                    units.append(UInt16(truncatingIfNeeded: window >> UInt32(bits)))
                }
            }
            guard bits < 6, !units.isEmpty else { return nil }
            guard let decoded = String(validating: units, as: UTF16.self) else { return nil }
            text += decoded
        }
        return text
    }

    static func encode(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var units: [UInt16] = []
        func flush() {
            guard !units.isEmpty else { return }
            bytes.append(UInt8(ascii: "&"))
            var window: UInt32 = 0
            var bits = 0
            for unit in units {
                window = window << 16 | UInt32(unit)
                bits += 16
                while bits >= 6 {
                    bits -= 6
                    bytes.append(alphabet[Int(window >> UInt32(bits) & 63)])
                }
                window &= (1 << UInt32(bits)) - 1
            }
            if bits > 0 { bytes.append(alphabet[Int(window << UInt32(6 - bits) & 63)]) }
            bytes.append(UInt8(ascii: "-"))
            units = []
        }
        for scalar in text.unicodeScalars {
            if scalar.value >= 0x20, scalar.value < 0x7F {
                flush()
                bytes.append(UInt8(scalar.value))
                if scalar == "&" { bytes.append(UInt8(ascii: "-")) }
            } else {
                units += Array(String(scalar).utf16)
            }
        }
        flush()
        return bytes
    }
}
