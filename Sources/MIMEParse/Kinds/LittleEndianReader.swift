/// Reads little-endian numbers and counted octets one behind the other; nil, and nothing
/// consumed, where there are too few.
struct LittleEndianReader {
    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    let end: Int

    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = min(range.upperBound, bytes.count)
    }

    var left: Int { max(0, end - position) }

    mutating func take(_ count: Int) -> Range<Int>? {
        guard count >= 0, count <= left else { return nil }
        defer { position += count }
        return position..<(position + count)
    }

    /// `count` octets and the padding to a multiple of four, which may be missing at the end.
    mutating func takePadded(_ count: Int) -> Range<Int>? {
        guard let range = take(count) else { return nil }
        position = min(end, position + (4 - count % 4) % 4)
        return range
    }

    mutating func uint8() -> UInt8? { take(1).map { bytes[$0.lowerBound] } }

    mutating func uint16() -> UInt16? {
        take(2).map {
            UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: $0.lowerBound, as: UInt16.self))
        }
    }

    mutating func uint32() -> UInt32? {
        take(4).map {
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0.lowerBound, as: UInt32.self))
        }
    }
}
