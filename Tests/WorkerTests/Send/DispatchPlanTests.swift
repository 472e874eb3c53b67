import Archive
import MailFetch
import MailModel
import Testing

@testable import Worker

struct DispatchPlanTests {
    private let now = UnixTime(1_000_000)

    private func facts(_ recipients: [Int], change: (inout OutboxFacts) -> Void = { _ in }) -> OutboxFacts {
        var facts = OutboxFacts()
        facts.due = recipients.enumerated().map { index, count in
            OutboxFacts.Candidate(
                id: OutboxID(rawValue: Int64(index + 1)), recipients: count, size: 1, priority: 5)
        }
        change(&facts)
        return facts
    }

    private func plan(
        _ facts: OutboxFacts, _ preset: ProviderPreset = .custom, _ limits: SendLimits = .init(),
        room: Int = 10
    )
        -> (take: [Int64], wait: DispatchPlan.Wait?)
    {
        let plan = DispatchPlan(facts, rules: SendRules(preset: preset, limits: limits), room: room, now: now)
        return (plan.take.map(\.rawValue), plan.wait)
    }

    @Test func aPausedAccountIsAskedForNothing() {
        let failure = MailFailure(.init("x"), kind: .credential, "x")
        for until in [nil, now.advanced(bySeconds: 1)] {
            let result = plan(
                facts([1]) { $0.pause = SendPause(until: until, failures: 1, failure: failure) })
            #expect(result.take.isEmpty && result.wait == .paused)
        }
        let over = plan(facts([1]) { $0.pause = SendPause(until: now, failures: 1, failure: failure) })
        #expect(over.take == [1])
    }

    @Test func theDaysQuotaCountsWhatIsOnItsWayToo() {
        let result = plan(
            facts([1, 1, 1]) {
                $0.recipientsLastDay = 497
                $0.recipientsInFlight = 1
            }, .yandex)
        #expect(result.take == [1, 2] && result.wait == .dailyQuota)
    }

    @Test func aMailThatNeedsMoreThanIsLeftIsNotOvertaken() {
        let result = plan(facts([30, 1]) { $0.recipientsLastDay = 480 }, .yandex)
        #expect(result.take.isEmpty && result.wait == .dailyQuota)
    }

    @Test func ofAMailWithManyRecipientsOnlyThePartThatGoesNowCounts() {
        let result = plan(facts([400]) { $0.recipientsLastDay = 460 }, .yandex)
        #expect(result.take == [1])
    }

    @Test func thePaceHoldsWithinTheMinute() {
        let result = plan(
            facts([1, 1, 1]) {
                $0.messagesLastMinute = 3
                $0.messagesInFlight = 1
            }, .custom, SendLimits(messagesPerMinute: 5))
        #expect(result.take == [1] && result.wait == .pace)
    }

    @Test func aProvidersPaceHoldsUntilSomebodySetsAnother() {
        let facts = facts([1, 1]) { $0.messagesLastMinute = 29 }
        #expect(plan(facts, .outlook).take == [1] && plan(facts, .outlook).wait == .pace)
        #expect(plan(facts, .outlook, SendLimits(messagesPerMinute: 60)).take == [1, 2])
    }

    @Test func noMoreIsTakenThanThereIsRoomFor() {
        let result = plan(facts([1, 1, 1]), room: 2)
        #expect(result.take == [1, 2] && result.wait == nil)
    }
}
