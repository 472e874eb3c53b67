public import Archive
public import MIMEParse
public import MailModel

/// Reads quarantined messages again that an older parser could not read.
public struct Rereading: Sendable {
    private let archive: Archive
    private let parsing: any MessageParsing
    private let version: Int

    public init(archive: Archive, parsing: any MessageParsing, version: Int = MIMEParser.version) {
        self.archive = archive
        self.parsing = parsing
        self.version = version
    }

    /// Tries each once with this version of the parser; cheap when there is none.
    ///
    /// - Returns: how many could be read now, and of how many; fewer than there are where the task was cancelled.
    /// - Throws: what stops the archive, or all reading. A damaged original stays quarantined,
    ///   and verify names it.
    public func run() async throws(MailFailure) -> (read: Int, of: Int) {
        let waiting = try archive.quarantined(unreadBefore: version)
        var read = 0
        for (tried, message) in waiting.enumerated() {
            if Task.isCancelled { return (read, tried) }
            let original: MessageBytes
            do {
                original = try archive.original(of: message)
            } catch  where error.code == .originalDamaged {
                continue
            }
            let outcome = try await parsing.parse([original])[0]
            switch try archive.reread(
                message, as: MessageReader.content(of: outcome), parserVersion: version)
            {
            case .quarantined, .alreadyKnown, .failed: break
            case .linked, .review, .duplicate, .ignored: read += 1
            }
        }
        return (read, waiting.count)
    }
}
