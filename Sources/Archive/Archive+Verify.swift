import Crypto
import Foundation
import GRDB
public import MailModel
import Matcher

/// One thing that is not as it must be.
public struct Finding: Sendable, Hashable, Encodable {
    public enum Subject: String, Sendable, Codable {
        case original, pack, ledger, message, database
    }

    public var subject: Subject
    /// What it is about: a message's number, a pack, a place in the ledger.
    public var place: String
    public var message: ArchivedMessageID?
    public var text: String
}

/// What a verification looked at, and what it found.
public struct VerifyReport: Sendable, Hashable, Encodable {
    public var originals = 0
    public var originalBytes: Int64 = 0
    public var messages = 0
    public var ledgerRows = 0
    /// Records in the packs that no committed transaction speaks of: the remains of
    /// interrupted batches, harmless.
    public var unclaimedRecords = 0
    public var findings: [Finding] = []
    /// Findings beyond the first 1,000, which are counted only.
    public var furtherFindings = 0

    public var isClean: Bool { findings.isEmpty }

    mutating func add(_ finding: Finding) {
        if findings.count < 1000 { findings.append(finding) } else { furtherFindings += 1 }
    }

    private enum CodingKeys: String, CodingKey {
        case originals
        case originalBytes = "original_bytes"
        case messages
        case ledgerRows = "ledger_rows"
        case unclaimedRecords = "unclaimed_records"
        case findings
        case furtherFindings = "further_findings"
    }
}

extension Archive {
    /// Reads everything back: each pack's chain and every original's checksum, the
    /// ledger against originals and messages, messages against history and queue.
    /// Memory stays bounded by the largest read buffer; the archive may be in use.
    ///
    /// - Parameter progress: called now and then with bytes read and bytes in all.
    public func verify(
        progress: (_ done: Int64, _ total: Int64) -> Void = { _, _ in }
    ) throws(MailFailure) -> VerifyReport {
        var report = VerifyReport()
        try checkDatabase(&report)
        // The packs as of one moment: what is appended later is not looked at.
        let packs = try read { db in
            try Row.fetchAll(db, sql: "SELECT id, committed_end, chain FROM packs ORDER BY id").map {
                OriginalsStore.PackEnd(pack: $0[0], end: $0[1], chain: Array($0[2] as Data))
            }
        }
        let total = packs.reduce(Int64(0)) { $0 + $1.end }
        var done: Int64 = 0
        for pack in packs {
            let base = done
            try check(pack, &report) { progress(base + $0, total) }
            done += pack.end
        }
        return report
    }

    // MARK: - Packs

    private struct Expected {
        var message: ArchivedMessageID
        var size: Int64
        var digest: Digest256
    }

    private func check(
        _ pack: OriginalsStore.PackEnd, _ report: inout VerifyReport, progress: (Int64) -> Void
    ) throws(MailFailure) {
        // At most 40 bytes for each original of one pack; a pack has a size limit.
        var expected = try expectedOriginals(pack.pack)
        do {
            try scan(pack, &expected, &report, progress: progress)
        } catch  where error.code == .archiveMissing || error.code == .originalDamaged {
            report.add(
                Finding(
                    subject: .pack, place: "pack \(pack.pack)", message: nil, text: error.revealed))
        }
        for (offset, original) in expected.sorted(by: { $0.key < $1.key }) {
            report.add(
                Finding(
                    subject: .original, place: "pack \(pack.pack), offset \(offset)",
                    message: original.message, text: "the original was not found where it must be"))
        }
    }

    private func expectedOriginals(_ pack: Int64) throws(MailFailure) -> [Int64: Expected] {
        try read { db in
            let query = try PreparedStatement(
                db, "SELECT offset, size, message, sha256 FROM originals WHERE pack = ?")
            query.bind(1, pack)
            var expected: [Int64: Expected] = [:]
            try query.forEachRow { row in
                guard let digest = Digest256(bytes: row.bytes(3)) else { return }
                expected[row.int64(0)] = Expected(
                    message: ArchivedMessageID(rawValue: row.int64(2)), size: row.int64(1), digest: digest)
            }
            return expected
        }
    }

