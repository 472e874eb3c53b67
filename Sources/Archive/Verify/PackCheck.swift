import Crypto
import Dispatch
import GRDB
import MailModel
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Checks one pack: the chain of its headers, every original against its digest, and, where a
/// reader is given, what is stored about each message against its original.
struct PackCheck {
    let archive: Archive
    let pack: OriginalsStore.PackEnd
    let reread: (@Sendable ([MessageBytes]) throws(MailFailure) -> [Content?])?
    let progress: @Sendable (Int64) -> Void

    private struct Claim {
        var original: Int64
        var message: ArchivedMessageID
        var size: Int64
        var digest: Digest256
        /// Nil unless it was erased.
        var erasure: String?
    }

    /// A record whose bytes are to be looked at.
    private struct Slot {
        var offset: Int64
        var length: Int64
        var digest: Digest256
        var claim: Claim?
    }

    /// - Throws: what kept the reader or the pack from being read, and is no damage; that is in the report.
    func run(_ report: inout VerifyReport) throws(MailFailure) {
        // At most some hundred bytes for each original of one pack; a pack has a size limit.
        var claims: [Int64: Claim] = [:]
        var unreadable: MailFailure?
        do {
            claims = try claimedPlaces()
        } catch {
            report.add(try Archive.unreadable("the originals of pack \(pack.pack)", error))
        }
        do throws(MailFailure) {
            let file = try PackFile(reading: archive.originals.path(pack: pack.pack))
            let slots = try followHeaders(of: file, &claims, &report)
            report.trailingBytes += (try? trailingBytes(file)) ?? 0
            unreadable = examine(slots, of: file, &report)
        } catch {
            if error.isNoDamage { throw error }
            report.add(
                Finding(
                    subject: .pack, place: "pack \(pack.pack)", message: nil, text: error.revealed))
        }
        if let unreadable { throw unreadable }
        for (offset, claim) in claims.sorted(by: { $0.key < $1.key }) {
            report.add(
                finding(offset, claim.message, "the original was not found where it must be"))
        }
    }

    /// Of a pack that is written, what lies behind its end may be somebody's in a moment.
    private func trailingBytes(_ file: PackFile) throws -> Int64 {
        let size = try file.size()
        guard size > pack.end, !PackFile.isWritten(archive.originals.path(pack: pack.pack)) else { return 0 }
        // As it is now: more may have been committed since.
        let end = try archive.read { db in try archive.originals.committed(pack.pack, db)?.end }
        return max(0, size - (end ?? size))
    }

