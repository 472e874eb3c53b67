import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

/// What the outbox promises by itself: whatever the worker does, nothing is sent twice or forgotten.
@Suite struct OutboxTests {
    static func draft(
        _ fixture: ArchiveFixture, _ number: Int = 1, to: [String] = ["maria@client.example"],
        change: (inout OutboxDraft) -> Void = { _ in }
    ) -> OutboxDraft {
        var draft = OutboxDraft(
            account: fixture.account, requestedBy: "anna",
            messageID: MessageID(rawValue: "m\(number)@firma.example"),
            sender: ArchiveFixture.own, recipients: to.map { OutboxDraft.Recipient(EmailAddress($0)!) },
            content: MessageBytes(Array("Subject: \(number)\r\n\r\nText\r\n".utf8)),
            notBefore: fixture.clock.now)
        change(&draft)
        return draft
    }

    static func claimAll(_ archive: Archive, _ fixture: ArchiveFixture) throws -> [OutboxClaim] {
        try archive.claimOutbox(fixture.account) { facts, _ in facts.due.map(\.id) }
    }

    static func ending(_ claim: OutboxClaim, _ state: OutboxRecipientState, now: UnixTime) -> OutboxNote {
        var ending = OutboxEnding(
            item: claim.id, attempt: claim.attempt, nextTry: now.advanced(bySeconds: 60))
        for recipient in claim.recipients { ending.outcomes[recipient.position] = state }
        if state != .sent {
            ending.failure = MailFailure(.sendUncertain, kind: .transient, "It did not work")
        }
        return .ended(ending)
    }

