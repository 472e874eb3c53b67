import Archive
import MailModel
import Testing

@testable import Worker

struct PollScheduleTests {
    private static let now = UnixTime(1_700_000_000)
    private static let middle = 0.5

    private func pause(
        _ outcome: PollSchedule.Outcome, failures: Int, interval: Int64 = 300, phase: Double = 0,
        jitter: Double = middle
    ) -> Int64? {
        PollSchedule(intervalSeconds: interval)
            .nextPoll(after: outcome, failures: failures, now: Self.now, phase: phase, jitter: jitter)
            .map { $0.rawValue - Self.now.rawValue }
    }

    @Test(arguments: [Int.max, Int.min, -1, Int(Int32.max) * 4])
    func aDelayBeyondReasonDoesNotOverflow(stated: Int) throws {
        for jitter in [0, 0.5, 1, 2, -1, Double.infinity] {
            let seconds = try #require(
                pause(.failed(.transient, retryAfterSeconds: stated), failures: 3, jitter: jitter))
            #expect(seconds >= 1)
            #expect(seconds <= 9 * 86_400, "no server's word keeps an account away for ever")
        }
    }

    @Test func anIntervalBeyondReasonDoesNotOverflow() throws {
        #expect(try #require(pause(.succeeded, failures: 0, interval: .max, jitter: 1)) > 0)
        #expect(try #require(pause(.succeeded, failures: 0, interval: .max, phase: 1, jitter: 1)) > 0)
        #expect(try #require(pause(.succeeded, failures: 0, interval: .max, phase: .infinity)) > 0)
        #expect(try #require(pause(.succeeded, failures: 0, interval: 0, jitter: 0)) == 1)
        #expect(try #require(pause(.succeeded, failures: 0, interval: .min, jitter: 0)) == 1)
    }

    static let pauses: [(failures: Int, seconds: Int64)] = [
        (1, 60), (2, 120), (3, 240), (4, 480), (5, 960), (6, 1920), (7, 3600), (8, 3600), (1_000_000, 3600),
        (.max, 3600), (0, 60), (-5, 60),
    ]

    @Test(arguments: pauses)
    func aTransientFailureDoublesThePauseUpToAnHour(failures: Int, expected: Int64) {
        #expect(pause(.failed(.transient, retryAfterSeconds: nil), failures: failures) == expected)
    }

    @Test func anAccountThatIsPolledDailyIsTriedAgainAfterAboutAnHour() {
        #expect(pause(.failed(.transient, retryAfterSeconds: nil), failures: 7, interval: 86_400) == 3840)
    }

    @Test(arguments: [0, 0.5, 1])
    func aStatedDelayIsNeverUndercut(jitter: Double) throws {
        let outcome = PollSchedule.Outcome.failed(.transient, retryAfterSeconds: 7200)
        let seconds = try #require(pause(outcome, failures: 1, jitter: jitter))
        #expect((7200...8640).contains(seconds))
    }

    @Test func aStatedDelayShorterThanTheBackoffDoesNotShortenIt() throws {
        let outcome = PollSchedule.Outcome.failed(.transient, retryAfterSeconds: 5)
        #expect(pause(outcome, failures: 4) == 480)
    }

    @Test func aRefusedPasswordIsTriedFiveTimesOverADayAndThenWaitsForItsUser() {
        for failures in 1...4 {
            #expect(pause(.failed(.credential, retryAfterSeconds: nil), failures: failures) == 17_280)
        }
        for failures in [5, 6, Int.max] {
            #expect(pause(.failed(.credential, retryAfterSeconds: nil), failures: failures) == nil)
        }
    }

    @Test(arguments: [(FailureKind.needsPerson, 6), (.needsPerson, 500), (.permanent, 1), (.permanent, 500)])
    func whatAPersonMustMendIsTriedEveryHour(kind: FailureKind, failures: Int) throws {
        #expect(pause(.failed(kind, retryAfterSeconds: nil), failures: failures) == 3600)
        #expect(pause(.failed(kind, retryAfterSeconds: nil), failures: failures, jitter: 0) == 2880)
        #expect(pause(.failed(kind, retryAfterSeconds: nil), failures: failures, jitter: 1) == 4320)
    }

    @Test func whatMayBeAnOutageIsTriedSoonBeforeItWaitsForAPerson() {
        let pauses = (1...6).map { pause(.failed(.needsPerson, retryAfterSeconds: nil), failures: $0) }
        #expect(pauses == [60, 120, 240, 480, 960, 3600])
    }

    static let spread: [(jitter: Double, seconds: Int64)] = [
        (0, 270), (0.5, 300), (0.999999, 329), (1, 330), (7, 330), (-7, 270),
    ]

    @Test(arguments: spread)
    func jitterSpreadsASuccessByATenthAtMost(jitter: Double, expected: Int64) {
        // The time of these tests lies 200 seconds into an interval.
        #expect(pause(.succeeded, failures: 0, phase: 200.5 / 300, jitter: jitter) == expected)
    }

    static let moments: [(phase: Double, seconds: Int64)] = [
        // A quarter of an interval is the least.
        (0.917, 75), (0.92, 76), (0.0, 100), (0.5, 250), (0.667, 300), (0.9, 370), (0.912, 373),
    ]

    @Test(arguments: moments)
    func aPollAtAnotherTimeIsFollowedByOneAtTheAccountsMoment(phase: Double, expected: Int64) {
        #expect(pause(.succeeded, failures: 0, phase: phase) == expected)
    }

    @Test func aThousandAccountsOfOneIntervalDoNotStayTogether() {
        // All were due at once; each is polled when it is due, for an hour.
        var random = SystemRandomNumberGenerator()
        let schedule = PollSchedule(intervalSeconds: 300)
        var polls = [Int](repeating: 0, count: 360)
        for number in 1...1_000 {
            let phase = AccountID(rawValue: Int64(number)).phase
            var due = Self.now
            while due.rawValue < Self.now.rawValue + 3_600 {
                polls[Int(due.rawValue - Self.now.rawValue) / 10] += 1
                due = schedule.nextPoll(
                    after: .succeeded, failures: 0, now: due, phase: phase,
                    jitter: Double.random(in: 0..<1, using: &random))!
            }
        }
        #expect(polls[0] == 1_000)
        // 33 in ten seconds, evenly; with the jitter the deviation is about five.
        #expect(polls[60...].allSatisfy { (5...75).contains($0) }, "\(polls[60...])")
        #expect((11_000...13_500).contains(polls.reduce(0, +)))
    }
}
