import Crypto
import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// What the packs say by themselves, when there is no database to say more.
struct LonePackCheck {
    let directory: String

    /// - Throws: what keeps a pack from being opened and is no damage.
    func run(_ report: inout VerifyReport) throws(MailFailure) {
        let originals = directory + "/originals"
        let store = OriginalsStore(detached: originals)
        let packs: [Int64]
        do throws(MailFailure) {
            packs = try Self.packs(in: originals)
        } catch {
            if error.isNoDamage { throw error }
            return report.add(Self.finding("originals", error.revealed))
        }
        var next: Int64 = 1
        for pack in packs {
            // Packs are numbered without gaps.
            for missing in next..<max(next, pack) {
                report.add(Self.finding("pack \(missing)", "the file is missing"))
            }
            next = pack + 1
            do throws(MailFailure) {
                try Self.followChain(of: pack, in: store, &report)
            } catch {
                if error.isNoDamage { throw error }
                report.add(Self.finding("pack \(pack)", error.revealed))
            }
        }
    }

    /// Their numbers, in order.
    static func packs(in originals: String) throws(MailFailure) -> [Int64] {
        guard let directory = opendir(originals) else {
            throw StorageError.failure(errno: errno, path: originals)
        }
        defer { closedir(directory) }
        var packs: [Int64] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let match = name.wholeMatch(of: /pack-([0-9]{6,18})\.mwp/), let pack = Int64(match.1) {
                packs.append(pack)
            }
        }
        return packs.sorted()
    }

    private static func finding(_ place: String, _ text: String) -> Finding {
        Finding(subject: .pack, place: place, message: nil, text: text)
    }

    private static func followChain(
        of pack: Int64, in store: OriginalsStore, _ report: inout VerifyReport
    ) throws(MailFailure) {
        let file = try PackFile(reading: store.path(pack: pack))
        let size = try file.size()
        let first = try file.read(PackFormat.fileHeaderBytes, at: 0)
        if !PackFormat.isFileHeader(first, number: pack) {
            report.add(finding("pack \(pack)", "the file does not start as this pack must"))
        }
        var chain = PackFormat.sha256(first)
        var reached = Int64(PackFormat.fileHeaderBytes)
        do {
            try PackWalk.forEachRecord(of: file, end: size) { step, record in
                let bytes = try MessageBytes(count: record.length) { buffer in
                    try file.read(into: buffer, at: step.bytesOffset)
                }
                let digest = bytes.withUnsafeBytes { Digest256(bytes: SHA256.hash(data: $0)) }
                report.originals += 1
                report.originalBytes += Int64(record.length)
                if record.chain != chain || (digest != record.digest && !PackCheck.isZero(bytes)) {
                    report.add(
                        Finding(
                            subject: .original, place: "pack \(pack), offset \(step.offset)", message: nil,
                            text: "the record does not match its checksum or its place in the chain"))
                }
                chain = PackFormat.sha256(step.header)
                reached = step.bytesOffset + Int64(record.length)
            }
        } catch {
            throw StorageError.failure(error)
        }
        if reached != size {
            report.add(
                finding(
                    "pack \(pack), offset \(reached)",
                    "no record is here, so that the last \(size - reached) bytes of the file were not looked at: "
                        + "it is damaged, or they were left by an interrupted batch"))
        }
    }
}
