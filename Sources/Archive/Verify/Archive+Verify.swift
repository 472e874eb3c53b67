import Foundation
import GRDB
public import MailModel

/// Where a verification is.
public struct VerifyProgress: Sendable, Hashable {
    /// The pack being read; what comes before it is done.
    public var pack: Int64
    public var doneBytes: Int64
    public var totalBytes: Int64
}

extension Archive {
    /// Reads everything back: each page of the database against its checksum, each pack's chain,
    /// every original against its digest, what is stored about each message against its original,
    /// and the rows against each other and against the full-text index. Side by side on all cores; the
    /// archive may be in use.
    ///
    /// Whatever is damaged, the rest is looked at too.
    ///
    /// - Parameters:
    ///   - start: whether it goes on with an interrupted one; the database is checked all the same.
    ///   - reread: reads messages as ingest does, each into nil when it cannot be read. Called from
    ///     several threads, with some MB of mail or one larger message. Without it facts are not compared.
    ///   - progress: called now and then, from one thread at a time.
    /// - Throws: what `reread` throws, and what keeps something from being read and is no damage, such as too many open
    ///   files: that ends the verification.
    public func verify(
        _ start: VerifyStart = .once,
        reread: (@Sendable ([MessageBytes]) throws(MailFailure) -> [Content?])? = nil,
        progress: @escaping @Sendable (VerifyProgress) -> Void = { _ in }
    ) throws(MailFailure) -> VerifyReport {
        var report = VerifyReport()
        let pages = try checkPages()
        report.databasePages = pages.pageCount
        let owners = owners(of: pages.damaged + pages.carriedOn)
        for finding in pages.findings(owners: owners) + rows(on: owners) { report.add(finding) }
        try RowCheck(archive: self).run(&report)
        try SearchCheck(archive: self).run(&report)
        let inFolder = packsInFolder()
        let before = report.findings.count
        let packs = try countRows(&report)
        // Where the rows cannot be read, nothing is known of any.
        if report.findings.count == before {
            for pack in inFolder where !packs.contains(where: { $0.pack == pack }) {
                report.add(
                    Finding(
                        subject: .pack, place: "pack \(pack)", message: nil,
                        text: "the database knows of no such pack"))
            }
        }
        let lock = start == .once ? nil : VerifyRecord.lock(in: directory)
        let hasRecord = lock != nil
        defer { withExtendedLifetime(lock) {} }
        let earlier =
            hasRecord && start == .resumed ? VerifyRecord.read(in: directory, at: now()) : nil
        var record = VerifyRecord(begunAt: earlier?.beginning ?? now())
        let total = packs.reduce(Int64(0)) { $0 + $1.end }
        var done: Int64 = 0
        for pack in packs {
            let base = done
            done += pack.end
            if let earlier, let known = earlier.report(of: pack) {
                report.merge(known)
                report.resumedPacks += 1
                report.resumedFrom = earlier.beginning
                record.add(pack, known)
                continue
            }
            var found = VerifyReport()
            let check = PackCheck(archive: self, pack: pack, reread: reread) {
                progress(VerifyProgress(pack: pack.pack, doneBytes: base + $0, totalBytes: total))
            }
            try check.run(&found)
            report.merge(found)
            record.add(pack, found)
            if hasRecord { record.write(in: directory) }
        }
        if hasRecord { VerifyRecord.remove(in: directory) }
        // A page that is as it was written holds what ingest wrote: then it is the reading that changed.
        if pages.isIntact, pages.pageCount > 0 {
            report.readDifferently = report.findings.filter(\.isReading)
            report.findings.removeAll(where: \.isReading)
        }
        return report
    }

    /// The packs that have records, whatever the database says: a file without any is one that was cut off while it was made.
    private func packsInFolder() -> [Int64] {
        let packs = (try? LonePackCheck.packs(in: directory + "/originals")) ?? []
        return packs.filter { pack in
            let file = try? PackFile(reading: originals.path(pack: pack))
            return file.flatMap { try? $0.size() } ?? 0 > Int64(PackFormat.fileHeaderBytes)
        }
    }

