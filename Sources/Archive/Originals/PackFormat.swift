import Crypto
import MailModel

/// The layout of a pack: one file header, then records without gaps.
///
/// Each record's header holds the digest of its bytes and the SHA-256 of the header
/// before it, so that a record cannot be altered, dropped or moved unseen. Numbers
/// are little-endian.
enum PackFormat {
    static let fileHeaderBytes = 32
    static let recordHeaderBytes = 80

    private static let fileMagic = Array("MWPACK01".utf8)
    private static let recordMagic = Array("MWR1".utf8)

    /// What a new pack starts with: its number, and 16 random bytes that make its
    /// chain its own.
    static func fileHeader(number: Int64) -> [UInt8] {
        var header = fileMagic
        append(UInt64(bitPattern: number), to: &header)
        append(UInt64.random(in: .min ... .max), to: &header)
        append(UInt64.random(in: .min ... .max), to: &header)
        return header
    }

    static func isFileHeader(_ header: [UInt8], number: Int64) -> Bool {
        var expected = fileMagic
        append(UInt64(bitPattern: number), to: &expected)
        return header.count == fileHeaderBytes && header.starts(with: expected)
    }

    static func recordHeader(length: Int, digest: Digest256, chain: [UInt8]) -> [UInt8] {
        var header: [UInt8] = []
        header.reserveCapacity(recordHeaderBytes)
        header += recordMagic
        header += [0, 0, 0, 0]
        append(UInt64(length), to: &header)
        header += digest.bytes
        header += chain
        return header
    }

    struct Record {
        var length: Int
        var digest: Digest256
        var chain: [UInt8]
    }

    /// Nil when the bytes are not a record's header.
    static func record(_ header: [UInt8]) -> Record? {
        guard header.count == recordHeaderBytes, header.starts(with: recordMagic),
            header[4..<8].allSatisfy({ $0 == 0 })
        else { return nil }
        let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(header[8 + $1]) << UInt64(8 * $1) }
        guard length <= UInt64(1 << 40), let digest = Digest256(bytes: header[16..<48]) else { return nil }
        return Record(length: Int(length), digest: digest, chain: Array(header[48..<80]))
    }

    static func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
