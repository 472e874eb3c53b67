public import MailModel

/// One thing that is not as it must be.
public struct Finding: Sendable, Hashable, Codable {
    public enum Subject: String, Sendable, Codable {
        case original, pack, ledger, message, search, database
    }

    public var subject: Subject
    /// What it is about: a message's number, a pack, a place in the ledger.
    public var place: String
    public var message: ArchivedMessageID?
    public var text: String
}

/// What a verification looked at, and what it found.
public struct VerifyReport: Sendable, Hashable, Codable {
    public var originals = 0
    public var originalBytes: Int64 = 0
    /// Originals that were erased, and hold nothing but zeros.
    public var erasedOriginals = 0
    public var messages = 0
    public var ledgerRows = 0
    /// Messages whose rows in the full-text index were compared with what is stored.
    public var indexedMessages = 0
    public var databasePages = 0
    /// Packs that were read by the interrupted verification which this one went on with; theirs are among the
    /// numbers and the findings.
    public var resumedPacks = 0
    /// When that one began: what it has read was so then.
    public var resumedFrom: UnixTime?
    /// Messages whose stored facts and attachments were compared with their originals.
    public var rereadMessages = 0
    /// Records in the packs that no committed transaction speaks of: the remains of
    /// interrupted batches, harmless.
    public var unclaimedRecords = 0
    /// Bytes behind the ends of packs that nobody writes: as harmless. The next append into the pack, or the next
    /// erasure, cuts them off.
    public var trailingBytes: Int64 = 0
    public var findings: [Finding] = []
    /// Findings beyond the first 1,000, which are counted only.
    public var furtherFindings = 0
    /// Messages that this version reads otherwise than the one that stored them, in a database whose
    /// every page is as it was written. No damage.
    public var readDifferently: [Finding] = []

    public var isClean: Bool { findings.isEmpty }

    public init() {}

    mutating func add(_ finding: Finding) {
        if findings.count < 1000 { findings.append(finding) } else { furtherFindings += 1 }
    }

    /// Adds what was found elsewhere.
    mutating func merge(_ other: VerifyReport) {
        originals += other.originals
        originalBytes += other.originalBytes
        erasedOriginals += other.erasedOriginals
        rereadMessages += other.rereadMessages
        unclaimedRecords += other.unclaimedRecords
        trailingBytes += other.trailingBytes
        furtherFindings += other.furtherFindings
        for finding in other.findings { add(finding) }
    }

    private enum CodingKeys: String, CodingKey {
        case originals
        case originalBytes = "original_bytes"
        case erasedOriginals = "erased_originals"
        case messages
        case ledgerRows = "ledger_rows"
        case indexedMessages = "indexed_messages"
        case databasePages = "database_pages"
        case resumedPacks = "resumed_packs"
        case resumedFrom = "resumed_from"
        case rereadMessages = "reread_messages"
        case unclaimedRecords = "unclaimed_records"
        case trailingBytes = "trailing_bytes"
        case findings
        case furtherFindings = "further_findings"
        case readDifferently = "read_differently"
    }
}
