import Testing

@testable import MailFetch

/// With a timeout of one second: 1,024 bytes have to come in each four seconds of waiting.
@Suite struct ReadingPaceTests {
    /// How many waits of a second each are let pass before the answer counts as none; nil for all of them.
    private func waits(_ count: Int, bringing bytes: Int, discounting words: Int = 0) -> Int? {
        var pace = ReadingPace(timeoutSeconds: 1)
        for number in 0..<count {
            if !pace.note(waited: .seconds(1), bytes: bytes) { return number }
            pace.discount(bytes: words)
        }
        return nil
    }

    @Test func whatComesTooSlowlyToEverEndIsLeft() {
        #expect(waits(100, bringing: 1) == 3)
        #expect(waits(100, bringing: 255) == 3)
        #expect(waits(30, bringing: 400) == nil)
    }

    @Test func wordsThatSayNothingDoNotCountHoweverManyTheyAre() {
        #expect(waits(100, bringing: 1 << 20, discounting: 1 << 20) == 4)
        #expect(waits(30, bringing: 1_000, discounting: 300) == nil)
    }

    @Test func anAnswerThatGoesOnForHoursHasToComeFaster() {
        #expect(waits(10_000, bringing: 400).map { $0 < 100 } == true)
        #expect(waits(100_000, bringing: 100_000).map { $0 < 500 } == true)
    }

    @Test func anAnswerThatComesAtLastCounts() {
        var pace = ReadingPace(timeoutSeconds: 1)
        for number in 0..<23 {
            let isWaitedFor = pace.note(waited: .seconds(1), bytes: number < 3 ? 1 : 100_000)
            #expect(isWaitedFor)
        }
    }

    @Test func afterAnAnswerTheNextHasAllItsTime() {
        var pace = ReadingPace(timeoutSeconds: 1)
        for _ in 0..<20 {
            let isWaitedFor = pace.note(waited: .seconds(3), bytes: 1)
            #expect(isWaitedFor)
            pace.restart()
        }
    }
}