    @Test func aMailWithoutRecipientIsRefused() throws {
        let fixture = try ArchiveFixture()
        #expect(throws: MailFailure.self) {
            _ = try fixture.archive.queueMail(Self.draft(fixture, to: []))
        }
        #expect(try fixture.archive.outboxItems().isEmpty)
    }

    @Test func theSameKeyIsTheSameMail() throws {
        let fixture = try ArchiveFixture()
        let first = try fixture.archive.queueMail(Self.draft(fixture) { $0.idempotencyKey = "k" })
        let second = try fixture.archive.queueMail(Self.draft(fixture, 2) { $0.idempotencyKey = "k" })
        #expect(!first.wasThere && second.wasThere)
        #expect(first.item == second.item)
        #expect(try fixture.archive.outboxItems().count == 1)
    }

    @Test func whatItsServerCopiesIsNoCopyOfOurs() throws {
        let fixture = try ArchiveFixture()
        for number in 1...2 { _ = try fixture.archive.queueMail(Self.draft(fixture, number)) }
        let claims = try Self.claimAll(fixture.archive, fixture)
        for (claim, state) in zip(claims, [OutboxRecipientState.sent, .uncertain]) {
            _ = try fixture.archive.noteOutbox([.begins(claim.id, recipients: [0])])
            guard case .ended(var ending) = Self.ending(claim, state, now: fixture.clock.now) else {
                continue
            }
            ending.isCopiedByServer = true
            #expect(try fixture.archive.noteOutbox([.ended(ending)]) == [true])
        }
        // Nobody knows of the other: it is looked for there.
        #expect(try fixture.archive.claimCopies(of: fixture.account).map(\.item) == [claims[1].id])
    }

    @Test func anEmptyKeyIsNone() throws {
        let fixture = try ArchiveFixture()
        let failure = #expect(throws: MailFailure.self) {
            _ = try fixture.archive.queueMail(Self.draft(fixture) { $0.idempotencyKey = "" })
        }
        #expect(failure?.code == .invalidValue && failure?.remedy?.isEmpty == false)
        #expect(try fixture.archive.outboxItems().isEmpty)
    }

    @Test func aTakenMessageIDIsRefused() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.queueMail(Self.draft(fixture))
        #expect(throws: MailFailure.self) { _ = try fixture.archive.queueMail(Self.draft(fixture)) }
    }

    /// Else a copy would be appended at once beside that of a server that files what it sends a little later.
    @Test func aMailThatIsSentAgainIsLookedForAsAnyOther() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        let id = try archive.queueMail(Self.draft(fixture)).item
        var claim = try #require(try Self.claimAll(archive, fixture).first)
        _ = try archive.noteOutbox([.begins(id, recipients: [0])])
        _ = try archive.noteOutbox([Self.ending(claim, .uncertain, now: archive.time)])
        for tries in 0..<2 {
            #expect(try archive.claimCopies(of: fixture.account).map(\.tries) == [tries])
            try archive.noteCopy(of: id, .later(archive.time, "It is not there"))
        }
        try archive.resolveOutbox(id, as: .again, evidence: "a person said so")
        claim = try #require(try Self.claimAll(archive, fixture).first)
        _ = try archive.noteOutbox([.begins(id, recipients: [0])])
        _ = try archive.noteOutbox([Self.ending(claim, .sent, now: archive.time)])
        #expect(try archive.claimCopies(of: fixture.account).map(\.tries) == [0])
    }

    @Test func theHourlyCapCountsRecipients() throws {
        let fixture = try ArchiveFixture()
        let user = try fixture.archive.user(named: "anna").id
        let two = ["a@client.example", "b@client.example"]
        _ = try fixture.archive.queueMail(
            Self.draft(fixture, 1, to: two) { $0.user = user }, userHourlyLimit: 3)
        #expect(throws: MailFailure.self) {
            _ = try fixture.archive.queueMail(
                Self.draft(fixture, 2, to: two) { $0.user = user }, userHourlyLimit: 3)
        }
        fixture.clock.advance(3_601)
        _ = try fixture.archive.queueMail(
            Self.draft(fixture, 3, to: two) { $0.user = user }, userHourlyLimit: 3)
    }

    @Test func twoWorkersNeverClaimTheSameMail() throws {
        let fixture = try ArchiveFixture()
        for number in 1...20 { _ = try fixture.archive.queueMail(Self.draft(fixture, number)) }
        let other = try fixture.reopened()
        let first = try fixture.archive.claimOutbox(fixture.account) { facts, _ in
            facts.due.prefix(7).map(\.id)
        }
        let second = try Self.claimAll(other, fixture)
        #expect(first.count == 7 && second.count == 13)
        #expect(Set(first.map(\.id)).isDisjoint(with: second.map(\.id)))
        // And neither may note anything for the other's.
        #expect(try other.noteOutbox([.begins(first[0].id, recipients: [0])]) == [false])
    }

    @Test(arguments: [OutboxState.cancelled, .held])
    func aClaimIsTakenBackUntilTheServerMayHaveTheMail(to state: OutboxState) throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        let act = { (id: OutboxID) in
            state == .held ? try archive.holdOutbox(id, by: "anna") : try archive.cancelOutbox(id, by: "anna")
        }
        for number in 1...2 { _ = try archive.queueMail(Self.draft(fixture, number)) }
        let claims = try Self.claimAll(archive, fixture)
        try act(claims[0].id)
        #expect(try archive.outboxItem(claims[0].id).state == state)
        // Who had it sends nothing, and notes nothing.
        #expect(
            try archive.noteOutbox([
                .begins(claims[0].id, recipients: [0]), Self.ending(claims[0], .sent, now: fixture.clock.now),
            ]) == [false, false])
        #expect(try archive.outboxItem(claims[0].id).state == state)
        #expect(try archive.noteOutbox([.begins(claims[1].id, recipients: [0])]) == [true])
        #expect(try archive.noteOutbox([.begins(claims[1].id, recipients: [0])]) == [false])
        #expect(throws: MailFailure.self) { try act(claims[1].id) }
        #expect(try archive.outboxItem(claims[1].id).state == .sending)
    }

    /// The session was opened with the old password, at the old server.
    @Test func aMailDoesNotBeginThroughAnAccountThatHasChangedSince() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        for number in 1...3 { _ = try archive.queueMail(Self.draft(fixture, number)) }
        let claims = try Self.claimAll(archive, fixture)
        let begin = { (claim: OutboxClaim, revision: Int64) in
            try archive.noteOutbox([.begins(claim.id, recipients: [0], revision: revision)])
        }
        var account = try archive.account(fixture.account)
        #expect(try begin(claims[0], account.revision) == [true])
        account.settings.timeoutSeconds += 1
        try archive.editAccount(account.id, account.settings)
        #expect(try begin(claims[1], account.revision) == [false])
        account = try archive.account(account.id)
        #expect(try begin(claims[1], account.revision) == [true])
        account.settings.isEnabled = false
        try archive.editAccount(account.id, account.settings)
        account = try archive.account(account.id)
        #expect(try begin(claims[2], account.revision) == [false])
        // What is given back waits for a person, as all other mail of the account.
        var ending = OutboxEnding(item: claims[2].id, attempt: 1, nextTry: archive.time)
        ending.weight = .nothing
        _ = try archive.noteOutbox([.ended(ending), Self.ending(claims[1], .retry, now: archive.time)])
        for claim in claims[1...] {
            let item = try archive.outboxItem(claim.id)
            #expect(item.state == .held, "\(item.reason ?? "")")
        }
        #expect(try archive.outboxItem(claims[2].id).reason?.contains("switched off") == true)
        #expect(try archive.outboxItem(claims[0].id).state == .sending)
    }

    @Test func whoMustNotBeMailedSinceTheClaimIsLeftOut() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        _ = try archive.queueMail(
            Self.draft(fixture, to: ["maria@client.example", "ivan@client.example"]) { $0.kind = .mass })
        let claim = try #require(try Self.claimAll(archive, fixture).first)
        try archive.suppress(
            EmailAddress("ivan@client.example")!, reason: .person, evidence: "asked", until: nil, by: "anna")
        #expect(try archive.noteOutbox([.begins(claim.id, recipients: [0, 1])]) == [false])
        var ending = OutboxEnding(item: claim.id, attempt: claim.attempt, nextTry: fixture.clock.now)
        ending.weight = .nothing
        _ = try archive.noteOutbox([.ended(ending)])
        let again = try #require(try Self.claimAll(archive, fixture).first)
        #expect(again.recipients.map(\.address.addrSpec) == ["maria@client.example"])
        #expect(try archive.noteOutbox([.begins(again.id, recipients: [0])]) == [true])
        #expect(try archive.outboxItem(claim.id).recipients[1].state == .failed)
    }

    @Test(arguments: [true, false])
    func mailOfAnAccountThatIsSwitchedOffIsHeld(isRemoved: Bool) throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        let waiting = try archive.queueMail(Self.draft(fixture)).item
        let flying = try archive.queueMail(Self.draft(fixture, 2)).item
        _ = try archive.claimOutbox(fixture.account) { _, _ in [flying] }
        if isRemoved {
            let removal = try archive.removeAccount(fixture.account)
            #expect(!removal.isGone && removal.heldMail == 1)
        } else {
            var settings = try archive.account(fixture.account).settings
            settings.isEnabled = false
            try archive.editAccount(fixture.account, settings)
        }
        let held = try archive.outboxItem(waiting)
        #expect(held.state == .held && held.reason?.contains("switched off") == true)
        #expect(held.remedy?.contains("outbox release") == true)
        #expect(try archive.outboxItem(flying).state == .sending)
    }

    @Test func twoWorkersNeverLookAfterTheSameCopy() throws {
        let fixture = try ArchiveFixture()
        for number in 1...3 { _ = try DeliveryReportTests.sent(fixture, number) }
        let first = try fixture.archive.claimCopies(of: fixture.account, limit: 2)
        let other = try fixture.reopened()
        #expect(try other.accountsWithDueCopies(at: fixture.clock.now) == [fixture.account])
        let second = try other.claimCopies(of: fixture.account)
        #expect(first.count == 2 && second.count == 1)
        #expect(Set(first.map(\.item)).isDisjoint(with: second.map(\.item)))
        #expect(try fixture.reopened().claimCopies(of: fixture.account).isEmpty)
        // What was noted is nobody's, and what was put off comes again in its time.
        try other.noteCopy(of: second[0].item, .later(fixture.clock.now.advanced(bySeconds: 60), "no room"))
        try fixture.archive.noteCopy(of: first[0].item, .done)
        try fixture.archive.noteCopy(of: first[1].item, .givenBack)
        #expect(try other.claimCopies(of: fixture.account).map(\.item) == [first[1].item])
        fixture.clock.advance(60)
        #expect(try fixture.archive.claimCopies(of: fixture.account).map(\.item) == [second[0].item])
    }

    @Test func aDeadProcessLeavesItsCopiesToTheNextAMomentLater() throws {
        let fixture = try ArchiveFixture()
        let item = try DeliveryReportTests.sent(fixture)
        try {
            let dying = try fixture.reopened()
            #expect(try dying.claimCopies(of: fixture.account).map(\.item) == [item])
            #expect(try fixture.archive.accountsWithDueCopies(at: fixture.clock.now).isEmpty)
        }()
        // Its server may still be taking in what it sent.
        #expect(try fixture.archive.claimCopies(of: fixture.account).isEmpty)
        fixture.clock.advance(10)
        #expect(try fixture.archive.accountsWithDueCopies(at: fixture.clock.now) == [fixture.account])
        #expect(try fixture.archive.claimCopies(of: fixture.account).map(\.item) == [item])
    }

    @Test func whatADeadProcessHadClaimedIsSentAgainOrUncertain() throws {
        let fixture = try ArchiveFixture()
        for number in 1...2 { _ = try fixture.archive.queueMail(Self.draft(fixture, number)) }
        try {
            let dying = try fixture.reopened()
            let claims = try Self.claimAll(dying, fixture)
            #expect(try dying.noteOutbox([.begins(claims[0].id, recipients: [0])]) == [true])
            // While it lives nobody takes anything from it.
            #expect(try fixture.archive.recoverOutbox().isEmpty)
        }()
        let uncertain = try fixture.archive.recoverOutbox()
        let items = try fixture.archive.outboxItems()
        #expect(uncertain.count == 1)
        #expect(items.first { $0.id == uncertain[0] }?.state == .uncertain)
        #expect(items.first { $0.id != uncertain[0] }?.state == .queued)
        #expect(try Self.claimAll(fixture.archive, fixture).map(\.id) != uncertain)
    }

    @Test func aRecipientThatHasTheMailIsNotOfferedItAgain() throws {
        let fixture = try ArchiveFixture()
        let id = try fixture.archive.queueMail(
            Self.draft(fixture, to: ["a@client.example", "b@client.example"])
        ).item
        let claim = try Self.claimAll(fixture.archive, fixture)[0]
        var ending = OutboxEnding(item: id, attempt: 1, nextTry: fixture.clock.now.advanced(bySeconds: 60))
        ending.outcomes = [0: .sent, 1: .retry]
        ending.failure = MailFailure(.sendUncertain, kind: .transient, "later")
        #expect(try fixture.archive.noteOutbox([.ended(ending)]) == [true])
        #expect(try fixture.archive.outboxItem(id).state == .retry)
        fixture.clock.advance(61)
        let again = try Self.claimAll(fixture.archive, fixture)[0]
        #expect(claim.recipients.count == 2 && again.recipients.map(\.position) == [1])
        #expect(try fixture.archive.noteOutbox([Self.ending(again, .sent, now: fixture.clock.now)]) == [true])
        #expect(try fixture.archive.outboxItem(id).state == .sent)
    }

    @Test func aCopyOfEarlierRecipientsIsNoEvidenceForAnUncertainOne() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        _ = try archive.queueMail(Self.draft(fixture, to: ["a@client.example", "b@client.example"]))
        _ = try archive.queueMail(Self.draft(fixture, 2))
        for claim in try Self.claimAll(archive, fixture) {
            var ending = OutboxEnding(item: claim.id, attempt: claim.attempt, nextTry: fixture.clock.now)
            ending.failure = MailFailure(.sendUncertain, kind: .transient, "It did not work")
            for (index, recipient) in claim.recipients.enumerated() {
                let isFirstOfTwo = claim.recipients.count == 2 && index == 0
                ending.outcomes[recipient.position] = isFirstOfTwo ? .sent : .uncertain
            }
            let positions = claim.recipients.map(\.position)
            _ = try archive.noteOutbox([.begins(claim.id, recipients: positions), .ended(ending)])
        }
        let due = try archive.claimCopies(of: fixture.account)
        #expect(due.map(\.isUncertain) == [true, true])
        #expect(due.map(\.wasSentInPart) == [true, false])
    }

    @Test func aProvidersBlockOutlastsSignInsAndEdits() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        let account = fixture.account
        let until = fixture.clock.now.advanced(bySeconds: 86_400)
        func pause(_ code: MailFailure.Code, _ seconds: Int64) -> SendPause {
            SendPause(
                until: fixture.clock.now.advanced(bySeconds: seconds), failures: 1,
                failure: MailFailure(code, kind: .transient, "Not now"))
        }
        // What is no block ends with the next sign-in.
        try archive.pauseSending(account, pause(.sendUncertain, 86_400))
        try archive.endSendPause(account)
        #expect(try archive.sendPause(of: account) == nil)

        try archive.pauseSending(account, pause(.sendingBlocked, 86_400))
        try archive.endSendPause(account)
        try archive.pauseSending(account, pause(.sendUncertain, 60))
        var settings = try archive.account(account).settings
        settings.pollMinutes += 1
        try archive.editAccount(account, settings)
        #expect(try archive.sendPause(of: account)?.until == until)
        fixture.clock.advance(86_401)
        try archive.endSendPause(account)
        #expect(try archive.sendPauseRecord(of: account) == nil)
    }

    @Test func `a block stops what is claimed, and shows nobody else's recipient`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        var settings = ArchiveFixture.settings("office", nil)
        settings.smtp = ServerEndpoint(host: "smtp.example", port: 465, security: .tls)
        settings.login = "office"
        let first = try archive.addAccount(settings)
        settings.name = "office too"
        let second = try archive.addAccount(settings)
        _ = try archive.queueMail(Self.draft(fixture) { $0.account = second })
        let claim = try archive.claimOutbox(second) { facts, _ in facts.due.map(\.id) }[0]
        try archive.pauseSending(
            first,
            SendPause(
                until: fixture.clock.now.advanced(bySeconds: 3600), failures: 1,
                failure: MailFailure(
                    .sendingBlocked, kind: .transient, "The provider's limit is reached",
                    detail: "lawyer@private.example: 450 4.7.28 too much")))
        #expect(try archive.noteOutbox([.begins(claim.id, recipients: [0])]) == [false])
        #expect(try archive.sendPause(of: first)?.failure.summary.contains("lawyer") == true)
        #expect(try archive.sendPause(of: second)?.failure.summary == "The provider's limit is reached")
    }

    @Test func theSchemaRefusesWhatMustNotHappen() throws {
        let fixture = try ArchiveFixture()
        let id = try fixture.archive.queueMail(Self.draft(fixture)).item.rawValue
        for sql in [
            "UPDATE outbox SET state = 'sent', next_try = NULL, finished_at = 1 WHERE id = \(id)",
            "UPDATE outbox SET state = 'uncertain', next_try = NULL, reason = 'x', data_begun_at = 1 WHERE id = \(id)",
            "UPDATE outbox SET message_id = 'other' WHERE id = \(id)",
            "UPDATE outbox SET sha256 = zeroblob(32) WHERE id = \(id)",
            "UPDATE outbox_content SET bytes = x'00' WHERE item = \(id)",
            "UPDATE outbox SET state = 'sending', next_try = NULL WHERE id = \(id)",
            "UPDATE outbox SET next_try = NULL WHERE id = \(id)",
        ] {
            #expect(throws: (any Error).self, "\(sql)") {
                try fixture.archive.pool.write { try $0.execute(sql: sql) }
            }
        }
        let claim = try Self.claimAll(fixture.archive, fixture)[0]
        _ = try fixture.archive.noteOutbox([Self.ending(claim, .sent, now: fixture.clock.now)])
        for sql in [
            "UPDATE outbox_recipients SET state = 'waiting' WHERE item = \(id)",
            "UPDATE outbox SET state = 'queued', next_try = 1, finished_at = NULL WHERE id = \(id)",
        ] {
            #expect(throws: (any Error).self, "\(sql)") {
                try fixture.archive.pool.write { try $0.execute(sql: sql) }
            }
        }
    }

    @Test func aPersonDecidesWhereTheStateAllowsIt() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        let id = try archive.queueMail(Self.draft(fixture)).item
        #expect(throws: MailFailure.self) { try archive.resolveOutbox(id, as: .sent, evidence: "x") }
        try archive.holdOutbox(id, by: "anna")
        #expect(try Self.claimAll(archive, fixture).isEmpty)
        try archive.releaseOutbox(id)
        let claim = try Self.claimAll(archive, fixture)[0]
        _ = try archive.noteOutbox([.begins(id, recipients: [0])])
        #expect(throws: MailFailure.self) { try archive.cancelOutbox(id, by: "anna") }
        _ = try archive.noteOutbox([Self.ending(claim, .uncertain, now: archive.time)])
        #expect(try archive.outboxItem(id).state == .uncertain)
        #expect(throws: MailFailure.self) { try archive.retryOutbox(id) }
        try archive.resolveOutbox(id, as: .again, evidence: "not there")
        #expect(try archive.outboxItem(id).state == .queued)
        try archive.cancelOutbox(id, by: "anna")
        #expect(throws: MailFailure.self) { try archive.releaseOutbox(id) }
        #expect(try archive.outboxItem(id).recipients[0].state == .cancelled)
    }

    @Test func massMailSkipsWhoMustNotBeMailed() throws {
        let fixture = try ArchiveFixture()
        try fixture.archive.suppress(
            EmailAddress("a@client.example")!, reason: .person, evidence: "asked", until: nil, by: "anna")
        let mass = try fixture.archive.queueMail(
            Self.draft(fixture, 1, to: ["A@client.example", "b@client.example"]) { $0.kind = .mass }
        ).item
        let alone = try fixture.archive.queueMail(
            Self.draft(fixture, 2, to: ["a@client.example"]) { $0.kind = .mass }
        ).item
        let single = try fixture.archive.queueMail(Self.draft(fixture, 3, to: ["a@client.example"])).item
        let claims = try Self.claimAll(fixture.archive, fixture)
        // Single mail goes first.
        #expect(claims.map(\.id) == [single, mass])
        #expect(claims[1].recipients.map(\.position) == [1])
        #expect(try fixture.archive.outboxItem(alone).state == .failed)
    }

    @Test func aRestoredOutboxIsHeldUntilAPersonReleasesIt() throws {
        let fixture = try ArchiveFixture()
        let waiting = try fixture.archive.queueMail(Self.draft(fixture)).item
        let backup = NSTemporaryDirectory() + "outbox-\(UUID().uuidString)"
        defer {
            for name in [backup, backup + "-restored"] { try? FileManager.default.removeItem(atPath: name) }
        }
        _ = try fixture.archive.backup(to: backup)
        _ = try Archive.restore(from: backup, to: backup + "-restored")
        let clock = fixture.clock
        let restored = try Archive.open(
            directory: backup + "-restored", key: fixture.key, options: ArchiveOptions(clock: { clock.now }))
        #expect(try restored.outboxItem(waiting).state == .held)
        #expect(try Self.claimAll(restored, fixture).isEmpty)
        try restored.releaseOutbox(waiting)
        #expect(try Self.claimAll(restored, fixture).count == 1)
    }

    @Test func quotaFactsCountWhatWasBegun() throws {
        let fixture = try ArchiveFixture()
        for number in 1...3 { _ = try fixture.archive.queueMail(Self.draft(fixture, number)) }
        let claim = try fixture.archive.claimOutbox(fixture.account) { facts, _ in [facts.due[0].id] }[0]
        _ = try fixture.archive.noteOutbox([.begins(claim.id, recipients: [0])])
        var seen = OutboxFacts()
        _ = try fixture.archive.claimOutbox(fixture.account) { facts, _ in
            seen = facts
            return []
        }
        #expect(seen.recipientsLastDay == 1 && seen.messagesLastMinute == 1 && seen.due.count == 2)
        fixture.clock.advance(86_400 + 60)
        _ = try fixture.archive.claimOutbox(fixture.account) { facts, _ in
            seen = facts
            return []
        }
        #expect(seen.recipientsLastDay == 0)
        // Put back a little it makes no second day; what was counted while it was ahead by hours is of no day yet.
        fixture.clock.advance(-86_400 - 3_600)
        #expect(try fixture.archive.outboxFacts(of: fixture.account).recipientsLastDay == 1)
        fixture.clock.advance(-2 * 3_600)
        #expect(try fixture.archive.outboxFacts(of: fixture.account).recipientsLastDay == 0)
    }

    @Test func whatIsSentOnceMoreAtAPersonsWordHasFiveDaysAgain() throws {
        let fixture = try ArchiveFixture()
        let id = try fixture.archive.queueMail(
            Self.draft(fixture, to: ["a@client.example", "b@client.example"])
        ).item
        _ = try Self.claimAll(fixture.archive, fixture)
        var ending = OutboxEnding(item: id, attempt: 1, nextTry: fixture.clock.now)
        ending.outcomes = [0: .uncertain, 1: .retry]
        ending.failure = MailFailure(.sendUncertain, kind: .needsPerson, "Nobody knows")
        #expect(
            try fixture.archive.noteOutbox([.begins(id, recipients: [0]), .ended(ending)]) == [true, true])
        fixture.clock.advance(6 * 86_400)
        try fixture.archive.resolveOutbox(id, as: .again, evidence: "asked")
        let claim = try #require(try Self.claimAll(fixture.archive, fixture).first)
        #expect(claim.firstTry == nil && claim.recipients.map(\.tries) == [0, 0])
    }

    @Test func whatCouldNotBeFiledIsTriedAgainLater() throws {
        let fixture = try ArchiveFixture()
        let id = try DeliveryReportTests.sent(fixture)
        #expect(try fixture.archive.outboxToFile().map(\.item) == [id])
        try fixture.archive.noteNotFiled(
            id, until: fixture.clock.now.advanced(bySeconds: 60), because: "no room")
        #expect(try fixture.archive.outboxToFile().isEmpty)
        #expect(try fixture.archive.outboxItem(id).filingError == "no room")
        fixture.clock.advance(60)
        #expect(try fixture.archive.outboxToFile().map(\.tries) == [1])
    }
}
