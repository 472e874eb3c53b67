public import Archive
public import MailModel

/// Takes messages out of files into the archive, through the same pipeline as a poll.
///
/// Imported mail has no UIDs of its own: the folder numbers it. Bytes that are in
/// that folder already are recognised, so that importing twice changes nothing.
public struct FileImport: Sendable {
    /// The folder's UIDVALIDITY: it is ours, and never changes.
    private static let uidValidity = UIDValidity(1)

    private let archive: Archive
    private let pipeline: IngestPipeline
    private let limits: MailLimits

    public init(archive: Archive, pipeline: IngestPipeline, limits: MailLimits) {
        self.archive = archive
        self.pipeline = pipeline
        self.limits = limits
    }

    /// - Parameters:
    ///   - account: the account that the messages are filed under.
    ///   - progress: called after each commit with the running counts.
    /// - Returns: the counts, and a failure for everything that could not be taken in.
    /// - Throws: what stops the archive.
    public func run(
        _ files: MessageFiles, account: AccountID, folder name: FolderName,
        progress: @escaping @Sendable (IngestTally.Counts) -> Void = { _ in }
    ) async throws(MailFailure) -> (counts: IngestTally.Counts, failures: [MailFailure]) {
        let folder = try archive.folder(account: account, name: name)
        let tally = IngestTally(onCommit: progress)
        var failures: [MailFailure] = []
        do {
            try await files.forEachMessage { path, bytes in
                guard bytes.count > 0, bytes.count <= limits.messageBytes else {
                    failures.append(Self.refusal(path, byteCount: bytes.count, limit: limits.messageBytes))
                    return
                }
                try await pipeline.submit(
                    ReceivedMessage(
                        folder: folder, uidValidity: Self.uidValidity, uid: nil, internalDate: nil,
                        bytes: bytes),
                    for: tally)
            } unreadable: { failure in
                failures.append(failure)
            }
        } catch let failure as MailFailure {
            throw failure
        } catch {
            throw MailFailure(
                .unreadableFile, kind: .permanent, "The import was interrupted", detail: "\(error)")
        }
        try await pipeline.flush(tally)
        return (tally.counts, failures + tally.failures)
    }

    private static func refusal(_ path: String, byteCount: Int, limit: Int) -> MailFailure {
        byteCount == 0
            ? MailFailure(
                .emptyFile, kind: .permanent, "The file is empty", detail: path,
                remedy: "There is nothing to import.")
            : MailFailure(
                .messageTooLarge, kind: .permanent, "The message is larger than the limit",
                detail: "\(path): \(byteCount) bytes, the limit is \(limit)",
                remedy: "Raise limits.message_megabytes in the configuration.")
    }
}

extension MailFailure.Code {
    /// A file that should hold a message holds nothing.
    public static let emptyFile = Self("empty-file")
    /// A message beyond `MailLimits.messageBytes`.
    public static let messageTooLarge = Self("message-too-large")
}
