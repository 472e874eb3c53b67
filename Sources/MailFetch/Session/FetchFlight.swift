import MailModel

/// The bookkeeping of one fetch: what is on the wire, and what has become of each UID. Pure: what the server
/// sent goes in; what to ask next, and what may be delivered, come out.
struct FetchFlight {
    /// What is asked of the server.
    enum Request {
        case messages(UIDSet)
        /// What stands behind the end of a message that came shorter than its size.
        case rest(UID, offset: Int)

        var command: IMAPCommand {
            switch self {
            case .messages(let uids): .fetchMessages(uids.sequenceSet)
            case .rest(let uid, let offset): .fetchPiece(uid, offset: offset, count: 64)
            }
        }
    }

    private struct Batch {
        let tag: [UInt8]
        let uids: UIDSet
        var arrived: Set<UID> = []

        func lacks(_ uid: UID) -> Bool { uids.contains(uid) && !arrived.contains(uid) }
    }

    private let sizes: [UID: Int]
    private let depth: Int
    private var waiting: ArraySlice<UIDSet>
    private var batches: [Batch] = []
    private var asking: [Request] = []

    /// Messages that came short, until the server has said whether there is more of them.
    private var held: [UID: FetchedMessage] = [:]
    private var unasked: [UID] = []
    private var probes: [[UInt8]: UID] = [:]
    /// Messages that came shorter than their size and proved to be whole.
    private(set) var provenShort: Int

    private var deliveries: [FetchedMessage] = []
    /// United once at the end: a union a batch would be quadratic where a server sends nothing.
    private var missing: [ClosedRange<UInt32>] = []
    private var tooLarge: [MessageMetadata] = []
    private var refused: [RefusedBatch] = []
    private var cutShort: Set<UID> = []
    /// The message behind whose end the server went on with something that belongs to no list.
    private(set) var torn: UID?

    init(_ batches: [UIDSet], sizes: [UID: Int], depth: Int, provenShort: Int) {
        self.sizes = sizes
        self.depth = max(1, min(depth, IMAPLimits.commandsInFlight))
        self.provenShort = provenShort
        waiting = batches.flatMap { $0.pieces(maximumBytes: IMAPLimits.sequenceSetBytes) }[...]
    }

    var isOver: Bool {
        waiting.isEmpty && batches.isEmpty && held.isEmpty && deliveries.isEmpty && probes.isEmpty
    }

    private var isHoldingMuch: Bool {
        held.count >= IMAPLimits.heldMessages
            || held.values.reduce(0) { $0 + $1.bytes.count } >= IMAPLimits.heldBytes
    }

    /// The first UID that the server has still to send of what it was asked for; where it has sent all, one of which it
    /// does not say whether there is more.
    var next: UID? {
        nextMessage ?? probes.values.min()
    }

    private var nextMessage: UID? {
        batches.lazy.compactMap { batch in batch.uids.uids.first { !batch.arrived.contains($0) } }.first
    }

    // MARK: Asking

    /// What to send now; `sent` takes their tags.
    mutating func requests() -> [Request] {
        asking = unasked.prefix(IMAPLimits.probesInFlight - probes.count).map { uid in
            .rest(uid, offset: held[uid]?.bytes.count ?? 0)
        }
        unasked.removeFirst(asking.count)
        let next = isHoldingMuch ? [] : waiting.prefix(max(0, depth - batches.count))
        waiting = waiting.dropFirst(next.count)
        asking += next.map { .messages($0) }
        return asking
    }

    mutating func sent(_ tags: [[UInt8]]) {
        for (tag, request) in zip(tags, asking) {
            switch request {
            case .messages(let uids): batches.append(Batch(tag: tag, uids: uids))
            case .rest(let uid, _): probes[tag] = uid
            }
        }
        asking = []
    }

    // MARK: What comes

    /// - Returns: whether it was asked for.
    mutating func received(_ data: FetchedData) -> Bool {
        guard let uid = data.uid else { return false }
        var isAsked = false
        if let piece = data.piece, let message = held[uid], piece.offset == message.bytes.count {
            isAsked = true
            if case .bytes(let rest) = piece.content, rest.count == 0 {
                provenShort += 1
                release(uid)
            } else {
                held[uid] = nil
                cutShort.insert(uid)
            }
        }
        guard let body = data.body, let index = batches.firstIndex(where: { $0.lacks(uid) }) else {
            return isAsked
        }
        guard !data.isTorn else {
            torn = uid
            return true
        }
        batches[index].arrived.insert(uid)
        switch body {
        case .bytes(let bytes) where bytes.count == 0 && sizes[uid] ?? 0 > 0:
            // Whatever it is, the message it is not.
            missing.append(uid.rawValue...uid.rawValue)
        case .bytes(let bytes):
            let message = FetchedMessage(uid: uid, internalDate: data.internalDate, bytes: bytes)
            if bytes.count < sizes[uid] ?? 0, provenShort < IMAPLimits.provenShortMessages {
                held[uid] = message
                unasked.append(uid)
            } else {
                deliveries.append(message)
            }
        case .tooLarge(let size):
            tooLarge.append(MessageMetadata(uid: uid, size: size, internalDate: data.internalDate))
        }
        return true
    }

    mutating func answered(_ tag: [UInt8], _ kind: StatusKind, refusal: @autoclosure () -> MailFailure) {
        if let uid = probes.removeValue(forKey: tag), held[uid] != nil {
            if kind == .no {
                // There may be more of it, which cannot be had now.
                held[uid] = nil
                refused.append(RefusedBatch(uids: UIDSet([uid]), failure: refusal()))
            } else {
                // A server that has no word on the rest of a message, or does not understand the question, has no more
                // of it, as far as can be known.
                release(uid)
            }
        }
        guard let index = batches.firstIndex(where: { $0.tag == tag }) else { return }
        let batch = batches.remove(at: index)
        let left = batch.uids.subtracting(UIDSet(batch.arrived))
        if kind == .ok {
            missing += left.ranges
        } else if !left.isEmpty {
            refused.append(RefusedBatch(uids: left, failure: refusal()))
        }
    }

    private mutating func release(_ uid: UID) {
        if let message = held.removeValue(forKey: uid) { deliveries.append(message) }
    }

    mutating func takeDelivery() -> FetchedMessage? { deliveries.isEmpty ? nil : deliveries.removeFirst() }

    func finish(_ report: inout FetchReport) {
        report.missing = UIDSet(ranges: missing)
        report.tooLarge = tooLarge
        report.refused = refused
        report.cutShort = UIDSet(cutShort)
    }
}
