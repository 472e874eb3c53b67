public import Archive
import Dispatch
public import MIMEParse
public import MailModel

/// Takes received messages from any number of accounts, parses them side by
/// side, and commits whatever is ready in one group after another.
///
/// A message is *submitted* (waits for room), *parsed*, and *committed*; only a
/// commit makes it count. What is not committed when the process ends is not in
/// the ledger and is fetched again by the next poll.
///
/// Memory is bounded by `receivingBytes`: `submit` waits while that much mail is
/// between the network and the archive, and with it the network waits. Room is given
/// in the order of asking, so that a large message is not overtaken for ever.
///
/// A commit that fails stops the tallies whose messages were in it, and no others:
/// the next poll tries anew, and succeeds when the archive is well again.
public actor IngestPipeline {
    /// How much is done at a time, and for how long.
    public struct Limits: Sendable {
        /// Mail between the network and the archive, in bytes.
        public var receivingBytes = 48 << 20
        /// One group commit, in messages and bytes.
        public var commitMessages = 1000
        public var commitBytes = 16 << 20
        /// One parse task, in messages and bytes: large enough that starting it costs little.
        public var parseMessages = 32
        public var parseBytes = 256 << 10
        /// Room on the disk below which nothing more is committed.
        public var space = SpaceLimit()

        public init() {}
    }

    private let archive: Archive
    private let parsing: any MessageParsing
    private let limits: Limits
    /// Commits block on the disk, so they run on a thread of their own.
    private let commitQueue = DispatchQueue(label: "mailworker.commit")

    private var unparsed: [Pending] = []
    private var unparsedBytes = 0
    private var ready: [Parsed] = []
    private var heldBytes = 0
    private var isCommitting = false
    private var waitingForRoom: [Submitter] = []
    private var waitingForCommit: [CheckedContinuation<Void, Never>] = []

    private struct Submitter {
        var byteCount: Int
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct Pending: Sendable {
        var message: ReceivedMessage
        var tally: IngestTally
    }

    private struct Parsed: Sendable {
        var arrival: Arrival
        var tally: IngestTally
        var byteCount: Int
    }

    public init(archive: Archive, parsing: any MessageParsing, limits: Limits = Limits()) {
        self.archive = archive
        self.parsing = parsing
        self.limits = limits
    }

    /// Hands one message over; returns when there is room for it, not when it is stored.
    /// - Throws: the failure that stopped the tally, such as a full disk.
    public func submit(_ message: ReceivedMessage, for tally: IngestTally) async throws(MailFailure) {
        let byteCount = message.bytes.count
        if waitingForRoom.isEmpty, hasRoom(for: byteCount) {
            heldBytes += byteCount
        } else {
            startParsing()
            // Whoever resumes it has taken the room already.
            await withCheckedContinuation {
                waitingForRoom.append(Submitter(byteCount: byteCount, continuation: $0))
            }
        }
        if let failure = tally.stopFailure {
            release(byteCount)
            throw failure
        }
        tally.submitted()
        unparsed.append(Pending(message: message, tally: tally))
        unparsedBytes += byteCount
        // While somebody waits, nothing may lie about until its account's server sends more.
        if unparsed.count >= limits.parseMessages || unparsedBytes >= limits.parseBytes
            || !waitingForRoom.isEmpty
        {
            startParsing()
        }
    }

    /// Waits until everything submitted for the tally is committed.
    /// - Throws: the failure that stopped the tally.
    public func flush(_ tally: IngestTally) async throws(MailFailure) {
        startParsing()
        while tally.stopFailure == nil, tally.pendingCount > 0 {
            await withCheckedContinuation { waitingForCommit.append($0) }
        }
        if let failure = tally.stopFailure { throw failure }
    }

    /// Bytes between the network and the archive.
    var heldByteCount: Int { heldBytes }
    var submittersWaiting: Int { waitingForRoom.count }

    private func startParsing() {
        guard !unparsed.isEmpty else { return }
        let chunk = unparsed
        unparsed.removeAll(keepingCapacity: true)
        unparsedBytes = 0
        let parsing = parsing
        Task.detached(priority: .userInitiated) { [self] in
            do throws(MailFailure) {
                let outcomes = try await parsing.parse(chunk.map(\.message.bytes))
                let parsed = zip(chunk, outcomes).map { pending, outcome in
                    if outcome.isLoss { pending.tally.parserLost() }
                    return Parsed(
                        arrival: MessageReader.arrival(of: pending.message, read: outcome),
                        tally: pending.tally, byteCount: pending.message.bytes.count)
                }
                await commitWhenPossible(parsed)
            } catch {
                await giveUp(chunk, error)
            }
        }
    }

    /// Nobody can read at present: these have no ledger row, so the next poll meets them again.
    private func giveUp(_ chunk: [Pending], _ failure: MailFailure) {
        for pending in chunk { pending.tally.stop(failure) }
        release(chunk.reduce(0) { $0 + $1.message.bytes.count })
        resumeFlushes()
    }

    private func resumeFlushes() {
        let waiting = waitingForCommit
        waitingForCommit.removeAll()
        for continuation in waiting { continuation.resume() }
    }

    private func commitWhenPossible(_ parsed: [Parsed]) {
        ready += parsed
        guard !isCommitting else { return }
        isCommitting = true
        Task { await commitAllReady() }
    }

    private func commitAllReady() async {
        while !ready.isEmpty {
            let group = takeGroup()
            guard !group.isEmpty else { continue }
            do {
                let outcomes = try await commit(group.map(\.arrival))
                for (parsed, outcome) in zip(group, outcomes) { parsed.tally.committed(outcome) }
            } catch {
                for parsed in group { parsed.tally.stop(error) }
            }
            release(group.reduce(0) { $0 + $1.byteCount })
            resumeFlushes()
        }
        isCommitting = false
    }

    /// The next messages to commit. Those of a stopped tally are given up: they have no
    /// ledger row, so the next poll meets them again.
    private func takeGroup() -> [Parsed] {
        var group: [Parsed] = []
        var taken = 0
        var bytes = 0
        var givenUp = 0
        for parsed in ready {
            if parsed.tally.stopFailure != nil {
                givenUp += parsed.byteCount
            } else {
                let isFull =
                    group.count >= limits.commitMessages || bytes + parsed.byteCount > limits.commitBytes
                if isFull, !group.isEmpty { break }
                group.append(parsed)
                bytes += parsed.byteCount
            }
            taken += 1
        }
        ready.removeFirst(taken)
        if givenUp > 0 { release(givenUp) }
        return group
    }

    /// A message larger than all room passes when nothing else is held.
    private func hasRoom(for byteCount: Int) -> Bool {
        heldBytes == 0 || heldBytes + byteCount <= limits.receivingBytes
    }

    private func release(_ byteCount: Int) {
        heldBytes -= byteCount
        var admitted = 0
        while admitted < waitingForRoom.count, hasRoom(for: waitingForRoom[admitted].byteCount) {
            heldBytes += waitingForRoom[admitted].byteCount
            waitingForRoom[admitted].continuation.resume()
            admitted += 1
        }
        waitingForRoom.removeFirst(admitted)
    }

    private func commit(_ arrivals: [Arrival]) async throws(MailFailure) -> [IngestOutcome] {
        try limits.space.check(archive)
        let archive = archive
        let result: Result<[IngestOutcome], MailFailure> = await withCheckedContinuation { continuation in
            commitQueue.async {
                continuation.resume(
                    returning: Result { () throws(MailFailure) in try archive.ingest(arrivals) })
            }
        }
        return try result.get()
    }
}
