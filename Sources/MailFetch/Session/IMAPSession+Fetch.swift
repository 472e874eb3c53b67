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

/// What a server has told so far of sizes and dates.
struct MetadataAnswers {
    private(set) var found: [UID: MessageMetadata] = [:]
    /// What is told beyond that many is no answer.
    private let limit: Int
    private var labelsBytes = 0

    init(limit: Int = IMAPLimits.messages) { self.limit = min(limit, IMAPLimits.messages) }

    var isBeyondLimit: Bool { found.count > limit }

    var sorted: [MessageMetadata] { found.values.sorted { $0.uid < $1.uid } }

    /// - Returns: whether it was asked for, and not told before.
    mutating func note(_ data: FetchedData, where isAsked: (UID) -> Bool) -> Bool {
        guard let uid = data.uid, let size = data.size, isAsked(uid), found[uid] == nil,
            !isBeyondLimit
        else { return false }
        var gmail = data.gmail
        labelsBytes += gmail?.labels.reduce(0) { $0 + $1.utf8.count } ?? 0
        if labelsBytes > IMAPLimits.labelsBytes { gmail?.labels = [] }
        found[uid] = MessageMetadata(uid: uid, size: size, internalDate: data.internalDate, gmail: gmail)
        return true
    }

    func lacking(of uids: UIDSet) -> UIDSet { UIDSet(uids.uids.filter { found[$0] == nil }) }

    /// The message whose answer comes next, where a server answers in order.
    func next(of sets: [UIDSet]) -> UID? {
        for uids in sets {
            var last: UID?
            for uid in uids.uids where found[uid] != nil { last = uid }
            guard let last else { return uids.first }
            if let next = uids.uids.first(where: { $0 > last }) { return next }
        }
        return nil
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
    /// Asked for and answered OK, but not sent, or sent without a byte in spite of their size: expunged meanwhile, or
    /// held back by the server.
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
    /// Fetches whole messages of the open folder, batch by batch, with several batches on the wire so
    /// that the server never waits for us.
    ///
    /// Each UID is delivered at most once, whole or not at all, in the order in which the server sends.
    /// While `deliver` runs nothing is read, which slows the server down to its pace.
    /// - Parameters:
    ///   - batches: a batch that the server refuses does not stop the others.
    ///   - sizes: as the server claims; a message that comes shorter is delivered once the server, asked for
    ///     what stands behind its end, has nothing more. Where it refuses to say, the message is refused.
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
                    flight.answered(tag, reply.kind, refusal: refusal(reply))
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
}
