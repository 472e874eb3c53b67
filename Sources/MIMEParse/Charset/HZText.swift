/// HZ (RFC 1843): GB2312 as pairs of 7-bit octets between `~{` and `~}`.
enum HZText {
    /// Appends UTF-8; false when something had no meaning.
    static func decode(_ bytes: UnsafeRawBufferPointer, into result: inout [UInt8]) -> Bool {
        var octets: [UInt8] = []
        octets.reserveCapacity(bytes.count)
        var isDouble = false
        var isExact = true
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            if byte == 0x7E, !isDouble || next == 0x7D {
                index += 2
                switch next {
                case 0x7B: isDouble = true
                case 0x7D: isDouble = false
                case 0x7E: octets.append(byte)
                case Octet.lf: break
                default:
                    isExact = false
                    octets.append(byte)
                    index -= 1
                }
            } else if byte == Octet.lf {
                // A line ends the double-octet mode, whatever the sender forgot.
                isDouble = false
                octets.append(byte)
                index += 1
            } else if isDouble, byte > 0x20, next > 0x20 {
                octets += [byte | 0x80, next | 0x80]
                index += 2
            } else {
                octets.append(byte)
                index += 1
            }
        }
        return octets.withUnsafeBytes { Charset.gb18030.decode($0, into: &result) } && isExact
    }
}
