/// Deadlines in order, earliest first: a binary heap.
struct DeadlineHeap {
    private var entries: [(time: Int64, connection: LoopConnection)] = []

    var first: (time: Int64, connection: LoopConnection)? { entries.first }

    mutating func insert(_ time: Int64, _ connection: LoopConnection) {
        entries.append((time, connection))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].time < entries[parent].time else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    /// Traps when empty.
    mutating func removeFirst() -> LoopConnection {
        entries.swapAt(0, entries.count - 1)
        let connection = entries.removeLast().connection
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].time < entries[least].time { least = child }
            guard least != parent else { break }
            entries.swapAt(least, parent)
            parent = least
        }
        return connection
    }
}
