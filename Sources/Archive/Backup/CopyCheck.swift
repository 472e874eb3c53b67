import Crypto
import MailModel

/// Reads a pack of a backup back: its chain, and every original that the backup's database speaks of against its
/// digest.
struct CopyCheck {
    /// What the database says about a record.
    struct Claim {
        var message: ArchivedMessageID
        var size: Int64
        var digest: Digest256
        /// Then its bytes may be gone.
        var isErased: Bool
    }

    /// A part of the file that is not as it must be.
    struct Damage {
        var range: Range<Int64>
        var claim: Claim?
        var text: String
    }

    let pack: OriginalsStore.PackEnd
    /// By the offsets of their records.
    let claims: [Int64: Claim]

    /// - Parameters:
    ///   - end: up to where the file belongs to the backup.
    ///   - start: where a known prefix of it ends, and the chain's hash there.
    func run(
        _ file: PackFile, upTo end: Int64, from start: (offset: Int64, chain: [UInt8])? = nil,
        progress: (Int64) -> Void = { _ in }
    ) -> [Damage] {
        var damages: [Damage] = []
        var offset = Int64(PackFormat.fileHeaderBytes)
        var headers: HeaderCheck
        if let start {
            offset = start.offset
            headers = HeaderCheck(chain: start.chain)
        } else {
            let first = (try? file.read(PackFormat.fileHeaderBytes, at: 0)) ?? []
            if !PackFormat.isFileHeader(first, number: pack.pack) {
                damages.append(Damage(range: 0..<offset, text: "the file does not start as this pack must"))
            }
            headers = HeaderCheck(chain: PackFormat.sha256(first))
        }
        let known = claims.keys.filter { $0 >= offset }.sorted()
        var index = 0
        while offset + Int64(PackFormat.recordHeaderBytes) <= end {
            while index < known.count, known[index] <= offset { index += 1 }
            let claim = claims[offset]
            let header = (try? file.read(PackFormat.recordHeaderBytes, at: offset)) ?? []
            let bytesOffset = offset + Int64(PackFormat.recordHeaderBytes)
            let room = min(index < known.count ? known[index] : end, end) - bytesOffset
            let verdict = headers.judge(header, claim.map { ($0.size, $0.digest) }, room: room)
            let range = offset..<bytesOffset + verdict.length
            if !verdict.follows {
                damages.append(Damage(range: range, claim: claim, text: "the record's header is damaged"))
            } else if let claim {
                if verdict.agrees == false {
                    damages.append(
                        Damage(
                            range: range, claim: claim, text: "the record is not what the database says it is"
                        ))
                } else if !Self.holds(file, claim, at: bytesOffset) {
                    damages.append(
                        Damage(range: range, claim: claim, text: "the bytes do not match their checksum"))
                }
            }
            progress(range.upperBound - offset)
            offset = range.upperBound
        }
        for place in known where place >= offset {
            damages.append(
                Damage(
                    range: place..<place + Int64(PackFormat.recordHeaderBytes) + (claims[place]?.size ?? 0),
                    claim: claims[place], text: "the original was not found where it must be"))
        }
        if damages.isEmpty, offset != end || end == pack.end && !headers.ends(with: pack.chain) {
            damages.append(
                Damage(range: offset..<max(offset, end), text: "it does not end as the database says it does")
            )
        }
        return damages
    }

    /// Whether another file has the record whole at this place.
    func isWhole(_ file: PackFile, _ damage: Damage) -> Bool {
        guard let claim = damage.claim else { return false }
        let offset = damage.range.lowerBound
        guard
            let record = (try? file.read(PackFormat.recordHeaderBytes, at: offset)).flatMap(PackFormat.record)
        else { return false }
        return record.digest == claim.digest && Int64(record.length) == claim.size
            && Self.holds(file, claim, at: offset + Int64(PackFormat.recordHeaderBytes))
    }

    private static func holds(_ file: PackFile, _ claim: Claim, at offset: Int64) -> Bool {
        var hash = SHA256()
        var isZero = true
        do {
            try file.forEachPart(from: offset, to: offset + claim.size) { bytes, _ in
                hash.update(bufferPointer: bytes)
                isZero = isZero && bytes.allSatisfy { $0 == 0 }
            }
        } catch {
            return false
        }
        return hash.finalize().elementsEqual(claim.digest.bytes) || claim.isErased && isZero
    }
}
