import Archive
import MailFetch
import MailModel
import Testing

@testable import Worker

/// The mails of an account on their way to its connections: each once, and none is kept that nobody sends.
@Suite struct ClaimSourceTests {
    private static func fixture(mails: Int) throws -> WorkerFixture {
        let fixture = try WorkerFixture()
        for number in 0..<mails {
            _ = try fixture.archive.queueMail(
                OutboxDraft(
                    account: fixture.account, requestedBy: "anna",
                    messageID: MessageID(rawValue: "m\(number)@firma.example"),
                    sender: EmailAddress(WorkerFixture.own),
                    recipients: [.init(EmailAddress(WorkerFixture.client)!)],
                    content: MessageBytes(Array("Subject: \(number)\r\n\r\nText\r\n".utf8)),
                    notBefore: fixture.clock.now))
        }
        return fixture
    }

    private static func source(
        _ fixture: WorkerFixture, connections: Int, only: OutboxID? = nil
    ) throws -> ClaimSource {
        ClaimSource(
            archive: fixture.archive, journal: OutboxJournal(archive: fixture.archive),
            account: try fixture.archive.account(fixture.account),
            rules: SendRules(preset: .custom, limits: SendLimits(connections: connections)), only: only,
            failed: { Issue.record($0) })
    }

    @Test func eachMailIsHandedOutOnceHoweverManyAsk() async throws {
        let fixture = try Self.fixture(mails: 300)
        let source = try Self.source(fixture, connections: 5)
        let all = await withTaskGroup(of: [OutboxID].self) { group in
            for _ in 0..<5 {
                group.addTask {
                    var taken: [OutboxID] = []
                    while let claim = await source.next() { taken.append(claim.id) }
                    return taken
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(all.count == 300 && Set(all).count == 300)
        await source.end()
        #expect(try fixture.archive.outboxCounts() == [.sending: 300])
    }

    @Test func whoeverChangesTheLimitsIsHeededBeforeTheQueueIsEmpty() async throws {
        let fixture = try Self.fixture(mails: 100)
        let source = try Self.source(fixture, connections: 1)
        _ = try #require(await source.next())
        try fixture.archive.setSendLimits(
            SendLimits(recipientsPerDay: 10, recipientsPerMessage: 7), of: fixture.account)
        var count = 1
        while await source.next() != nil { count += 1 }
        #expect(count == 10)
        #expect(await source.rules.recipientsPerMessage == 7)
    }

    @Test func anAccountThatIsChangedGetsNothingMoreUnderItsOldSettings() async throws {
        let fixture = try Self.fixture(mails: 100)
        let source = try Self.source(fixture, connections: 1)
        _ = try #require(await source.next())
        var settings = try fixture.archive.account(fixture.account).settings
        settings.timeoutSeconds += 1
        try fixture.archive.editAccount(fixture.account, settings)
        var count = 1
        while await source.next() != nil { count += 1 }
        #expect(count <= 8)
        await source.end()
        #expect(try fixture.archive.outboxCounts() == [.sending: count, .queued: 100 - count])
    }

    @Test func whatAPersonTookBackAndReleasedIsNotSentBesideItself() async throws {
        let fixture = try Self.fixture(mails: 1)
        let source = try Self.source(fixture, connections: 1)
        let claim = try #require(await source.next())
        try fixture.archive.holdOutbox(claim.id, by: "anna")
        try fixture.archive.releaseOutbox(claim.id)
        #expect(await source.next() == nil)
        #expect(try fixture.archive.noteOutbox([.begins(claim.id, recipients: [0])]) == [false])
        await source.done(claim.id)
        #expect(await source.next()?.id == claim.id)
    }

    @Test func aMailThatIsAskedForGoesHoweverManyAreDueBeforeIt() async throws {
        // A decision sees 256 of them.
        let fixture = try Self.fixture(mails: 258)
        let last = try #require(try fixture.archive.outboxItems(limit: 1).first).id
        let source = try Self.source(fixture, connections: 2, only: last)
        #expect(await source.next()?.id == last)
        #expect(await source.next() == nil)
        #expect(try fixture.archive.outboxCounts() == [.sending: 1, .queued: 257])
    }

    @Test func whatWasClaimedAheadIsGivenBack() async throws {
        let fixture = try Self.fixture(mails: 30)
        let source = try Self.source(fixture, connections: 2)
        #expect(await source.prepare() == 8)
        // With the seventh, more is claimed ahead.
        for _ in 0..<7 { #expect(await source.next() != nil) }
        await source.end()
        #expect(await source.next() == nil)
        #expect(try fixture.archive.outboxCounts() == [.sending: 7, .queued: 23])
    }
}
