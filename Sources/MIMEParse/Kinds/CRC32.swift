/// CRC-32 (ISO 3309), which yEnc and compressed RTF use to prove their content.
struct CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
        }
    }

    private var state: UInt32

    /// `initial` is all ones by the standard; compressed RTF begins with zero and does
    /// not invert the result (MS-OXRTFCP, 2.1.3.1.3).
    init(initial: UInt32 = .max) { state = initial }

    mutating func update(_ bytes: some Sequence<UInt8>) {
        Self.table.withUnsafeBufferPointer { table in
            for byte in bytes { state = table[Int((state ^ UInt32(byte)) & 0xFF)] ^ state >> 8 }
        }
    }

    var raw: UInt32 { state }
    var value: UInt32 { ~state }
}
