import CMimetic

extension FuzzTarget {
    /// The C face alone, without the bounds that the parser sets before it asks.
    static let mimetic = FuzzTarget(
        name: "mimetic", summary: "libmimetic behind its C face", maximumLength: 4096
    ) { bytes in
        let capacity = 256
        withUnsafeTemporaryAllocation(of: mw_mimetic_entity.self, capacity: capacity) { list in
            var count = 0
            let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            guard let base else { return }
            let outcome = mw_mimetic_read(base, bytes.count, list.baseAddress, capacity, &count)
            promise(outcome == MW_MIMETIC_READ || count == 0, "entities in spite of outcome \(outcome)")
            promise(count <= capacity, "\(count) entities for \(capacity)")
            for index in 0..<count {
                let entity = list[index]
                promise(entity.parent < index && entity.parent >= -1, "parent of \(index)")
                promise(entity.header_start <= bytes.count, "header of \(index)")
                promise(entity.body_end <= bytes.count, "body of \(index) ends behind the mail")
                if entity.is_message == 0 {
                    promise(entity.header_start <= entity.body_start, "body of \(index) before its header")
                    promise(entity.body_start <= entity.body_end, "body of \(index) is turned round")
                }
            }
        }
    }
}
