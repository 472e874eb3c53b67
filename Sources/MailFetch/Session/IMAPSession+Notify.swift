public import MailModel

extension IMAPSession {
    /// Asks the server to tell, while the session idles, of messages that come into folders that are not open, or go
    /// from them (NOTIFY, RFC 5465). To be called before a folder is opened.
    ///
    /// What comes while one of these folders is open itself is told like that of any open folder.
    ///
    /// - Returns: whether the server has agreed; else it tells of the open folder only, as without this.
    /// - Throws: what ends the session.
    nonisolated(nonsending) public func subscribe(to folders: [ListedFolder]) async throws(MailFailure)
        -> Bool
    {
        guard capabilities.contains("NOTIFY") else { return false }
        var names: [[UInt8]] = []
        var bytes = 0
        for name in folders.lazy.map(\.wireName) where IMAPCommand.isSendable(name) {
            bytes += name.count + 3
            guard names.count < IMAPLimits.notifiedFolders, bytes <= IMAPLimits.notifiedBytes else { break }
            names.append(name)
        }
        guard !names.isEmpty else { return false }
        // Whatever the refusal says, it is about this wish alone: NO BADEVENT, too many folders, BAD.
        guard try await run(.notify(names)).kind == .ok else { return false }
        sights.subscribe(to: names)
        return true
    }

    /// Asks how folders stand that were open before: what came into one in the moment of its closing the server may
    /// have told nobody. A difference is news of the next `idle`.
    ///
    /// - Throws: what ends the session.
    nonisolated(nonsending) public func lookAgain(at folders: [ListedFolder]) async throws(MailFailure) {
        let names = folders.map(\.wireName).filter(IMAPCommand.isSendable)
        if !names.isEmpty { _ = try await run(names.map { .status($0) }) }
    }
}
