import Testing

@testable import Archive

/// When the write-ahead log is copied, and by whom.
@Suite struct LogGrowthTests {
    private let start = ContinuousClock.now

    /// What comes of commits of so many pages, up to the first that does not wait: after how many pages, and what.
    private func firstMove(
        _ growth: inout LogGrowth, from pages: Int32 = 0, commits size: Int32, limit: Int32 = 200_000
    ) -> (pages: Int32, move: LogGrowth.Move)? {
        var pages = pages
        while pages < limit {
            pages += size
            let move = growth.grew(to: pages, now: start)
            if move != .wait { return (pages, move) }
        }
        return nil
    }

    @Test func theLogOfSmallCommitsStaysShort() throws {
        var growth = LogGrowth(now: start)
        let first = try #require(firstMove(&growth, commits: 20))
        #expect(first.pages == 4000 && first.move == .copyBeside)
        // One at a time.
        #expect(growth.grew(to: 4500, now: start) == .wait)
        growth.wasCopied(4000, of: 4000, now: start)
        growth.endedBeside()
        // The rest is the writer's, after which the log begins anew.
        #expect(growth.grew(to: 4520, now: start) == .copyHere)
        growth.wasCopied(4520, of: 4520, now: start)
        #expect(growth.grew(to: 20, now: start) == .wait)
        #expect(try #require(firstMove(&growth, from: 20, commits: 20)).pages == 4000)
    }

    @Test func largeCommitsAreCopiedSeldom() throws {
        var growth = LogGrowth(now: start)
        let first = try #require(firstMove(&growth, commits: 6000))
        #expect(first.pages == 66_000 && first.move == .copyBeside)
        growth.wasCopied(66_000, of: 66_000, now: start)
        growth.endedBeside()
        // More than the writer should wait for has come meanwhile.
        #expect(growth.grew(to: 78_000, now: start) == .copyBeside)
    }

    @Test func theWriterWaitsWhereCopyingDoesNotKeepUp() throws {
        var growth = LogGrowth(now: start)
        #expect(try #require(firstMove(&growth, commits: 6000)).move == .copyBeside)
        let second = try #require(firstMove(&growth, from: 66_000, commits: 6000))
        #expect(second.pages == 132_000 && second.move == .copyHere)
    }

    @Test func aLogThatReadersKeepIsNotTriedWithEachCommit() throws {
        var growth = LogGrowth(now: start)
        let first = try #require(firstMove(&growth, commits: 20))
        growth.wasCopied(100, of: first.pages, now: start)
        growth.endedBeside()
        let next = try #require(firstMove(&growth, from: first.pages, commits: 20))
        #expect(next.pages == first.pages + LogGrowth.few + 20 && next.move == .copyBeside)
    }

    @Test func aSmallLogIsCopiedAfterAMinute() {
        var growth = LogGrowth(now: start)
        #expect(growth.grew(to: 20, now: start + .seconds(59)) == .wait)
        #expect(growth.grew(to: 40, now: start + .seconds(60)) == .copyHere)
        growth.wasCopied(40, of: 40, now: start + .seconds(60))
        #expect(growth.grew(to: 60, now: start + .seconds(61)) == .wait)
    }

    @Test func whatFailedIsTriedAgain() throws {
        var growth = LogGrowth(now: start)
        let first = try #require(firstMove(&growth, commits: 20))
        // As SQLite answers when it has not got as far as counting.
        growth.wasCopied(-1, of: -1, now: start)
        growth.endedBeside()
        #expect(growth.grew(to: first.pages + 20, now: start) == .wait)
        #expect(growth.grew(to: first.pages + LogGrowth.few + 20, now: start) == .copyBeside)
    }
}
