public import MailModel

/// What came of fetching one message in pieces.
public enum PiecewiseOutcome: Sendable {
    case message(FetchedMessage)
    case tooLarge(Int)
    /// The server said OK and sent nothing, or not a byte of what has a size.
    case missing
    case refused(MailFailure)
}

extension IMAPSession {
    /// Fetches one message of the open folder part by part (`BODY.PEEK[]<offset.count>`), until the server has
    /// no more of it: the way to a message that cannot be had whole, and on from where an earlier try broke off.
    ///
    /// What its literals announce counts for one part only, so that a wrong one cannot spoil the message.
    /// - Parameters:
    ///   - beginning: the first bytes, from an earlier try in the same UIDVALIDITY.
    ///   - size: as the server claims; a part shorter than asked for ends the message only when that much has come.
    /// - Throws: what ends the session; `suspect` then has what came so far.
    nonisolated(nonsending) public func fetchInPieces(
        _ uid: UID, after beginning: MessageBytes? = nil, size: Int? = nil
    ) async throws(MailFailure) -> PiecewiseOutcome {
        var bytes = SpooledBytes(heapBytes: limits.heapMessageBytes, directory: UnnamedFile.usualDirectory)
        try bytes.append(beginning)
        var internalDate: UnixTime?
        for _ in 0..<IMAPLimits.pieces {
            var piece: Literal?
            var isTorn = false
            let offset = bytes.count
            let reply: StatusReply
            do throws(MailFailure) {
                reply = try await run(
                    .fetchPiece(uid, offset: offset, count: IMAPLimits.pieceBytes)
                ) { response in
                    guard case .fetch(let data) = response, data.uid == uid, let found = data.piece,
                        found.offset == offset
                    else { return discountResponse() }
                    piece = found.content
                    isTorn = data.isTorn
                    internalDate = data.internalDate ?? internalDate
                }
                if isTorn {
                    end()
                    throw .violation("a part of a message goes on behind its announced end")
                }
            } catch {
                suspect = SuspectMessage(uid: uid, beginning: offset > 0 ? try bytes.finished() : nil)
                throw error
            }
            guard reply.kind == .ok else { return .refused(refusal(reply)) }
            guard case .bytes(let content) = piece else {
                if case .tooLarge(let size) = piece { return .tooLarge(size) }
                guard offset > 0 else { return .missing }
                // Some servers have no answer where there is nothing more.
                return .message(
                    FetchedMessage(uid: uid, internalDate: internalDate, bytes: try bytes.finished()))
            }
            // Nothing is no message of that size, and not its end either.
            if bytes.count + content.count == 0, size ?? 0 > 0 { return .missing }
            try bytes.append(content)
            guard bytes.count <= limits.messageBytes else { return .tooLarge(max(bytes.count, size ?? 0)) }
            if content.count == 0 || content.count < IMAPLimits.pieceBytes && bytes.count >= size ?? 0 {
                return .message(
                    FetchedMessage(uid: uid, internalDate: internalDate, bytes: try bytes.finished()))
            }
        }
        end()
        throw .violation("a message in more than \(IMAPLimits.pieces) pieces")
    }
}

extension SpooledBytes {
    /// - Throws: `spool-failed`.
    mutating func append(_ bytes: MessageBytes?) throws(MailFailure) {
        var failure: MailFailure?
        bytes?.withUnsafeBytes { content in
            do throws(MailFailure) { try append(content) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
