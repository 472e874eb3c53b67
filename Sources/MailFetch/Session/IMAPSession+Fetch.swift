public import MailModel

/// Size and arrival of a message, without its content.
public struct MessageMetadata: Sendable, Hashable {
    public var uid: UID
    /// In bytes, as the server claims.
    public var size: Int
    /// When the server received it.
    public var internalDate: UnixTime?
    /// Where the server is Gmail.
    public var gmail: GmailMarks?

    public init(uid: UID, size: Int, internalDate: UnixTime? = nil, gmail: GmailMarks? = nil) {
        self.uid = uid
        self.size = size
        self.internalDate = internalDate
        self.gmail = gmail
    }
}

/// A message as it came off the wire, whole.
public struct FetchedMessage: Sendable {
    public var uid: UID
    public var internalDate: UnixTime?
    public var bytes: MessageBytes
}

/// UIDs that the server would not hand out, and its words for it.
public struct RefusedBatch: Sendable, Hashable {
    public var uids: UIDSet
    public var failure: MailFailure
}

/// What became of the UIDs asked for, beside those delivered.
public struct FetchReport: Sendable {
    public var delivered = 0
    /// Asked for and answered OK, but not sent: expunged meanwhile, or held back by the server.
    public var missing = UIDSet()
    /// Beyond the message limit in spite of what its metadata said.
    public var tooLarge: [MessageMetadata] = []
    public var refused: [RefusedBatch] = []
    /// Sent with an end that is not theirs, as the server says when asked for what comes behind it. They were
    /// not delivered; `fetchInPieces` may get them whole.
    public var cutShort = UIDSet()
}

/// The message during which a session broke off: perhaps the reason for it.
public struct SuspectMessage: Sendable {
    public var uid: UID
    /// The first bytes of its content, where some had come.
    public var beginning: MessageBytes?
}

extension IMAPSession {
    /// Sizes and dates of those of the UIDs that the open folder has, in ascending order.
    nonisolated(nonsending) public func metadata(of uids: UIDSet) async throws(MailFailure)
        -> [MessageMetadata]
    {
        try await metadata(uids.sequenceSets(maximumBytes: IMAPLimits.sequenceSetBytes)) { uids.contains($0) }
    }

    /// Sizes and dates of every message with this UID or a higher one, in ascending order.
    nonisolated(nonsending) public func metadata(from uid: UID) async throws(MailFailure) -> [MessageMetadata]
    {
        // `n:*` names the last message even when its UID is lower (RFC 9051, section 9): filtered.
        try await metadata(["\(max(1, uid.rawValue)):*"]) { $0 >= uid }
    }

    nonisolated(nonsending) private func metadata(
        _ sets: [String], where isAsked: (UID) -> Bool
    ) async throws(MailFailure) -> [MessageMetadata] {
        var found: [UID: MessageMetadata] = [:]
        var labelsBytes = 0
        var left = sets[...]
        let isGmail = capabilities.contains("X-GM-EXT-1")
        while !left.isEmpty {
            let commands = left.prefix(IMAPLimits.commandsInFlight).map {
                IMAPCommand.fetchMetadata($0, gmail: isGmail)
            }
            left = left.dropFirst(commands.count)
            let replies = try await run(commands) { response in
                guard case .fetch(let data) = response, let uid = data.uid, let size = data.size,
                    isAsked(uid), found[uid] == nil, found.count <= IMAPLimits.messages
                else {
                    discountResponse()
                    return
                }
                var gmail = data.gmail
                labelsBytes += gmail?.labels.reduce(0) { $0 + $1.utf8.count } ?? 0
                if labelsBytes > IMAPLimits.labelsBytes { gmail?.labels = [] }
                found[uid] = MessageMetadata(
                    uid: uid, size: size, internalDate: data.internalDate, gmail: gmail)
            }
            if let refused = replies.first(where: { $0.kind != .ok }) { throw refusal(refused) }
            guard found.count <= IMAPLimits.messages else { throw tooManyMessages() }
        }
        return found.values.sorted { $0.uid < $1.uid }
    }

    /// Fetches whole messages of the open folder, batch by batch, with several batches on the wire so
    /// that the server never waits for us.
    ///
    /// Each UID is delivered at most once, whole or not at all, in the order in which the server sends.
    /// While `deliver` runs nothing is read, which slows the server down to its pace.
    /// - Parameters:
    ///   - batches: a batch that the server refuses does not stop the others.
    ///   - sizes: as the server claims; a message that comes shorter is delivered once the server, asked for
    ///     what stands behind its end, has nothing more.
    ///   - pipelineDepth: how many batches are asked for at a time, 1 to 4.
    ///   - deliver: what it throws ends the fetch and the session.
    /// - Throws: `connection-lost`, `server-closed`, `timed-out`, `protocol-violation`; what was
    ///   delivered before stands, and `suspect` names the message during which it happened.
    nonisolated(nonsending) public func fetch(
        _ batches: [UIDSet], sizes: [UID: Int] = [:], pipelineDepth: Int = 3,
        deliver: nonisolated(nonsending) (FetchedMessage) async throws(MailFailure) -> Void
    ) async throws(MailFailure) -> FetchReport {
        var flight = FetchFlight(
            batches, sizes: sizes, depth: pipelineDepth, provenShort: provenShort)
        var report = FetchReport()
        while !flight.isOver {
            do throws(MailFailure) {
                let requests = flight.requests()
                if !requests.isEmpty { flight.sent(try await send(requests.map(\.command))) }
                switch try await nextResponse() {
                case .fetch(let data): if !flight.received(data) { discountResponse() }
                case .tagged(let tag, let reply):
                    flight.answered(tag, isOK: reply.kind == .ok, refusal: refusal(reply))
                default: break
                }
                if let torn = flight.torn {
                    end()
                    suspect = SuspectMessage(uid: torn)
                    throw .violation("a message goes on behind its announced end")
                }
            } catch {
                suspect = suspect ?? brokenMessage ?? flight.next.map { SuspectMessage(uid: $0) }
                throw error
            }
            while let message = flight.takeDelivery() {
                do throws(MailFailure) {
                    try await deliver(message)
                } catch {
                    end()
                    throw error
                }
                report.delivered += 1
            }
        }
        provenShort = flight.provenShort
        flight.finish(&report)
        return report
    }
}

extension UIDSet {
    /// The set in pieces whose wire form has about this many bytes at most.
    func pieces(maximumBytes: Int) -> [UIDSet] {
        var pieces: [UIDSet] = []
        var current: [ClosedRange<UInt32>] = []
        // The longest range: two numbers of ten digits, a colon, a comma.
        for range in ranges {
            current.append(range)
            if current.count * 22 >= maximumBytes {
                pieces.append(UIDSet(ranges: current))
                current = []
            }
        }
        if !current.isEmpty { pieces.append(UIDSet(ranges: current)) }
        return pieces
    }

    func sequenceSets(maximumBytes: Int) -> [String] {
        pieces(maximumBytes: maximumBytes).map(\.sequenceSet)
    }
}
