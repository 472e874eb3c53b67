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
    /// - Throws: what `reread` throws, which ends the verification.
    public func verify(
        _ start: VerifyStart = .once,
        reread: (@Sendable ([MessageBytes]) throws(MailFailure) -> [Content?])? = nil,
        progress: @escaping @Sendable (VerifyProgress) -> Void = { _ in }
    ) throws(MailFailure) -> VerifyReport {
        var report = VerifyReport()
        let pages = PageCheck(path: Self.database(in: directory)).run()
        report.databasePages = pages.pageCount
        for finding in pages.findings(tables: tables(of: pages.damaged + pages.carriedOn)) {
            report.add(finding)
        }
        RowCheck(archive: self).run(&report)
        SearchCheck(archive: self).run(&report)
        let packs = countRows(&report)
        let earlier = start == .resumed ? VerifyRecord.read(in: directory) : VerifyRecord()
        var record = VerifyRecord()
        let total = packs.reduce(Int64(0)) { $0 + $1.end }
        var done: Int64 = 0
        for pack in packs {
            let base = done
            done += pack.end
            if let known = earlier.report(of: pack) {
                report.merge(known)
                report.resumedPacks += 1
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
            if start != .once { record.write(in: directory) }
        }
        if start != .once { VerifyRecord.remove(in: directory) }
        // A page that is as it was written holds what ingest wrote: then it is the reading that changed.
        if pages.isIntact, pages.pageCount > 0 {
            report.readDifferently = report.findings.filter(\.isReading)
            report.findings.removeAll(where: \.isReading)
        }
        return report
    }

    /// What can be said of an archive whose database cannot be opened: its pages, and the
    /// chains and digests of the packs as far as their records can be followed.
    public static func verifyFiles(directory: String) -> VerifyReport {
        var report = VerifyReport()
        let pages = PageCheck(path: database(in: directory)).run()
        report.databasePages = pages.pageCount
        for finding in pages.findings(tables: [:]) { report.add(finding) }
        let store = OriginalsStore(detached: directory + "/originals")
        for pack in store.packsOnDisk() {
            PackCheck.followChain(of: pack, in: store, &report)
        }
        return report
    }

    /// How much there is, as of one moment: what is appended later is not looked at.
    ///
    /// - Returns: the packs and their ends.
    private func countRows(_ report: inout VerifyReport) -> [OriginalsStore.PackEnd] {
        var ends: [OriginalsStore.PackEnd] = []
        var unread: [Finding] = []
        var messages: Int64?
        var ledgerRows: Int64?
        do {
            try read { db in
                func ask(_ what: String, _ query: () throws -> Void) {
                    do { try query() } catch { unread.append(Self.unreadable(what, error)) }
                }
                ask("packs") {
                    try PreparedStatement(db, "SELECT id, committed_end, chain FROM packs ORDER BY id")
                        .forEachRow { row in
                            ends.append(
                                OriginalsStore.PackEnd(
                                    pack: row.int64(0), end: row.int64(1), chain: row.bytes(2)))
                        }
                }
                ask("the number of messages") {
                    messages = try PreparedStatement(db, "SELECT count(*) FROM messages").first {
                        $0.int64(0)
                    }
                }
                ask("the number of ledger rows") {
                    ledgerRows = try PreparedStatement(db, "SELECT count(*) FROM ledger").first {
                        $0.int64(0)
                    }
                }
            }
        } catch {
            unread.append(Self.unreadable("packs", error))
        }
        report.messages = Int(messages ?? 0)
        report.ledgerRows = Int(ledgerRows ?? 0)
        for finding in unread { report.add(finding) }
        return ends
    }

    /// To which table or index each of these pages belongs, as far as the database can still say.
    private func tables(of pages: [UInt32]) -> [UInt32: String] {
        guard !pages.isEmpty else { return [:] }
        var names: [UInt32: String] = [:]
        let wanted = Set(pages)
        _ = try? pool.read { db in
            // Stops at the first page that it cannot follow; what it has named by then counts.
            try PreparedStatement(db, "SELECT pageno, name FROM dbstat").forEachRow { row in
                let page = UInt32(clamping: row.int64(0))
                if wanted.contains(page) { names[page] = row.text(1) }
            }
        }
        return names
    }

    static func unreadable(_ what: String, _ error: any Error) -> Finding {
        Finding(
            subject: .database, place: what, message: nil,
            text: "cannot be read: \(StorageError.failure(error).summary)")
    }
}

extension Finding {
    fileprivate var isReading: Bool { subject == .message && text.hasPrefix(MessageFacts.differs) }
}
