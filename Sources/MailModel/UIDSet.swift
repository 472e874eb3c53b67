/// A set of UIDs kept as sorted, disjoint, non-adjacent ranges, so that a mailbox
/// of a million messages without gaps costs one range.
public struct UIDSet: Hashable, Sendable {
    public private(set) var ranges: [ClosedRange<UInt32>]

    public init() { ranges = [] }

    /// Any order, any overlap.
    public init(_ uids: some Sequence<UID>) {
        self.init(ranges: uids.map { $0.rawValue...$0.rawValue })
    }

    /// Any order, any overlap.
    public init(ranges unordered: [ClosedRange<UInt32>]) {
        ranges = []
        for range in unordered.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last,
                last.upperBound == .max || range.lowerBound <= last.upperBound + 1
            {
                if range.upperBound > last.upperBound {
                    ranges[ranges.count - 1] = last.lowerBound...range.upperBound
                }
            } else {
                ranges.append(range)
            }
        }
    }

    public var isEmpty: Bool { ranges.isEmpty }
    public var count: Int { ranges.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) + 1 } }
    public var first: UID? { ranges.first.map { UID($0.lowerBound) } }
    public var last: UID? { ranges.last.map { UID($0.upperBound) } }

    public func contains(_ uid: UID) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < uid.rawValue {
                low = middle + 1
            } else if ranges[middle].lowerBound > uid.rawValue {
                high = middle
            } else {
                return true
            }
        }
        return false
    }

    public func union(_ other: UIDSet) -> UIDSet { UIDSet(ranges: ranges + other.ranges) }

    public func subtracting(_ other: UIDSet) -> UIDSet {
        var left: [ClosedRange<UInt32>] = []
        var index = 0
        for range in ranges {
            var lower = range.lowerBound
            var exhausted = false
            while index < other.ranges.count, other.ranges[index].upperBound < lower { index += 1 }
            var cursor = index
            while cursor < other.ranges.count, other.ranges[cursor].lowerBound <= range.upperBound {
                let hole = other.ranges[cursor]
                if hole.lowerBound > lower { left.append(lower...(hole.lowerBound - 1)) }
                guard hole.upperBound < range.upperBound else {
                    exhausted = true
                    break
                }
                lower = hole.upperBound + 1
                cursor += 1
            }
            if !exhausted { left.append(lower...range.upperBound) }
        }
        return UIDSet(ranges: left)
    }

    /// The highest UIDs, at most so many.
    public func highest(_ count: Int) -> UIDSet {
        var taken: [ClosedRange<UInt32>] = []
        var left = count
        for range in ranges.reversed() where left > 0 {
            let width = min(left, Int(range.upperBound - range.lowerBound) + 1)
            taken.append((range.upperBound - UInt32(width - 1))...range.upperBound)
            left -= width
        }
        return UIDSet(ranges: taken)
    }

    public func intersection(_ other: UIDSet) -> UIDSet { subtracting(subtracting(other)) }

    /// The UIDs in ascending order.
    public var uids: some Sequence<UID> { ranges.lazy.joined().lazy.map { UID($0) } }

    /// An IMAP sequence-set (RFC 9051, section 9), such as `1:5,9`. The empty set
    /// has no such form; do not send it.
    public var sequenceSet: String {
        ranges.map {
            $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound):\($0.upperBound)"
        }
        .joined(separator: ",")
    }
}
