public import MailModel

extension IMAPSession {
    /// Sizes and dates of those of the UIDs that the open folder has, in ascending order.
    ///
    /// A message whose size the server cannot tell costs the others nothing: where it is refused, it is left out, and
    /// where the session breaks off at it, `suspect` names it.
    ///
    /// - Parameter insists: see `RefusalSearch`.
    /// - Throws: what ends the session; `server-busy` and the like, when that does not seem to be about single messages.
    nonisolated(nonsending) public func metadata(
        of uids: UIDSet, insists: Bool = false
    ) async throws(MailFailure) -> [MessageMetadata] {
        var answers = MetadataAnswers()
        var refusals = RefusalSearch(insists: insists)
        var left = uids.pieces(maximumBytes: IMAPLimits.sequenceSetBytes)[...]
        while true {
            var asked = Array(left.prefix(IMAPLimits.commandsInFlight))
            left = left.dropFirst(asked.count)
            if asked.isEmpty { asked = refusals.next() }
            guard !asked.isEmpty else { break }
            let before = answers.found.count
            let replies: [StatusReply]
            do throws(MailFailure) {
                replies = try await ask(asked.map(\.sequenceSet), &answers) { uids.contains($0) }
            } catch {
                suspect = suspect ?? answers.next(of: asked).map { SuspectMessage(uid: $0) }
                throw error
            }
            if answers.found.count > before { refusals.came() }
            for (uids, reply) in zip(asked, replies) where reply.kind != .ok {
                refusals.refused(answers.lacking(of: uids), refusal(reply))
            }
            if let failure = refusals.stop {
                // Of a server that tells sizes of nothing at all the messages may be had without.
                guard failure.code == .commandRefused else { throw failure }
                break
            }
        }
        return answers.sorted
    }

    /// Sizes and dates of every message with this UID or a higher one, in ascending order.
    ///
    /// - Throws: `protocol-violation`, which ends the session, where they are many more than the folder has messages.
    nonisolated(nonsending) public func metadata(from uid: UID) async throws(MailFailure) -> [MessageMetadata]
    {
        var answers = MetadataAnswers(limit: Int(count.most) + IMAPLimits.listedBeyondCount)
        // `n:*` names the last message even when its UID is lower (RFC 9051, section 9): filtered.
        let replies = try await ask(["\(max(1, uid.rawValue)):*"], &answers) { $0 >= uid }
        if let refused = replies.first(where: { $0.kind != .ok }) { throw refusal(refused) }
        return answers.sorted
    }

    nonisolated(nonsending) private func ask(
        _ sets: [String], _ answers: inout MetadataAnswers, where isAsked: (UID) -> Bool
    ) async throws(MailFailure) -> [StatusReply] {
        let isGmail = capabilities.contains("X-GM-EXT-1")
        let replies = try await run(sets.map { .fetchMetadata($0, gmail: isGmail) }) { response in
            guard case .fetch(let data) = response, answers.note(data, where: isAsked) else {
                return discountResponse()
            }
        }
        guard answers.found.count <= IMAPLimits.messages else { throw tooManyMessages() }
        guard !answers.isBeyondLimit else {
            end()
            throw .violation("\(answers.found.count) sizes told in a folder of \(count.most) messages")
        }
        return replies
    }
}
