import Crypto
import MailModel

extension PackFile {
    /// Copies the bytes from `start` to `end` to the same places of another file.
    func copy(
        from start: Int64, to end: Int64, into target: PackFile, progress: (Int64) -> Void = { _ in }
    ) throws {
        try forEachPart(from: start, to: end) { bytes, offset in
            try target.write(bytes, at: offset)
            progress(Int64(bytes.count))
        }
    }

    /// SHA-256 of the whole file.
    func digest() throws -> Digest256 {
        var hash = SHA256()
        try forEachPart(from: 0, to: size()) { bytes, _ in hash.update(bufferPointer: bytes) }
        // A SHA-256 has 32 bytes.
        return Digest256(bytes: hash.finalize())!
    }

    func forEachPart(
        from start: Int64, to end: Int64, _ body: (UnsafeRawBufferPointer, Int64) throws -> Void
    ) throws {
        var buffer = [UInt8](repeating: 0, count: Int(min(max(end - start, 0), 4 << 20)))
        var offset = start
        while offset < end {
            let count = Int(min(Int64(buffer.count), end - offset))
            try buffer.withUnsafeMutableBytes { whole in
                let part = UnsafeMutableRawBufferPointer(rebasing: whole[..<count])
                try read(into: part, at: offset)
                try body(UnsafeRawBufferPointer(part), offset)
            }
            offset += Int64(count)
        }
    }
}
