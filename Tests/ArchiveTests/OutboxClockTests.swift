import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// What is counted of an account, and what waits, by a clock that may be wrong for a while.
@Suite struct OutboxClockTests {
    @Test func countsThatNoQuotaLooksAtGo() throws {
        let fixture = try ArchiveFixture()
        let now = fixture.clock.now.rawValue
        try fixture.archive.pool.write { db in
            for (table, column, time, count) in [
                ("send_counts", "minute, recipients", now / 60 - 5_000, 3_000),
                ("send_seconds", "at", now - 500, 200),
            ] {
                let values = table == "send_counts" ? "? - i, 1" : "? - i"
                try db.execute(
                    sql: """
                        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                        INSERT INTO \(table)(account, messages, \(column)) SELECT ?, 1, \(values) FROM n
                        """, arguments: [count, fixture.account.rawValue, time])
            }
        }
        _ = try OutboxTests.claimAll(fixture.archive, fixture)
        let left = try fixture.archive.pool.read { db in
            try ["send_counts", "send_seconds"].map {
                try Int.fetchOne(db, sql: "SELECT count(*) FROM \($0)")
            }
        }
        #expect(left == [2_881, 121])
    }

    @Test func aClockThatIsAMonthAheadForAMomentForgetsNothingOfTheDay() throws {
        let fixture = try ArchiveFixture()
        for number in 1...3 { _ = try DeliveryReportTests.sent(fixture, number) }
        fixture.clock.advance(30 * 86_400)
        _ = try DeliveryReportTests.sent(fixture, 4)
        _ = try OutboxTests.claimAll(fixture.archive, fixture)
        fixture.clock.advance(-30 * 86_400 + 10)
        let facts = try fixture.archive.outboxFacts(of: fixture.account)
        #expect(facts.recipientsLastDay == 3 && facts.messagesLastMinute == 3)
    }

    /// What a clock decided that was a month ahead does not wait for that month.
    @Test func whatAWrongClockPutOffIsDueWhenItIsRightAgain() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        let (month, start) = (Int64(30 * 86_400), fixture.clock.now)
        let before = try archive.queueMail(OutboxTests.draft(fixture, 1)).item
        let later = try archive.queueMail(
            OutboxTests.draft(fixture, 2) { $0.notBefore = start.advanced(bySeconds: 20 * 86_400) }
        ).item
        fixture.clock.advance(month)
        let claims = try OutboxTests.claimAll(archive, fixture)
        #expect(claims.map(\.id) == [before, later])
        var given = OutboxEnding(item: later, attempt: 1, nextTry: fixture.clock.now)
        given.weight = .nothing
        _ = try archive.noteOutbox([
            OutboxTests.ending(claims[0], .retry, now: fixture.clock.now), .ended(given),
        ])
        let meanwhile = try archive.queueMail(
            OutboxTests.draft(fixture, 3) { $0.notBefore = fixture.clock.now.advanced(bySeconds: 5) }
        ).item
        let failure = MailFailure(.sendUncertain, kind: .transient, "Not now")
        try archive.pauseSending(
            fixture.account,
            SendPause(until: fixture.clock.now.advanced(bySeconds: 60), failures: 1, failure: failure))
        fixture.clock.advance(-month)
        #expect(try archive.sendPause(of: fixture.account) == nil)
        #expect(try archive.accountsWithDueMail(at: fixture.clock.now) == [fixture.account])
        // Only a person puts mail off for longer.
        #expect(Set(try OutboxTests.claimAll(archive, fixture).map(\.id)) == [before, meanwhile])
    }

    /// Else twice as many could go within a second, on both sides of the minute's turn.
    @Test(arguments: 0..<60) func thePaceIsThatOfAnySixtySeconds(second: Int64) throws {
        let fixture = try ArchiveFixture()
        fixture.clock.advance(60 - fixture.clock.now.rawValue % 60 + second)
        for number in 1...2 { _ = try DeliveryReportTests.sent(fixture, number) }
        fixture.clock.advance(59)
        #expect(try fixture.archive.outboxFacts(of: fixture.account).messagesLastMinute == 2)
        fixture.clock.advance(1)
        #expect(try fixture.archive.outboxFacts(of: fixture.account).messagesLastMinute == 0)
    }

    /// The first of a day's mails may have gone at the end of its minute.
    @Test(arguments: [0, 59] as [Int64]) func aDayIsNotShorterThanADay(second: Int64) throws {
        let fixture = try ArchiveFixture()
        fixture.clock.advance(60 - fixture.clock.now.rawValue % 60 + second)
        _ = try DeliveryReportTests.sent(fixture)
        fixture.clock.advance(86_399)
        #expect(try fixture.archive.outboxFacts(of: fixture.account).recipientsLastDay == 1)
        fixture.clock.advance(61)
        #expect(try fixture.archive.outboxFacts(of: fixture.account).recipientsLastDay == 0)
    }
}
