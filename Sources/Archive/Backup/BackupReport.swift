/// What a backup holds, and what of it had to be copied.
public struct BackupReport: Sendable, Hashable, Encodable {
    public var messages: Int
    public var databaseBytes: Int64
    public var originalBytes: Int64
    /// Bytes of originals that were not taken over from an earlier backup in the same directory.
    public var copiedBytes: Int64
    /// Records of the earlier backup that were damaged there, and are whole again.
    public var mendedRecords: Int
    /// What is damaged in the archive, and so in the backup.
    public var findings: [Finding]
    /// Findings beyond the first 1,000, which are counted only.
    public var furtherFindings: Int

    /// Whether the backup is whole, as far as it was read back.
    public var isClean: Bool { findings.isEmpty }

    private enum CodingKeys: String, CodingKey {
        case messages
        case databaseBytes = "database_bytes"
        case originalBytes = "original_bytes"
        case copiedBytes = "copied_bytes"
        case mendedRecords = "mended_records"
        case findings
        case furtherFindings = "further_findings"
    }
}
