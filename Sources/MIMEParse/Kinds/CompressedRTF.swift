/// Compressed RTF (MS-OXRTFCP): the body that Outlook sends in a winmail.dat.
enum CompressedRTF {
    /// What the dictionary holds at the start (2.1.2.1).
    private static let initialDictionary = Array(
        ("{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss "
            + "\\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier"
            + "{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx").utf8)

    /// The RTF, or as much of it as stands there; at most `limit` octets. Nil when the header
    /// or the checksum says that this is something else.
    static func decompressed(_ bytes: UnsafeRawBufferPointer, limit: Int) -> [UInt8]? {
        var reader = LittleEndianReader(bytes, 0..<bytes.count)
        guard reader.uint32() != nil, let rawSize = reader.uint32(), let magic = reader.uint32(),
            let checksum = reader.uint32()
        else { return nil }
        let content = bytes.slice(reader.position..<bytes.count)
        let size = min(Int(rawSize), limit)
        switch magic {
        case 0x414C_454D: return Array(content.prefix(size))
        case 0x7546_5A4C:
            var actual = CRC32(initial: 0)
            actual.update(content)
            guard actual.raw == checksum else { return nil }
            return expanded(content, size: size)
        default: return nil
        }
    }

    private static func expanded(_ bytes: UnsafeRawBufferPointer, size: Int) -> [UInt8] {
        var dictionary = initialDictionary + [UInt8](repeating: 0x20, count: 4096 - initialDictionary.count)
        var place = initialDictionary.count
        var result: [UInt8] = []
        var index = 0
        func write(_ byte: UInt8) {
            result.append(byte)
            dictionary[place] = byte
            place = (place + 1) & 4095
        }
        while index < bytes.count, result.count < size {
            let control = bytes[index]
            index += 1
            for bit in 0..<8 where result.count < size {
                guard index < bytes.count else { return result }
                if control >> bit & 1 == 0 {
                    write(bytes[index])
                    index += 1
                    continue
                }
                guard index + 1 < bytes.count else { return result }
                let reference = Int(bytes[index]) << 8 | Int(bytes[index + 1])
                index += 2
                let offset = reference >> 4
                // A reference to the place being written ends the data.
                if offset == place { return result }
                for step in 0..<((reference & 15) + 2) { write(dictionary[(offset + step) & 4095]) }
            }
        }
        return result
    }
}