    private func scan(
        _ pack: OriginalsStore.PackEnd, _ expected: inout [Int64: Expected], _ report: inout VerifyReport,
        progress: (Int64) -> Void
    ) throws(MailFailure) {
        let file = try PackFile(reading: originals.path(pack: pack.pack))
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let first = try file.read(PackFormat.fileHeaderBytes, at: 0)
        if !PackFormat.isFileHeader(first, number: pack.pack) {
            report.add(
                Finding(
                    subject: .pack, place: "pack \(pack.pack)", message: nil,
                    text: "the file does not start as this pack must"))
        }
        var chain = PackFormat.sha256(first)
        var offset = Int64(first.count)
        while offset < pack.end {
            let place = "pack \(pack.pack), offset \(offset)"
            let header = try file.read(PackFormat.recordHeaderBytes, at: offset)
            let claimed = expected.removeValue(forKey: offset)
            // Behind a broken header only the database knows where the next record is.
            let record = PackFormat.record(header)
            let isIntact =
                record.map { record in
                    record.chain == chain && record.length >= 0
                        && (claimed.map { $0.size == Int64(record.length) && $0.digest == record.digest }
                            ?? true)
                } ?? false
            if !isIntact {
                report.add(
                    Finding(
                        subject: .original, place: place, message: claimed?.message,
                        text: "the record's header is damaged"))
            }
            let length: Int64
            if let claimed {
                length = claimed.size
            } else if let record, isIntact {
                length = Int64(record.length)
                report.unclaimedRecords += 1
            } else if let next = expected.keys.filter({ $0 > offset }).min() {
                length = next - offset - Int64(PackFormat.recordHeaderBytes)
            } else {
                return
            }
            if let digest = claimed?.digest ?? record?.digest {
                let actual = try Self.digest(
                    of: file, at: offset + Int64(PackFormat.recordHeaderBytes), length, &buffer)
                if actual != digest {
                    report.add(
                        Finding(
                            subject: .original, place: place, message: claimed?.message,
                            text: "the original does not match its checksum"))
                }
            }
            if claimed != nil {
                report.originals += 1
                report.originalBytes += length
            }
            chain = PackFormat.sha256(header)
            offset += Int64(PackFormat.recordHeaderBytes) + length
            progress(offset)
        }
        if offset != pack.end || chain != pack.chain {
            report.add(
                Finding(
                    subject: .pack, place: "pack \(pack.pack)", message: nil,
                    text: "the pack does not end as the database says"))
        }
    }

    private static func digest(
        of file: PackFile, at offset: Int64, _ length: Int64, _ buffer: inout [UInt8]
    ) throws(MailFailure) -> Digest256? {
        var hash = SHA256()
        var done: Int64 = 0
        while done < length {
            let count = Int(min(Int64(buffer.count), length - done))
            do {
                try buffer.withUnsafeMutableBytes { bytes in
                    let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
                    try file.read(into: part, at: offset + done)
                    hash.update(bufferPointer: UnsafeRawBufferPointer(part))
                }
            } catch {
                throw StorageError.failure(error)
            }
            done += Int64(count)
        }
        return Digest256(bytes: hash.finalize())
    }

    // MARK: - Rows

    private func checkDatabase(_ report: inout VerifyReport) throws(MailFailure) {
        var found = report
        try read { db in
            found.messages = try Int.fetchOne(db, sql: "SELECT count(*) FROM messages") ?? 0
            found.ledgerRows = try Int.fetchOne(db, sql: "SELECT count(*) FROM ledger") ?? 0
            for text in try String.fetchAll(db, sql: "PRAGMA quick_check(20)") where text != "ok" {
                found.add(Finding(subject: .database, place: "database", message: nil, text: text))
            }
            for row in try Row.fetchAll(db, sql: "PRAGMA foreign_key_check") {
                let table: String = row[0]
                found.add(
                    Finding(
                        subject: .database, place: table, message: nil,
                        text: "a row speaks of something that does not exist"))
            }
            for check in Self.messageChecks {
                let query = try PreparedStatement(db, check.query)
                try query.forEachRow { row in
                    let id = ArchivedMessageID(rawValue: row.int64(0))
                    found.add(
                        Finding(subject: .message, place: "message \(id)", message: id, text: check.text))
                }
            }
            let places = try PreparedStatement(db, Self.ledgerCheck)
            try places.forEachRow { row in
                found.add(
                    Finding(
                        subject: .ledger,
                        place: "account \(row.text(0)), folder \(row.text(1)), UIDVALIDITY \(row.int64(2)), "
                            + "UID \(row.int64(3))",
                        message: ArchivedMessageID(rawValue: row.int64(4)),
                        text: "the ledger row and its message say different things"))
            }
        }
        report = found
    }

    /// Each query names the messages that break the rule.
    private static let messageChecks: [(query: String, text: String)] = [
        (
            "SELECT id FROM messages m WHERE NOT EXISTS (SELECT 1 FROM originals WHERE message = m.id)",
            "it has no original"
        ),
        (
            "SELECT id FROM messages m WHERE NOT EXISTS (SELECT 1 FROM ledger WHERE message = m.id)",
            "no ledger row speaks of it"
        ),
        (
            """
            SELECT id FROM messages m WHERE (m.state = 'archived') <>
                EXISTS (SELECT 1 FROM history WHERE message = m.id AND removed_at IS NULL)
            """, "it is in a history without being archived, or archived without a history"
        ),
        (
            """
            SELECT id FROM messages m WHERE (m.state IN ('review', 'quarantined')) <>
                EXISTS (SELECT 1 FROM review_items WHERE message = m.id AND state = 'open')
            """, "it waits without an open item, or has an open item without waiting"
        ),
    ]

    private static let ledgerCheck = """
        SELECT a.name, f.name, l.uidvalidity, l.uid, l.message
        FROM ledger l JOIN messages m ON m.id = l.message LEFT JOIN originals o ON o.id = l.original
            JOIN folders f ON f.id = l.folder JOIN accounts a ON a.id = f.account
        WHERE (l.state <> 'duplicate' AND l.state <> m.state) OR o.message IS NOT l.message
        """
}
