public import MailModel

/// Size and arrival of a message, without its content.
public struct MessageMetadata: Sendable, Hashable {
    public var uid: UID
    /// In bytes, as the server claims.
    public var size: Int
    /// When the server received it.
    public var internalDate: UnixTime?

    public init(uid: UID, size: Int, internalDate: UnixTime? = nil) {
        self.uid = uid
        self.size = size
        self.internalDate = internalDate
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
}

extension IMAPSession {
    /// Every UID of the open folder.
    nonisolated(nonsending) public func allUIDs() async throws(MailFailure) -> UIDSet {
        var ranges: [ClosedRange<UInt32>] = []
        try await demandOK(.searchAll(extended: capabilities.contains("ESEARCH"))) { response in
            if case .search(let found) = response, ranges.count <= IMAPLimits.messages { ranges += found }
        }
        guard ranges.count <= IMAPLimits.messages else { throw tooManyMessages() }
        return UIDSet(ranges: ranges)
    }

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
        var left = sets[...]
        while !left.isEmpty {
            let commands = left.prefix(IMAPLimits.commandsInFlight).map { IMAPCommand.fetchMetadata($0) }
            left = left.dropFirst(commands.count)
            let replies = try await run(commands) { response in
                guard case .fetch(let data) = response, let uid = data.uid, let size = data.size,
                    isAsked(uid),
                    found.count <= IMAPLimits.messages
                else { return }
                found[uid] = MessageMetadata(uid: uid, size: size, internalDate: data.internalDate)
            }
            if let refused = replies.first(where: { $0.kind != .ok }) { throw refusal(refused) }
            guard found.count <= IMAPLimits.messages else { throw tooManyMessages() }
        }
        return found.values.sorted { $0.uid < $1.uid }
    }

    private func tooManyMessages() -> MailFailure {
        end()
        return .violation("more than \(IMAPLimits.messages) messages in one folder")
    }

    /// Fetches whole messages of the open folder, batch by batch, with several batches on the wire so
    /// that the server never waits for us.
    ///
    /// Each UID is delivered at most once, whole or not at all, in the order in which the server sends.
    /// While `deliver` runs nothing is read, which slows the server down to its pace.
    /// - Parameters:
    ///   - batches: a batch that the server refuses does not stop the others.
    ///   - pipelineDepth: how many batches are asked for at a time, 1 to 4.
    ///   - deliver: what it throws ends the fetch and the session.
    /// - Throws: `connection-lost`, `server-closed`, `timed-out`, `protocol-violation`; what was
    ///   delivered before stands.
    nonisolated(nonsending) public func fetch(
        _ batches: [UIDSet], pipelineDepth: Int = 3,
        deliver: nonisolated(nonsending) (FetchedMessage) async throws(MailFailure) -> Void
    ) async throws(MailFailure) -> FetchReport {
        var report = FetchReport()
        // United once at the end: a union a batch would be quadratic where a server sends nothing.
        var missing: [ClosedRange<UInt32>] = []
        var waiting = batches.flatMap { $0.pieces(maximumBytes: IMAPLimits.sequenceSetBytes) }[...]
        var outstanding: [OutstandingBatch] = []
        while !waiting.isEmpty || !outstanding.isEmpty {
            let free = max(1, min(pipelineDepth, IMAPLimits.commandsInFlight)) - outstanding.count
            if free > 0, !waiting.isEmpty {
                let next = Array(waiting.prefix(free))
                waiting = waiting.dropFirst(free)
                let tags = try await send(next.map { .fetchMessages($0.sequenceSet) })
                for (tag, uids) in zip(tags, next) {
                    outstanding.append(OutstandingBatch(tag: tag, uids: uids))
                }
            }
            switch try await nextResponse() {
            case .fetch(let data):
                guard let uid = data.uid, let body = data.body,
                    let index = outstanding.firstIndex(where: { $0.lacks(uid) })
                else { continue }
                outstanding[index].arrived.insert(uid)
                switch body {
                case .bytes(let bytes):
                    let message = FetchedMessage(uid: uid, internalDate: data.internalDate, bytes: bytes)
                    do throws(MailFailure) {
                        try await deliver(message)
                    } catch {
                        end()
                        throw error
                    }
                    report.delivered += 1
                case .tooLarge(let size):
                    report.tooLarge.append(
                        MessageMetadata(uid: uid, size: size, internalDate: data.internalDate))
                }
            case .tagged(let tag, let reply):
                guard let index = outstanding.firstIndex(where: { $0.tag == tag }) else { continue }
                let batch = outstanding.remove(at: index)
                let left = batch.uids.subtracting(UIDSet(batch.arrived))
                if reply.kind == .ok {
                    missing += left.ranges
                } else if !left.isEmpty {
                    report.refused.append(RefusedBatch(uids: left, failure: refusal(reply)))
                }
            default:
                break
            }
        }
        report.missing = UIDSet(ranges: missing)
        return report
    }

    private struct OutstandingBatch {
        let tag: [UInt8]
        let uids: UIDSet
        var arrived: Set<UID> = []

        func lacks(_ uid: UID) -> Bool { uids.contains(uid) && !arrived.contains(uid) }
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
