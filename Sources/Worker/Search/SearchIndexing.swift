public import Archive
public import MIMEParse
public import MailModel

/// Brings the full-text index up to date: reads the text of each message that is not in it, out of
/// its original, and commits it in batches. It follows ingest instead of holding it up, and may be
/// interrupted anywhere: what is due is what the archive says.
public struct SearchIndexing: Sendable {
    /// Messages of one batch; a batch is one transaction.
    private static let batch = 128

    private let archive: Archive
    private let parsing: any MessageParsing

    public init(archive: Archive, parsing: any MessageParsing) {
        self.archive = archive.seen(by: .administrator)
        self.parsing = parsing
    }

    /// Indexes until nothing is due, or the task is cancelled.
    ///
    /// - Parameter progress: called after each batch with how many messages were indexed so far.
    /// - Returns: how many messages were indexed.
    @discardableResult
    public func run(
        progress: (Int) -> Void = { _ in }
    ) async throws(MailFailure) -> Int {
        var count = 0
        while !Task.isCancelled {
            let due = try archive.unindexed(limit: Self.batch)
            guard !due.isEmpty else { break }
            count += try archive.index(try await texts(of: due))
            progress(count)
        }
        return count
    }

    /// Indexes these, as far as they are due.
    func index(_ messages: [ArchivedMessageID]) async throws(MailFailure) {
        try archive.index(try await texts(of: messages))
    }

    private func texts(of messages: [ArchivedMessageID]) async throws(MailFailure) -> [SearchText] {
        var texts: [SearchText] = []
        var readable: [(position: Int, message: ReadableMessage)] = []
        for message in messages {
            texts.append(SearchText(message: message, body: nil))
            do {
                readable.append((texts.count - 1, try archive.readable(message)))
            } catch  where error.code == .originalDamaged || error.code == .originalErased {
                // verify names it; what the database says of it can be found all the same.
                continue
            }
        }
        let outcomes = try await parsing.parse(readable.map(\.message.original))
        for ((position, message), outcome) in zip(readable, outcomes) {
            guard case .read(let parsed) = outcome.showing(message.edit) else { continue }
            let parts = [parsed.text, parsed.furtherText].compactMap { $0 }
            texts[position].body = parts.isEmpty ? nil : parts.joined(separator: "\n\n")
        }
        return texts
    }
}
