import Crypto
import MailModel

extension PackFile {
    /// Copies the bytes from `start` to `end` to the same places of another file. Where the disk cannot read some, zeros
    /// stand in the copy: one bad sector costs what lies there, which the check of the copy then names.
    func copy(
        from start: Int64, to end: Int64, into target: PackFile, progress: (Int64) -> Void = { _ in }
    ) throws {
        try forEachPart(from: start, to: end, salvaging: true) { bytes, offset in
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

    /// - Parameter isSalvaging: whether what cannot be read is zeros; otherwise it is thrown.
    func forEachPart(
        from start: Int64, to end: Int64, salvaging isSalvaging: Bool = false,
        _ body: (UnsafeRawBufferPointer, Int64) throws -> Void
    ) throws {
        var buffer = [UInt8](repeating: 0, count: Int(min(max(end - start, 0), 4 << 20)))
        var offset = start
        while offset < end {
            let count = Int(min(Int64(buffer.count), end - offset))
            try buffer.withUnsafeMutableBytes { whole in
                let part = UnsafeMutableRawBufferPointer(rebasing: whole[..<count])
                if isSalvaging {
                    try salvage(into: part, at: offset)
                } else {
                    try read(into: part, at: offset)
                }
                try body(UnsafeRawBufferPointer(part), offset)
            }
            offset += Int64(count)
        }
    }

    /// As much as a disk reads or does not read.
    private static let sectorBytes = 4096

    private func salvage(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        do throws(MailFailure) {
            return try read(into: buffer, at: offset)
        } catch {
            guard error.code == .archiveInputOutput else { throw error }
        }
        for start in stride(from: 0, to: buffer.count, by: Self.sectorBytes) {
            let sector = UnsafeMutableRawBufferPointer(
                rebasing: buffer[start..<min(start + Self.sectorBytes, buffer.count)])
            do throws(MailFailure) {
                try read(into: sector, at: offset + Int64(start))
            } catch {
                guard error.code == .archiveInputOutput else { throw error }
                sector.initializeMemory(as: UInt8.self, repeating: 0)
            }
        }
    }
}
