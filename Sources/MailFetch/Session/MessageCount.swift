/// How many messages a folder has, as its server tells it beside everything else. Pure.
struct MessageCount: Sendable {
    /// By the last number told, less what has gone since.
    private(set) var now: UInt32 = 0
    /// The highest number since the folder was opened.
    private(set) var most: UInt32 = 0
    /// The lowest number since the listing began: so many messages were there all the time, and have to be named. One that
    /// comes while UIDs are listed need not be among them, and one that goes need not either.
    private(set) var least: UInt32 = 0

    mutating func beginListing() { least = now }

    mutating func note(_ response: Response) {
        switch response {
        case .exists(let count):
            now = count
            most = max(most, count)
        case .expunge: now -= min(now, 1)
        case .vanished(let uids, earlier: false):
            let gone = uids.reduce(into: UInt64(0)) { $0 += UInt64($1.upperBound - $1.lowerBound) + 1 }
            now -= UInt32(min(UInt64(now), gone))
        default: return
        }
        least = min(least, now)
    }
}
