import MailFetch
import MailModel
import Testing

@testable import Worker

struct FetchAllowanceTests {
    private func message(_ uid: UInt32, _ size: Int, at time: Int64? = nil) -> MessageMetadata {
        MessageMetadata(uid: UID(uid), size: size, internalDate: time.map { UnixTime($0) })
    }

    private func admitted(_ allowance: inout FetchAllowance, _ messages: [MessageMetadata]) -> [UInt32] {
        allowance.admit(messages, messageLimit: 1_000).map(\.uid.rawValue)
    }

    @Test func aSliceTakesTheNewestAndLeavesTheRestForTheNextTurn() {
        var allowance = FetchAllowance(sliceBytes: 100)
        #expect(admitted(&allowance, [message(1, 40), message(2, 40), message(3, 40)]) == [3, 2])
        #expect(allowance.hasMore && !allowance.isDayUsedUp)
        #expect(admitted(&allowance, [message(9, 30)]).isEmpty, "the next folder has its turn later too")
    }

    @Test func aMessageLargerThanASliceComesAsTheFirstOfOne() {
        var allowance = FetchAllowance(sliceBytes: 100)
        #expect(admitted(&allowance, [message(2, 50), message(1, 900)]) == [2])
        var next = FetchAllowance(sliceBytes: 100)
        #expect(admitted(&next, [message(1, 900)]) == [1])
        #expect(!next.hasMore)
    }

    @Test func whatIsOnlyRecordedCostsNothing() {
        var allowance = FetchAllowance(sliceBytes: 100)
        #expect(admitted(&allowance, [message(3, 90), message(2, 5_000), message(1, 10)]) == [3, 2, 1])
        #expect(!allowance.hasMore)
    }

    @Test func sizesThatNoMessageHasDoNotOverflow() {
        var allowance = FetchAllowance(sliceBytes: 100)
        let messages = [message(4, .max), message(3, .min), message(2, -1), message(1, 100)]
        #expect(admitted(&allowance, messages) == [4, 3, 2, 1])
    }

    @Test func aDaysLimitEndsAPollUntilTheNextDay() {
        var allowance = FetchAllowance(sliceBytes: 1_000, dayBytes: 500, usedToday: 300)
        #expect(admitted(&allowance, [message(3, 60), message(2, 40), message(1, 1)]) == [3, 2])
        #expect(allowance.isDayUsedUp && allowance.hasMore)
    }

    @Test func aFifthOfTheDaysLimitIsKeptForNewMail() {
        var allowance = FetchAllowance(
            sliceBytes: 1_000, dayBytes: 500, usedToday: 400, recentSince: UnixTime(5_000))
        let messages = [message(3, 90, at: 5_000), message(2, 1, at: 4_999), message(1, 1)]
        #expect(admitted(&allowance, messages) == [3])
        #expect(allowance.isDayUsedUp)
        var full = FetchAllowance(
            sliceBytes: 1_000, dayBytes: 500, usedToday: 499, recentSince: UnixTime(5_000))
        #expect(admitted(&full, [message(4, 2, at: 6_000)]).isEmpty)
    }

    @Test func aMessageLargerThanADaysLimitComesAsTheFirstOfADay() {
        var allowance = FetchAllowance(sliceBytes: 1_000, dayBytes: 500)
        #expect(admitted(&allowance, [message(1, 900)]) == [1])
        var later = FetchAllowance(sliceBytes: 1_000, dayBytes: 500, usedToday: 1)
        #expect(admitted(&later, [message(1, 900)]).isEmpty)
    }
}
