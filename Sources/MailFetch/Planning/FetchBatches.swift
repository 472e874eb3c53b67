public import MailModel

/// Messages to fetch, split into batches that bound what is asked for at once.
public struct FetchBatches: Sendable, Hashable {
    public enum Order: String, Sendable, Hashable, Codable {
        /// What users look for first comes first.
        case newestFirst
        case oldestFirst
    }

    /// In the order in which to ask for them.
    public private(set) var batches: [UIDSet] = []
    /// Beyond the message limit: to be recorded, not fetched.
    public private(set) var oversize: [MessageMetadata] = []

    /// - Parameters:
    ///   - messages: in any order; of equal UIDs the first counts.
    ///   - maximumCount: messages a batch.
    ///   - maximumBytes: of a batch by the server's sizes; a larger single message is its own batch.
    ///   - messageLimit: a message with more bytes is set apart.
    public init(
        _ messages: [MessageMetadata], order: Order = .newestFirst, maximumCount: Int = 500,
        maximumBytes: Int = 4 << 20, messageLimit: Int = MailLimits.standard.messageBytes
    ) {
        var current: [UID] = []
        var bytes = 0
        var last: UID?
        let sorted = messages.sorted { order == .newestFirst ? $0.uid > $1.uid : $0.uid < $1.uid }
        for message in sorted where message.uid != last {
            last = message.uid
            guard message.size <= messageLimit else {
                oversize.append(message)
                continue
            }
            let (sum, overflow) = bytes.addingReportingOverflow(max(0, message.size))
            if !current.isEmpty, overflow || sum > maximumBytes || current.count >= maximumCount {
                batches.append(UIDSet(current))
                current = []
                bytes = 0
            }
            current.append(message.uid)
            bytes += max(0, message.size)
        }
        if !current.isEmpty { batches.append(UIDSet(current)) }
    }
}
