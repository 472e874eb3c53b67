import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Brings the packs of a backup up to those of the archive.
///
/// What an earlier backup has is kept where it is the beginning of the same pack, and mended from the archive where it
/// is damaged. A pack that has become another one, as after a restore, is copied under another name, so
/// that the earlier backup stays whole until the manifest names the new one. What is damaged in the archive is taken
/// from the earlier backup where that has it whole, and named otherwise.
struct PackCopying {
    let originals: OriginalsStore
    let snapshot: DatabaseSnapshotFile
    /// Which ones, and up to where.
    let packs: [OriginalsStore.PackEnd]
    /// The backup's folder of packs.
    let folder: String
    let earlier: BackupManifest?
    /// Whether what the earlier backup has is read back too.
    let readsBack: Bool

    struct Outcome {
        var packs: [BackupManifest.Pack] = []
        var copiedBytes: Int64 = 0
        var mendedRecords = 0
        var findings: [Finding] = []
    }

    func run(progress: (Int64, Int64) -> Void) throws -> Outcome {
        var outcome = Outcome()
        // Each byte is copied, and read back.
        let total = packs.reduce(Int64(0)) { $0 + 2 * $1.end }
        var done: Int64 = 0
        for pack in packs {
            let base = done
            done += 2 * pack.end
            var within: Int64 = 0
            let copied = try bring(pack, &outcome) {
                within = min(within + $0, 2 * pack.end)
                progress(base + within, total)
            }
            if let copied { outcome.packs.append(copied) }
        }
        try PackFile.synchronizeDirectory(folder)
        return outcome
    }

    /// What an earlier backup has of a pack.
    private struct Kept {
        var entry: BackupManifest.Pack
        var name: String
        var file: PackFile
    }

    /// - Returns: nil when neither the archive nor the earlier backup has the pack.
    private func bring(
        _ pack: OriginalsStore.PackEnd, _ outcome: inout Outcome, progress: (Int64) -> Void
    ) throws -> BackupManifest.Pack? {
        let check = CopyCheck(pack: pack, claims: try snapshot.claims(in: pack))
        let kept = kept(pack)
        let source: PackFile
        do throws(MailFailure) {
            source = try PackFile(reading: originals.path(pack: pack.pack))
        } catch {
            guard error.code == .archiveMissing else { throw error }
            outcome.findings.append(
                Finding(subject: .pack, place: "pack \(pack.pack)", message: nil, text: "its file is missing")
            )
            guard let kept, isSame(kept, nil, check) else { return nil }
            add(check.run(kept.file, upTo: kept.entry.bytes), of: pack, to: &outcome)
            return kept.entry
        }
        let end = min(pack.end, try source.size())
        let same = kept.flatMap { isSame($0, source, check) ? $0 : nil }
        let name = same?.name ?? unusedName(pack.pack, besides: kept?.name)
        let start = same?.entry.bytes ?? 0
        let copy = try same?.file ?? create(name)
        if start < end {
            try source.copy(from: start, to: end, into: copy, progress: progress)
            outcome.copiedBytes += end - start
            try copy.synchronize()
        }
        let upTo = max(start, end)
        var from: (offset: Int64, chain: [UInt8])?
        if !readsBack, let entry = same?.entry, let chain = Digest256(hex: entry.chain) {
            from = (entry.bytes, chain.bytes)
        }
        var damages = check.run(copy, upTo: upTo, from: from, progress: progress)
        if !damages.isEmpty {
            let other = same == nil ? kept?.file : source
            let mended = try mend(damages, in: copy, from: other, isSame: same != nil, check)
            if mended > 0 { damages = check.run(copy, upTo: upTo, from: from) }
            if same != nil { outcome.mendedRecords += mended }
        }
        add(damages, of: pack, to: &outcome)
        let chain = upTo == pack.end ? pack.chain : try PackWalk.chain(of: copy, at: upTo) ?? []
        return BackupManifest.Pack(
            pack: pack.pack, bytes: upTo, chain: Digest256(bytes: chain)?.hex ?? "",
            file: name == originals.fileName(pack: pack.pack) ? nil : name)
    }

    private func kept(_ pack: OriginalsStore.PackEnd) -> Kept? {
        guard let entry = earlier?.packs.first(where: { $0.pack == pack.pack }), entry.bytes <= pack.end
        else { return nil }
        let name = entry.file ?? originals.fileName(pack: pack.pack)
        guard let file = try? PackFile(overwriting: "\(folder)/\(name)"), let size = try? file.size(),
            size >= entry.bytes
        else { return nil }
        return Kept(entry: entry, name: name, file: file)
    }

    /// Whether it is the beginning of this pack: by the chain, or, where a damaged header of the archive's pack
    /// breaks that, because it has all that the database speaks of.
    private func isSame(_ kept: Kept, _ source: PackFile?, _ check: CopyCheck) -> Bool {
        if let source, let chain = try? PackWalk.chain(of: source, at: kept.entry.bytes),
            Digest256(bytes: chain)?.hex == kept.entry.chain
        {
            return true
        }
        let beginning = CopyCheck(pack: check.pack, claims: check.claims.filter { $0.key < kept.entry.bytes })
        return beginning.run(kept.file, upTo: kept.entry.bytes).isEmpty
    }

    private func unusedName(_ pack: Int64, besides other: String?) -> String {
        let usual = originals.fileName(pack: pack)
        return other == usual ? usual + ".2" : usual
    }

    private func create(_ name: String) throws -> PackFile {
        let path = "\(folder)/\(name)"
        // What an interrupted backup has left.
        PackFile.remove(path)
        guard let file = try PackFile(creating: path, header: []) else {
            throw StorageError.failure(errno: EEXIST, path: path)
        }
        return file
    }

    /// - Parameter isSame: whether the other file is the same pack, so that its headers belong here too.
    /// - Returns: how many parts were taken from the other file.
    private func mend(
        _ damages: [CopyCheck.Damage], in copy: PackFile, from other: PackFile?, isSame: Bool,
        _ check: CopyCheck
    ) throws -> Int {
        guard let other else { return 0 }
        var mended = 0
        let size = try other.size()
        for damage in damages where damage.range.upperBound <= size {
            guard damage.claim == nil ? isSame : check.isWhole(other, damage) else { continue }
            let header = isSame ? 0 : Int64(PackFormat.recordHeaderBytes)
            try other.copy(from: damage.range.lowerBound + header, to: damage.range.upperBound, into: copy)
            mended += 1
        }
        if mended > 0 { try copy.synchronize() }
        return mended
    }

    private func add(
        _ damages: [CopyCheck.Damage], of pack: OriginalsStore.PackEnd, to outcome: inout Outcome
    ) {
        outcome.findings += damages.map {
            Finding(
                subject: .original, place: "pack \(pack.pack), offset \($0.range.lowerBound)",
                message: $0.claim?.message, text: $0.text)
        }
    }
}
