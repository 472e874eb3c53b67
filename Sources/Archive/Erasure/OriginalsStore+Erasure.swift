import MailModel

#if canImport(Glibc)
    import Glibc
#endif

extension OriginalsStore {
    /// Overwrites the bytes of originals with zeros, wherever they lie in these packs: at the
    /// places that are known, and in records of interrupted batches that nobody speaks of.
    ///
    /// A record keeps its length and its header, and with them the chain of its pack. Returns
    /// when the zeros are on the disk; doing it again changes nothing.
    ///
    /// - Throws: `archive.original-damaged` when a known place holds something else.
    func overwrite(_ known: [Digest256: Placement], in packs: [Int64]) throws {
        var left = known
        for pack in packs {
            let isConcerned = known.values.contains { $0.pack == pack }
            // A missing pack that has none of them keeps nobody from being forgotten.
            if !isConcerned, access(path(pack: pack), F_OK) != 0 { continue }
            let file = try PackFile(overwriting: path(pack: pack))
            var touched = false
            try PackWalk.forEachRecord(of: file, end: file.size()) { step, record in
                guard known[record.digest] != nil else { return }
                try Self.zero(file, at: step.bytesOffset, count: Int64(record.length))
                touched = true
                if known[record.digest]?.pack == pack { left[record.digest] = nil }
            }
            // A damaged header ends the walk; behind it only the database knows the places.
            for (digest, placement) in left where placement.pack == pack {
                let header = try file.read(PackFormat.recordHeaderBytes, at: placement.offset)
                guard let record = PackFormat.record(header), record.digest == digest,
                    Int64(record.length) == placement.size
                else { throw Self.damaged(placement) }
                try Self.zero(
                    file, at: placement.offset + Int64(PackFormat.recordHeaderBytes), count: placement.size)
                touched = true
            }
            if touched { try file.synchronize() }
        }
    }

    private static func zero(_ file: PackFile, at offset: Int64, count: Int64) throws {
        let zeros = [UInt8](repeating: 0, count: Int(min(count, 1 << 20)))
        var done: Int64 = 0
        while done < count {
            let part = min(Int64(zeros.count), count - done)
            try zeros.withUnsafeBytes {
                try file.write(UnsafeRawBufferPointer(rebasing: $0[..<Int(part)]), at: offset + done)
            }
            done += part
        }
    }
}