    /// Whether an original was erased since the verification has read its place.
    private func wasErased(_ claim: Claim) -> Bool {
        let isErased = try? archive.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT erasure IS NOT NULL FROM originals WHERE id = ?", arguments: [claim.original]
            )
        }
        return isErased == true
    }

    private func claimedPlaces() throws -> [Int64: Claim] {
        try archive.read { db in
            let query = try PreparedStatement(
                db,
                """
                SELECT offset, id, message, size, sha256, erasure FROM originals
                WHERE pack = ? AND offset < ?
                """)
            query.bind(1, pack.pack)
            // What was appended since is looked at by the next verification.
            query.bind(2, pack.end)
            var claims: [Int64: Claim] = [:]
            try query.forEachRow { row in
                guard let digest = Digest256(bytes: row.bytes(4)) else { return }
                claims[row.int64(0)] = Claim(
                    original: row.int64(1), message: ArchivedMessageID(rawValue: row.int64(2)),
                    size: row.int64(3), digest: digest, erasure: row.optionalText(5))
            }
            return claims
        }
    }

    private func finding(_ offset: Int64, _ message: ArchivedMessageID?, _ text: String) -> Finding {
        Finding(
            subject: .original, place: "pack \(pack.pack), offset \(offset)", message: message, text: text)
    }

    // MARK: - Headers

    /// Walks along the chain and takes each record's claim. Behind a broken header only the
    /// database knows where the next record is.
    private func followHeaders(
        of file: PackFile, _ claims: inout [Int64: Claim], _ report: inout VerifyReport
    ) throws(MailFailure) -> [Slot] {
        let first = try file.read(PackFormat.fileHeaderBytes, at: 0)
        if !PackFormat.isFileHeader(first, number: pack.pack) {
            report.add(
                Finding(
                    subject: .pack, place: "pack \(pack.pack)", message: nil,
                    text: "the file does not start as this pack must"))
        }
        let known = claims.keys.sorted()
        var nextKnown = 0
        var slots: [Slot] = []
        slots.reserveCapacity(claims.count)
        var headers = HeaderCheck(chain: PackFormat.sha256(first))
        var walk = PackWalk(file, end: pack.end)
        while let step = try walk.step() {
            while nextKnown < known.count, known[nextKnown] <= step.offset { nextKnown += 1 }
            let next = nextKnown < known.count ? known[nextKnown] : pack.end
            let claim = claims.removeValue(forKey: step.offset)
            let verdict = headers.judge(
                step.header, claim.map { ($0.size, $0.digest) }, room: next - step.bytesOffset)
            if !verdict.follows {
                report.add(finding(step.offset, claim?.message, "the record's header is damaged"))
            } else if verdict.agrees == false {
                report.add(
                    finding(step.offset, claim?.message, "the record is not what the database says it is"))
            }
            if claim == nil, verdict.follows { report.unclaimedRecords += 1 }
            if let digest = verdict.digest, verdict.length >= 0 {
                slots.append(
                    Slot(offset: step.offset, length: verdict.length, digest: digest, claim: claim))
            }
            walk.skip(verdict.length)
        }
        if walk.offset != pack.end || !headers.ends(with: pack.chain) {
            report.add(
                Finding(
                    subject: .pack, place: "pack \(pack.pack)", message: nil,
                    text: "the pack does not end as the database says"))
        }
        return slots
    }

    // MARK: - Bytes

    /// Side by side on all cores, in portions that each know their place in the report.
    /// - Returns: what kept the reader from reading anything.
    private func examine(
        _ slots: [Slot], of file: PackFile, _ report: inout VerifyReport
    ) -> MailFailure? {
        let portions = Self.portions(slots)
        let tallies = Mutex<[Int: VerifyReport]>([:])
        let done = Mutex(Int64(0))
        let failure = Mutex<MailFailure?>(nil)
        DispatchQueue.concurrentPerform(iterations: portions.count) { index in
            guard failure.withLock({ $0 == nil }) else { return }
            do throws(MailFailure) {
                let portion = try examine(slots[portions[index]], of: file)
                tallies.withLock { $0[index] = portion }
            } catch {
                return failure.withLock { $0 = $0 ?? error }
            }
            let bytes = slots[portions[index]].reduce(Int64(0)) { $0 + $1.length }
            done.withLock { done in
                done += bytes
                progress(done)
            }
        }
        for (_, portion) in tallies.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            report.merge(portion)
        }
        return failure.withLock { $0 }
    }

    private static func portions(_ slots: [Slot]) -> [Range<Int>] {
        var portions: [Range<Int>] = []
        var start = 0
        var bytes: Int64 = 0
        for (index, slot) in slots.enumerated() {
            bytes += slot.length
            if bytes >= 4 << 20 || index - start >= 500 || index == slots.count - 1 {
                portions.append(start..<(index + 1))
                start = index + 1
                bytes = 0
            }
        }
        return portions
    }

    private func examine(
        _ slots: ArraySlice<Slot>, of file: PackFile
    ) throws(MailFailure) -> VerifyReport {
        var report = VerifyReport()
        var intact: [(claim: Claim, offset: Int64, bytes: MessageBytes)] = []
        for slot in slots {
            do throws(MailFailure) {
                let bytes = try read(slot, of: file)
                if slot.claim?.erasure != nil {
                    examineErased(slot, bytes, &report)
                    continue
                }
                let digest = bytes.withUnsafeBytes { Digest256(bytes: SHA256.hash(data: $0)) }
                let isIntact = digest == slot.digest
                if !isIntact, Self.isZero(bytes), let claim = slot.claim, wasErased(claim) {
                    report.erasedOriginals += 1
                    continue
                }
                // A record without a row is overwritten by any erasure.
                if !isIntact, !(slot.claim == nil && Self.isZero(bytes)) {
                    report.add(
                        finding(slot.offset, slot.claim?.message, "the original does not match its checksum"))
                }
                guard let claim = slot.claim else { continue }
                report.originals += 1
                report.originalBytes += slot.length
                if isIntact, reread != nil { intact.append((claim, slot.offset, bytes)) }
            } catch {
                if error.isNoDamage { throw error }
                report.add(finding(slot.offset, slot.claim?.message, error.revealed))
            }
        }
        if let reread, !intact.isEmpty {
            let contents = try reread(intact.map(\.bytes))
            try compare(zip(intact, contents).map { ($0.claim, $0.offset, $1) }, &report)
        }
        return report
    }

    private func read(_ slot: Slot, of file: PackFile) throws(MailFailure) -> MessageBytes {
        do {
            return try MessageBytes(count: Int(slot.length)) { buffer in
                try file.read(into: buffer, at: slot.offset + Int64(PackFormat.recordHeaderBytes))
            }
        } catch {
            throw StorageError.failure(error)
        }
    }

    private func examineErased(_ slot: Slot, _ bytes: MessageBytes, _ report: inout VerifyReport) {
        report.erasedOriginals += 1
        guard !Self.isZero(bytes) else { return }
        report.add(
            finding(
                slot.offset, slot.claim?.message,
                slot.claim?.erasure == "due"
                    ? "its erasure was interrupted; any mailworker command ends it"
                    : "it was erased, and its bytes are here"))
    }

    static func isZero(_ bytes: MessageBytes) -> Bool {
        bytes.withUnsafeBytes { $0.allSatisfy { $0 == 0 } }
    }

    /// Each message by itself, so that a damaged page costs those that lie on it.
    private func compare(
        _ contents: [(claim: Claim, offset: Int64, content: Content?)], _ report: inout VerifyReport
    ) throws(MailFailure) {
        var found: [Finding] = []
        var count = 0
        do {
            try archive.read { db in
                let facts = try MessageFacts(db)
                for (claim, offset, content) in contents {
                    do {
                        let differences = try facts.differences(
                            of: claim.message, original: claim.original, from: content)
                        guard let differences else { continue }
                        count += 1
                        guard !differences.isEmpty else { continue }
                        found.append(
                            Finding(
                                subject: .message, place: "message \(claim.message)",
                                message: claim.message,
                                text: MessageFacts.differs + differences.joined(separator: ", ")))
                    } catch {
                        if StorageError.failure(error).isNoDamage { throw error }
                        found.append(
                            finding(offset, claim.message, "what is stored about it cannot be read"))
                    }
                }
            }
        } catch {
            found.append(try Archive.unreadable("messages of pack \(pack.pack)", error))
        }
        report.rereadMessages += count
        for finding in found { report.add(finding) }
    }
}
