import CPageSums

/// Which bits of a damaged page may have flipped, by what each would have changed in the page's checksum.
///
/// The sum is linear: what a bit changes in it depends on the bit's place alone, not on the rest of the page. So the
/// difference between the sum that stands in the page and the page's own tells which bits can have made it, without
/// summing up the page for each of them.
struct PageFlips {
    /// The checksum's two words.
    private struct Sum {
        var a: UInt32
        var b: UInt32

        static func - (left: Sum, right: Sum) -> Sum { Sum(a: left.a &- right.a, b: left.b &- right.b) }

        /// What the sum of a page changes by when the sum of the words before changes by this, one step on.
        var carried: Sum { Sum(a: a &+ b, b: a &+ b &+ b) }
    }

    /// All bits that can be the one, and few others: whoever asks compares the whole page.
    let candidates: [PageMending.Flip]

    init(_ page: [UInt8], _ number: UInt32) {
        let end = page.count - Int(mw_page_sum_bytes)
        let stored = Sum(a: Self.word(page, at: end), b: Self.word(page, at: end + 4))
        var own = [UInt8](repeating: 0, count: Int(mw_page_sum_bytes))
        mw_page_sum(page, page.count, number, &own)
        let missing = stored - Sum(a: Self.word(own, at: 0), b: Self.word(own, at: 4))
        // Of the sum itself any bit can have flipped.
        var candidates = (end..<page.count).flatMap { place in
            (0..<UInt8(8)).map { PageMending.Flip(place: place, bit: $0) }
        }
        // What a one more in the first and in the second word of a step adds to the sum, from the last step back.
        var (first, second) = (Sum(a: 1, b: 1), Sum(a: 0, b: 1))
        for place in stride(from: (end / 8 - 1) * 8, through: 0, by: -8) {
            for (weight, at) in [(first, place), (second, place + 4)] {
                let word = Self.word(page, at: at)
                for bit in UInt32(0)..<32 {
                    let change = word & 1 << bit == 0 ? UInt32(1) << bit : 0 &- UInt32(1) << bit
                    guard weight.a &* change == missing.a, weight.b &* change == missing.b else { continue }
                    candidates.append(PageMending.Flip(place: at + Int(bit / 8), bit: UInt8(bit % 8)))
                }
            }
            (first, second) = (first.carried, second.carried)
        }
        self.candidates = candidates.sorted { ($0.place, $0.bit) < ($1.place, $1.bit) }
    }

    private static func word(_ bytes: [UInt8], at place: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
    }
}