    func checkPages() throws(MailFailure) -> PageCheck.Result {
        do {
            // Outside a transaction, which would keep the write-ahead log from being begun anew.
            return try pool.unsafeRead { db in try PageCheck(path: Self.database(in: directory)).run(db) }
        } catch {
            throw StorageError.failure(error)
        }
    }

    /// What can be said of an archive whose database cannot be opened: its pages, and the
    /// chains and digests of the packs as far as their records can be followed.
    ///
    /// - Parameter failure: what opening it has said.
    /// - Throws: that failure when it is not by damage: no page is damaged, and the database is not said to be. Also what
    ///   keeps a file from being opened and is no damage.
    public static func verifyFiles(
        directory: String, after failure: MailFailure
    ) throws(MailFailure) -> VerifyReport {
        guard failure.code != .archiveMissing, failure.code != .archiveNewer, failure.kind != .transient
        else { throw failure }
        let pages = try PageCheck(path: database(in: directory)).run()
        guard failure.code == .archiveCorrupt || !pages.isIntact else { throw failure }
        var report = VerifyReport()
        report.databasePages = pages.pageCount
        report.add(
            Finding(
                subject: .database, place: "database", message: nil,
                text: "it cannot be opened: \(failure.summary)"))
        for finding in pages.findings(owners: [:]) { report.add(finding) }
        try LonePackCheck(directory: directory).run(&report)
        return report
    }

    /// How much there is, as of one moment: what is appended later is not looked at.
    ///
    /// - Returns: the packs and their ends.
    private func countRows(_ report: inout VerifyReport) throws(MailFailure) -> [OriginalsStore.PackEnd] {
        var ends: [OriginalsStore.PackEnd] = []
        var unread: [Finding] = []
        var messages: Int64?
        var ledgerRows: Int64?
        do {
            try read { db in
                func ask(_ what: String, _ query: () throws -> Void) throws {
                    do { try query() } catch { unread.append(try Self.unreadable(what, error)) }
                }
                try ask("packs") {
                    try PreparedStatement(db, "SELECT id, committed_end, chain FROM packs ORDER BY id")
                        .forEachRow { row in
                            ends.append(
                                OriginalsStore.PackEnd(
                                    pack: row.int64(0), end: row.int64(1), chain: row.bytes(2)))
                        }
                }
                try ask("the number of messages") {
                    messages = try PreparedStatement(db, "SELECT count(*) FROM messages").first {
                        $0.int64(0)
                    }
                }
                try ask("the number of ledger rows") {
                    ledgerRows = try PreparedStatement(db, "SELECT count(*) FROM ledger").first {
                        $0.int64(0)
                    }
                }
            }
        } catch {
            unread.append(try Self.unreadable("packs", error))
        }
        report.messages = Int(messages ?? 0)
        report.ledgerRows = Int(ledgerRows ?? 0)
        for finding in unread { report.add(finding) }
        return ends
    }

    /// To which table or index each of these pages belongs, as far as the database can still say.
    private func owners(of pages: [UInt32]) -> [UInt32: PageOwner] {
        guard !pages.isEmpty else { return [:] }
        let left = try? Salvage.connection(to: Self.database(in: directory))
        return left?.unsafeRead { PageOwner.of(pages, $0) } ?? [:]
    }

    /// Whose rows lie on damaged pages.
    private func rows(on pages: [UInt32: PageOwner]) -> [Finding] {
        pages.sorted { $0.key < $1.key }.flatMap { page, owner in
            // Outside a transaction: once a damaged page was met in one, its end fails.
            let messages = try? pool.unsafeRead { try PageRows(db: $0).messages(on: page, of: owner) }
            return (messages ?? []).map {
                Finding(
                    subject: owner.isOfSearch ? .search : .message, place: "message \($0)", message: $0,
                    text:
                        "a row of it lies on database page \(page) (\(owner.name)), which is not as it was written"
                )
            }
        }
    }

    /// - Throws: the error itself when it is no damage.
    static func unreadable(_ what: String, _ error: any Error) throws(MailFailure) -> Finding {
        let failure = StorageError.failure(error)
        if failure.isNoDamage { throw failure }
        return Finding(
            subject: .database, place: what, message: nil, text: "cannot be read: \(failure.summary)")
    }
}

extension Finding {
    fileprivate var isReading: Bool { subject == .message && text.hasPrefix(MessageFacts.differs) }
}
