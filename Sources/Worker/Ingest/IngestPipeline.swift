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
/// between the network and the archive, and with it the network waits.
public actor IngestPipeline {
    /// How much is done at a time.
    public struct Limits: Sendable {
        /// Mail between the network and the archive, in bytes.
        public var receivingBytes = 48 << 20
        /// One group commit, in messages and bytes.
        public var commitMessages = 1000
        public var commitBytes = 16 << 20
        /// One parse task, in messages and bytes: large enough that starting it costs little.
        public var parseMessages = 32
        public var parseBytes = 256 << 10

        public init() {}
    }

    private let archive: Archive
    private let reader: MessageReader
    private let limits: Limits
    /// Commits block on the disk, so they run on a thread of their own.
    private let commitQueue = DispatchQueue(label: "mailworker.commit")

    private var unparsed: [Pending] = []
    private var unparsedBytes = 0
    private var ready: [Parsed] = []
    private var heldBytes = 0
    private var isCommitting = false
    private var failure: MailFailure?
    private var waitingForRoom: [CheckedContinuation<Void, Never>] = []
    private var waitingForCommit: [CheckedContinuation<Void, Never>] = []

    private struct Pending: Sendable {
        var message: ReceivedMessage
        var tally: IngestTally
    }

    private struct Parsed: Sendable {
        var arrival: Arrival
        var tally: IngestTally
        var byteCount: Int
    }

    public init(archive: Archive, parser: MIMEParser, limits: Limits = Limits()) {
        self.archive = archive
        self.reader = MessageReader(parser: parser)
        self.limits = limits
    }

    /// Hands one message over; returns when there is room for it, not when it is stored.
    /// - Throws: the failure that stopped the pipeline, such as a full disk.
    public func submit(_ message: ReceivedMessage, for tally: IngestTally) async throws(MailFailure) {
        while failure == nil, heldBytes > 0, heldBytes + message.bytes.count > limits.receivingBytes {
            startParsing()
            await withCheckedContinuation { waitingForRoom.append($0) }
        }
        if let failure { throw failure }
        tally.submitted()
        heldBytes += message.bytes.count
        unparsed.append(Pending(message: message, tally: tally))
        unparsedBytes += message.bytes.count
        if unparsed.count >= limits.parseMessages || unparsedBytes >= limits.parseBytes { startParsing() }
    }

    /// Waits until everything submitted for the tally is committed.
    /// - Throws: the failure that stopped the pipeline.
    public func flush(_ tally: IngestTally) async throws(MailFailure) {
        startParsing()
        while failure == nil, tally.pendingCount > 0 {
            await withCheckedContinuation { waitingForCommit.append($0) }
        }
        if let failure { throw failure }
    }

    /// Bytes between the network and the archive.
    var heldByteCount: Int { heldBytes }
    var submittersWaiting: Int { waitingForRoom.count }

    private func startParsing() {
        guard !unparsed.isEmpty else { return }
        let chunk = unparsed
        unparsed.removeAll(keepingCapacity: true)
        unparsedBytes = 0
        let reader = reader
        Task.detached(priority: .userInitiated) { [self] in
            let parsed = chunk.map { pending in
                Parsed(
                    arrival: reader.arrival(of: pending.message), tally: pending.tally,
                    byteCount: pending.message.bytes.count)
            }
            await commitWhenPossible(parsed)
        }
    }

    private func commitWhenPossible(_ parsed: [Parsed]) {
        ready += parsed
        guard !isCommitting, failure == nil else { return }
        isCommitting = true
        Task { await commitAllReady() }
    }

    private func commitAllReady() async {
        while failure == nil, !ready.isEmpty {
            let group = takeGroup()
            do {
                let outcomes = try await commit(group.map(\.arrival))
                for (parsed, outcome) in zip(group, outcomes) { parsed.tally.committed(outcome) }
                heldBytes -= group.reduce(0) { $0 + $1.byteCount }
            } catch {
                failure = error
            }
            resumeWaiting()
        }
        isCommitting = false
    }

    private func takeGroup() -> [Parsed] {
        var count = 0
        var bytes = 0
        while count < ready.count, count < limits.commitMessages,
            count == 0 || bytes + ready[count].byteCount <= limits.commitBytes
        {
            bytes += ready[count].byteCount
            count += 1
        }
        let group = Array(ready[..<count])
        ready.removeFirst(count)
        return group
    }

    private func commit(_ arrivals: [Arrival]) async throws(MailFailure) -> [IngestOutcome] {
        let archive = archive
        let result: Result<[IngestOutcome], MailFailure> = await withCheckedContinuation { continuation in
            commitQueue.async {
                continuation.resume(
                    returning: Result { () throws(MailFailure) in try archive.ingest(arrivals) })
            }
        }
        return try result.get()
    }

    private func resumeWaiting() {
        let waiting = waitingForRoom + waitingForCommit
        waitingForRoom.removeAll()
        waitingForCommit.removeAll()
        for continuation in waiting { continuation.resume() }
    }
}
