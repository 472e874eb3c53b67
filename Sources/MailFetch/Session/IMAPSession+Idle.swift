public import MailModel
import MailTransport

extension IMAPSession {
    /// Seconds after which IDLE is renewed. Servers may end it after 30 minutes (RFC 2177), and many
    /// routers forget a silent connection after ten.
    public static let idleSeconds = 540

    /// Waits until the server tells that something came into the open folder or went from it (RFC 2177), or into
    /// or from one to which the session has subscribed (`subscribe`).
    ///
    /// What the server has told since the folder was opened, or since the last wait, ends it at once.
    ///
    /// - Parameter seconds: how long to wait at most.
    /// - Returns: nothing when the time has passed without news.
    /// - Throws: `command-refused` when the server does not idle; what ends the session.
    nonisolated(nonsending) public func idle(for seconds: Int = idleSeconds) async throws(MailFailure)
        -> FolderNews
    {
        guard sights.news.isEmpty else { return sights.takeNews() }
        let tag = try await send([.idle])[0]
        var isIdling = false
        let deadline = ContinuousClock.now + .seconds(seconds)
        while !isIdling || sights.news.isEmpty {
            // The server's leave to idle is an answer like any other; the wait begins with it. What it
            // says to keep the connection alive does not prolong it.
            let left = (deadline - ContinuousClock.now).components.seconds
            if isIdling, left <= 0 { break }
            guard try await awaitResponse(within: isIdling ? max(1, Int(left)) : nil) else { break }
            switch try readResponse() {
            case .continuation: isIdling = true
            case .tagged(let found, let reply) where found == tag:
                // Before DONE only a refusal can come, or a server that has enough of it.
                if reply.kind == .ok { return sights.takeNews() }
                throw refusal(reply)
            default: break
            }
        }
        try await finishIdling(tag)
        return sights.takeNews()
    }

    nonisolated(nonsending) private func finishIdling(_ tag: [UInt8]) async throws(MailFailure) {
        try await sendEndOfIdling()
        while true {
            if case .tagged(let found, let reply) = try await nextResponse(), found == tag {
                if reply.kind != .ok { throw refusal(reply) }
                return
            }
        }
    }
}
