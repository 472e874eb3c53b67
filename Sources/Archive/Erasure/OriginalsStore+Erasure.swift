import Crypto
import GRDB
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
    func overwrite(_ known: [Digest256: Placement], in packs: [Int64], end: Committed? = nil) throws {
        for pack in packs {
            let isConcerned = known.values.contains { $0.pack == pack }
            // A missing pack that has none of them keeps nobody from being forgotten.
            if !isConcerned, access(path(pack: pack), F_OK) != 0 { continue }
            let file = try PackFile(overwriting: path(pack: pack))
            var left = known
            var touched = false
            try PackWalk.forEachLinkedRecord(of: file, end: file.size()) { step, record in
                guard let place = known[record.digest], place.size == Int64(record.length) else { return }
                try file.zero(from: step.bytesOffset, to: step.bytesOffset + place.size)
                touched = true
                if place.pack == pack, place.offset == step.offset { left[record.digest] = nil }
            }
            if touched { try file.synchronize() }
            // A damaged header ends the walk; behind it only the database knows the places.
            try overwrite(left, at: pack, end: end)
        }
    }

    /// The same for the places in one pack that are known, without looking for further ones. One that fails keeps no other
    /// from being overwritten.
    ///
    /// - Parameter end: where the pack ends, as the database says.
    func overwrite(_ known: [Digest256: Placement], at pack: Int64, end: Committed? = nil) throws {
        let here = known.filter { $0.value.pack == pack }
        guard !here.isEmpty else { return }
        let file = try PackFile(overwriting: path(pack: pack))
        var failure: (any Error)?
        for (digest, placement) in here.sorted(by: { $0.value.offset < $1.value.offset }) {
            let start = placement.offset + Int64(PackFormat.recordHeaderBytes)
            do {
                guard try Self.holds(file, placement, digest, end) else { throw Self.damaged(placement) }
                try file.zero(from: start, to: start + placement.size)
            } catch {
                failure = failure ?? error
            }
        }
        try file.synchronize()
        if let failure { throw failure }
    }

    /// Whether a place is that of an original. Neither the header of its record nor the row is believed alone: with one
    /// bit of a length flipped, the zeros would reach into other people's mail.
    private static func holds(
        _ file: PackFile, _ placement: Placement, _ digest: Digest256, _ packEnd: Committed?
    ) throws -> Bool {
        let header = try file.read(PackFormat.recordHeaderBytes, at: placement.offset)
        if let record = PackFormat.record(header), record.digest == digest,
            Int64(record.length) == placement.size
        {
            return true
        }
        let start = placement.offset + Int64(PackFormat.recordHeaderBytes)
        let end = start + placement.size
        guard try end <= file.size() else { return false }
        var hash = SHA256()
        var isZero = true
        for part in stride(from: start, to: end, by: 1 << 20) {
            let bytes = try file.read(Int(min(1 << 20, end - part)), at: part)
            hash.update(data: bytes)
            isZero = isZero && bytes.allSatisfy { $0 == 0 }
        }
        // Zeros: it was overwritten before its header was damaged.
        if isZero || Array(hash.finalize()) == Array(digest.bytes) { return true }
        // Header and bytes are damaged both. What comes behind names the header that stood here.
        let written = PackFormat.recordHeader(
            length: Int(placement.size), digest: digest, chain: Array(header[48...]))
        let chain = PackFormat.sha256(written)
        if let packEnd, packEnd.end == end { return packEnd.chain == chain }
        guard try end + Int64(PackFormat.recordHeaderBytes) <= file.size() else { return false }
        return PackFormat.record(try file.read(PackFormat.recordHeaderBytes, at: end))?.chain == chain
    }

    /// Takes out of a pack what no row speaks of, and with it what it might hold of anybody: cuts off what lies behind its
    /// committed end, and overwrites records without a row. Called on the writer's connection, outside a transaction.
    ///
    /// A record of which the bytes are an original that lives elsewhere stays until that one is erased; and nothing is
    /// touched beside a place of which pack and database say different things. So a damaged database, which speaks of too
    /// few places or of wrong ones, costs no original.
    ///
    /// - Returns: false, and nothing was done, when a process writes the pack: it may be about to speak of what no row
    ///   does yet, and clears up behind itself. Also when the file is missing.
    func clear(_ pack: Int64, of erased: [Digest256: Placement], _ db: Database) throws -> Bool {
        guard let file = try PackFile(appendingTo: path(pack: pack)) else { return false }
        guard let row = try committed(pack, db) else { return false }
        if try file.size() > row.end {
            if !row.isSealed { try seal(pack, db) }
            try cut(file, of: pack, at: row.end, db)
        }
        let isAlive = try PreparedStatement(
            db, "SELECT 1 FROM originals WHERE sha256 = ? AND erasure IS NULL")
        var touched = false
        let end = min(row.end, try file.size())
        for gap in try unclaimed(pack, to: end, db) {
            let neighbours = [gap.before, gap.after].compactMap { $0 }
            guard try neighbours.allSatisfy({ try $0.isIn(file, to: end) }) else { continue }
            let gap = gap.range
            var offset = gap.lowerBound
            while offset < gap.upperBound {
                let start = offset + Int64(PackFormat.recordHeaderBytes)
                let record =
                    start <= gap.upperBound
                    ? PackFormat.record(try file.read(PackFormat.recordHeaderBytes, at: offset)) : nil
                guard let record, start + Int64(record.length) <= gap.upperBound else {
                    // A damaged header, which does not tell what follows it.
                    try file.zero(from: offset, to: gap.upperBound)
                    touched = true
                    break
                }
                offset = start + Int64(record.length)
                try isAlive.bind(1, record.digest.bytes)
                if try erased[record.digest] == nil && isAlive.first({ _ in true }) != nil { continue }
                try file.zero(from: start, to: offset)
                touched = true
            }
        }
        if touched { try file.synchronize() }
        return true
    }

    /// An original as the database speaks of it.
    private struct Claim {
        var offset: Int64
        var size: Int64

        func isIn(_ file: PackFile, to end: Int64) throws -> Bool {
            guard offset + Int64(PackFormat.recordHeaderBytes) <= end else { return false }
            let record = PackFormat.record(try file.read(PackFormat.recordHeaderBytes, at: offset))
            return record.map { Int64($0.length) == size } ?? false
        }
    }

    /// A part of a pack in which no original lies, and the originals around it.
    private struct Gap {
        var range: Range<Int64>
        var before: Claim?
        var after: Claim?
    }

    private func unclaimed(_ pack: Int64, to end: Int64, _ db: Database) throws -> [Gap] {
        let claims = try PreparedStatement(
            db, "SELECT offset, size FROM originals WHERE pack = ? ORDER BY offset")
        claims.bind(1, pack)
        var gaps: [Gap] = []
        var before: Claim?
        var next = Int64(PackFormat.fileHeaderBytes)
        try claims.forEachRow { row in
            let claim = Claim(offset: row.int64(0), size: row.int64(1))
            if claim.offset > next, end > next {
                gaps.append(Gap(range: next..<min(claim.offset, end), before: before, after: claim))
            }
            before = claim
            next = max(next, claim.offset + Int64(PackFormat.recordHeaderBytes) + claim.size)
        }
        if end > next { gaps.append(Gap(range: next..<end, before: before, after: nil)) }
        return gaps
    }
}
