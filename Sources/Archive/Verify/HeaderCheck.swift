import MailModel

/// Judges the headers of a pack's records one after the other, by the chain and by what the database says: where one is
/// damaged, the next one is judged by what must have stood there.
struct HeaderCheck {
    struct Verdict {
        /// Whether it names the header before it, and does not reach beyond the next record.
        var follows: Bool
        /// Whether the database says the same; nil where it speaks of no record.
        var agrees: Bool?
        /// Of the original; below zero where the next record begins within this one's header.
        var length: Int64
        /// What the original must have; nil where nobody says it.
        var digest: Digest256?
    }

    /// The hashes that the next header may name as its predecessor's; nil where anything may have stood.
    private var chains: [[UInt8]]?

    init(chain: [UInt8]) { chains = [chain] }

    /// Whether the headers judged so far end a pack with this hash.
    func ends(with chain: [UInt8]) -> Bool { chains?.contains(chain) ?? false }

    /// - Parameters:
    ///   - header: as it stands in the file.
    ///   - claim: what the database says of this place.
    ///   - room: the bytes between the header and the next place that the database speaks of.
    mutating func judge(
        _ header: [UInt8], _ claim: (size: Int64, digest: Digest256)?, room: Int64
    ) -> Verdict {
        let record = PackFormat.record(header)
        let agrees = claim.map { Int64(record?.length ?? -1) == $0.size && record?.digest == $0.digest }
        let isLinked = record.map { chains?.contains($0.chain) ?? agrees ?? true } ?? false
        let own = record.map { Int64($0.length) }.flatMap { isLinked && $0 <= room ? $0 : nil }
        let before = record.flatMap { isLinked ? $0.chain : nil } ?? chains?.last
        follow(header, claim, before, isIntact: own != nil && agrees != false)
        guard let record, let own, agrees != false || own == room && own != claim?.size else {
            // Whatever a damaged number says, a record ends where the next one begins.
            return Verdict(
                follows: own != nil, agrees: agrees, length: min(claim?.size ?? room, room),
                digest: claim?.digest)
        }
        return Verdict(follows: true, agrees: agrees, length: own, digest: record.digest)
    }

    private mutating func follow(
        _ header: [UInt8], _ claim: (size: Int64, digest: Digest256)?, _ before: [UInt8]?, isIntact: Bool
    ) {
        if isIntact {
            chains = [PackFormat.sha256(header)]
        } else if let claim {
            let written = before.map {
                PackFormat.recordHeader(length: Int(claim.size), digest: claim.digest, chain: $0)
            }
            // It is the database that may be wrong.
            chains = [header, written ?? header].map(PackFormat.sha256)
        } else {
            chains = nil
        }
    }
}
