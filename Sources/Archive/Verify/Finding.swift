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
    /// Originals that were erased, and hold nothing but zeros.
    public var erasedOriginals = 0
    public var messages = 0
    public var ledgerRows = 0
    public var databasePages = 0
    /// Messages whose stored facts and attachments were compared with their originals.
    public var rereadMessages = 0
    /// Records in the packs that no committed transaction speaks of: the remains of
    /// interrupted batches, harmless.
    public var unclaimedRecords = 0
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

    private enum CodingKeys: String, CodingKey {
        case originals
        case originalBytes = "original_bytes"
        case erasedOriginals = "erased_originals"
        case messages
        case ledgerRows = "ledger_rows"
        case databasePages = "database_pages"
        case rereadMessages = "reread_messages"
        case unclaimedRecords = "unclaimed_records"
        case findings
        case furtherFindings = "further_findings"
        case readDifferently = "read_differently"
    }
}
