import MailFetch
public import MailModel

/// How much mail one poll may fetch, by the sizes that the server tells: a slice, so that the others get
/// their turn, and what is left of a day's limit.
public struct FetchAllowance: Sendable, Hashable {
    /// What one poll fetches before it ends; a large mailbox comes in many such slices. Each costs some twenty
    /// round trips, so that few are worth having; the polls of other accounts do not wait for it (`PollPlaces`).
    public static let usualSliceBytes: Int64 = 512 << 20

    private let sliceBytes: Int64
    /// Nil where nothing limits a day.
    private let dayBytes: Int64?
    /// Fetched today by earlier polls.
    private let usedToday: Int64
    /// Mail that has come since then may use the last fifth of a day's limit, which older mail leaves to it.
    private let recentSince: UnixTime
    private var admittedBytes: Int64 = 0
    /// Whether mail was left for the account's next turn.
    public private(set) var hasMore = false
    /// Whether it was left because of the day's limit.
    public private(set) var isDayUsedUp = false

    public init(
        sliceBytes: Int64 = usualSliceBytes, dayBytes: Int64? = nil, usedToday: Int64 = 0,
        recentSince: UnixTime = UnixTime(.max)
    ) {
        self.sliceBytes = sliceBytes
        self.dayBytes = dayBytes
        self.usedToday = usedToday
        self.recentSince = recentSince
    }

    /// The messages that may be fetched now, the newest first.
    ///
    /// One message may be larger than the slice, or than a whole day's limit, when it is the first of it:
    /// it would never come otherwise.
    ///
    /// - Parameters:
    ///   - messages: in any order.
    ///   - messageLimit: larger ones are only recorded, and cost nothing.
    mutating func admit(_ messages: [MessageMetadata], messageLimit: Int) -> [MessageMetadata] {
        var admitted: [MessageMetadata] = []
        admitted.reserveCapacity(messages.count)
        for message in messages.sorted(by: { $0.uid > $1.uid }) {
            let size = message.size > messageLimit ? 0 : Int64(max(0, message.size))
            let today = usedToday + admittedBytes
            let isRecent = message.internalDate.map { $0 >= recentSince } ?? false
            let exceedsDay =
                dayBytes.map { today > 0 && size > (isRecent ? $0 : $0 / 5 * 4) - today } ?? false
            if exceedsDay || (admittedBytes > 0 && size > sliceBytes - admittedBytes) {
                hasMore = true
                isDayUsedUp = isDayUsedUp || exceedsDay
                break
            }
            admittedBytes += size
            admitted.append(message)
        }
        return admitted
    }
}
