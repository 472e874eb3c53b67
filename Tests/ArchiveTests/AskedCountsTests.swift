import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// The hourly number of recipients, of which the 2,000th mail is told as soon as the first.
@Suite struct AskedCountsTests {
    private static func counts(_ archive: Archive) throws -> [String] {
        try archive.pool.read { db in
            try Row.fetchAll(db, sql: "SELECT name, at, recipients FROM asked_counts ORDER BY name, at").map {
                "\($0[0] as String) \($0[1] as Int64) \($0[2] as Int)"
            }
        }
    }

    @Test func thousandsOfMailsAreAFewRows() throws {
        let fixture = try ArchiveFixture()
        let user = try fixture.archive.user(named: "anna").id
        for number in 1...60 {
            if number == 31 { fixture.clock.advance(1) }
            _ = try fixture.archive.queueMail(
                OutboxTests.draft(fixture, number) { $0.user = user }, userHourlyLimit: 60)
        }
        let now = fixture.clock.now.rawValue
        #expect(
            try Self.counts(fixture.archive) == [
                "owner \(user) \(now - 1) 30", "owner \(user) \(now) 30",
            ])
        #expect(throws: MailFailure.self) {
            _ = try fixture.archive.queueMail(
                OutboxTests.draft(fixture, 61) { $0.user = user }, userHourlyLimit: 60)
        }
    }

    @Test func theHourEndsToTheSecond() throws {
        let fixture = try ArchiveFixture()
        let user = try fixture.archive.user(named: "anna").id
        let queue = { (number: Int) in
            _ = try fixture.archive.queueMail(
                OutboxTests.draft(fixture, number) { $0.user = user }, userHourlyLimit: 1)
        }
        try queue(1)
        fixture.clock.advance(3_599)
        #expect(throws: MailFailure.self) { try queue(2) }
        fixture.clock.advance(1)
        try queue(3)
    }

    @Test func whatWasRefusedIsNotCounted() throws {
        let fixture = try ArchiveFixture()
        let user = try fixture.archive.user(named: "anna").id
        let before = try Self.counts(fixture.archive)
        #expect(throws: MailFailure.self) {
            _ = try fixture.archive.queueMail(
                OutboxTests.draft(fixture, 1, to: ["a@client.example", "b@client.example"]) {
                    $0.user = user
                },
                userHourlyLimit: 1)
        }
        #expect(try Self.counts(fixture.archive) == before)
    }

    @Test func countsThatNoHourLooksAtGo() throws {
        let fixture = try ArchiveFixture()
        let user = try fixture.archive.user(named: "anna").id
        let old = fixture.clock.now.rawValue - 90_000
        try fixture.archive.pool.write { db in
            try db.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7300)
                    INSERT INTO asked_counts(name, at, recipients) SELECT 'owner ' || ?, ? - i, 1 FROM n
                    """, arguments: [user.rawValue, old])
        }
        _ = try fixture.archive.queueMail(OutboxTests.draft(fixture) { $0.user = user })
        let left = try Self.counts(fixture.archive)
        #expect(left.count == 7201 && left.first == "owner \(user) \(old - 7200) 1")
    }

    @Test func aClockThatIsAMonthAheadForAMomentChangesNothingOfTheHour() throws {
        let fixture = try ArchiveFixture()
        let user = try fixture.archive.user(named: "anna").id
        let queue = { (number: Int) in
            _ = try fixture.archive.queueMail(
                OutboxTests.draft(fixture, number) { $0.user = user }, userHourlyLimit: 3)
        }
        try queue(1)
        try queue(2)
        fixture.clock.advance(30 * 86_400)
        try queue(3)
        fixture.clock.advance(1)
        try queue(4)
        fixture.clock.advance(-30 * 86_400 - 1)
        try queue(5)
        #expect(throws: MailFailure.self) { try queue(6) }
    }

    /// Neither the outbox is read for it, nor the counts of others or of other hours.
    @Test func theCountIsLookedUpByItsKey() throws {
        let fixture = try ArchiveFixture()
        let plan = try fixture.archive.pool.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + Archive.askedQuery, arguments: ["a", 1, 2]).map
            {
                $0["detail"] as String
            }
        }
        #expect(plan == ["SEARCH asked_counts USING PRIMARY KEY (name=? AND at>? AND at<?)"])
    }

    /// The mail of the last hour before an upgrade counts after it.
    @Test func anUpgradeCountsTheLastHour() throws {
        let fixture = try ArchiveFixture()
        let user = try fixture.archive.user(named: "anna").id
        let boris = try fixture.archive.addUser(name: "boris")
        var expected: [String] = []
        for (number, pause) in [(1, 4_000), (2, 0), (3, 1), (4, 0)] as [(Int, Int64)] {
            let two = ["a@client.example", "b@client.example"]
            _ = try fixture.archive.queueMail(
                OutboxTests.draft(fixture, number, to: two) {
                    $0.requestedBy = "boris"
                    $0.user = user
                })
            fixture.clock.advance(pause)
            if number == 1 { expected = try Self.counts(fixture.archive) }
        }
        expected = try Self.counts(fixture.archive).filter { !expected.contains($0) }
        expected += expected.map { $0.replacing("owner \(user)", with: "user \(boris)") }
        #expect(expected.count == 4)
        try fixture.archive.pool.write { db in
            try db.execute(
                sql: """
                    DROP TABLE asked_counts;
                    CREATE INDEX outbox_user ON outbox(user, created_at);
                    CREATE INDEX outbox_requested ON outbox(requested_by, created_at)
                    """)
            try db.execute(sql: Schema.askedCounts)
            try db.execute(sql: Schema.askersByNumber)
        }
        #expect(try Self.counts(fixture.archive) == expected)
    }
}
