import Archive
import MailModel
import Testing

@Suite struct LedgerTests {
    private let validity = UIDValidity(7)

    @Test func `a UID that is listed again is present, and fetched when it never was`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        _ = try archive.ingest([1, 2].map { (uid: UInt32) in fixture.arrival(uid, text: "\(uid)") })
        try archive.recordUnfetched(
            [UnfetchedUID(uid: UID(3), reason: .gone)], in: fixture.inbox, validity)
        try archive.markVanished(UIDSet([UID(1), UID(2)]), in: fixture.inbox, validity)
        #expect(try archive.recordedUIDs(fixture.inbox, validity).present.isEmpty)

        try archive.noteSweep(fixture.inbox, validity, at: fixture.clock.now)
        let outcome = try archive.compare(
            [told(2, like: "2"), told(3, like: "3")], of: UIDSet([UID(2), UID(3)]), in: fixture.inbox,
            validity)
        #expect(outcome.toFetch.sequenceSet == "3")
        #expect(outcome.reused.isEmpty)
        #expect(try archive.recordedUIDs(fixture.inbox, validity).present.sequenceSet == "2")
        #expect(try archive.knownUIDs(fixture.inbox, validity).sequenceSet == "1:2")
        // Something is to be fetched: counts alone do not say what.
        #expect(try archive.ledgerFacts(fixture.inbox, validity).lastFullSweep == nil)
    }

    private func told(_ uid: UInt32, like text: String, date: Int64? = 1_700_000_100) -> ListedAgain {
        ListedAgain(
            uid: UID(uid),
            size: "From: maria@client.example\r\nMessage-ID: <@client.example>\r\n\r\n\r\n".utf8.count
                + 2 * text.utf8.count, internalDate: date.map { UnixTime($0) })
    }

    @Test func `a UID that stands for another message makes room, and the old one keeps its row and history`()
        throws
    {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        _ = try archive.ingest([1, 2, 3, 4].map { (uid: UInt32) in fixture.arrival(uid, text: "\(uid)") })
        let all = UIDSet(ranges: [1...4])
        // The third is not told of; the second has another size, the fourth another arrival.
        let outcome = try archive.compare(
            [told(1, like: "1"), told(2, like: "20"), told(4, like: "4", date: 1_700_000_101)], of: all,
            in: fixture.inbox, validity)
        #expect(outcome.toFetch.sequenceSet == "2:4")
        #expect(outcome.reused.sequenceSet == "2,4")
        #expect(try archive.knownUIDs(fixture.inbox, validity).sequenceSet == "1")
        #expect(try archive.recordedUIDs(fixture.inbox, UIDValidity(0)).known.sequenceSet == "1:3")
        #expect(try archive.recordedUIDs(fixture.inbox, UIDValidity(0)).present.isEmpty)
        #expect(try archive.verify().findings == [])
        // Once more, and under the same UID.
        _ = try archive.ingest([fixture.arrival(2, text: "20")])
        _ = try archive.compare([told(2, like: "200")], of: UIDSet([UID(2)]), in: fixture.inbox, validity)
        #expect(try archive.recordedUIDs(fixture.inbox, UIDValidity(0)).known.sequenceSet == "1:4")
        #expect(try archive.verify().findings == [])
    }

    @Test func `a higher limit makes room for what only the lower one left out`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        try archive.recordUnfetched(
            [(1, 2_000), (2, 3_000), (3, 3_001), (4, 100)].map { uid, size in
                UnfetchedUID(
                    uid: UID(uid), reason: uid == 4 ? .beforeSince : .tooLarge(limit: 1_000), size: size)
            } + [UnfetchedUID(uid: UID(5), reason: .tooLarge(limit: 1_000))], in: fixture.inbox, validity)
        func forget(_ limit: Int, _ listed: ClosedRange<UInt32> = 2...9) throws -> String {
            try archive.noteSweep(fixture.inbox, validity, at: fixture.clock.now)
            try archive.forgetTooLarge(
                upTo: limit, among: UIDSet(ranges: [listed]), in: fixture.inbox, validity)
            return try archive.knownUIDs(fixture.inbox, validity).sequenceSet
        }
        #expect(try forget(1_999) == "1:5")
        #expect(try archive.ledgerFacts(fixture.inbox, validity).lastFullSweep != nil)
        #expect(try archive.tooLarge(of: fixture.account).map(\.uid.rawValue) == [1, 2, 3, 5])
        #expect(
            try archive.tooLarge(of: fixture.account, limit: 1).map(\.reason) == ["larger than 1000 bytes"])
        // The first is not listed any more.
        #expect(try forget(3_000) == "1,3:5")
        #expect(try archive.ledgerFacts(fixture.inbox, validity).lastFullSweep == nil)
        #expect(try forget(.max, 3...5) == "1,4:5")
        #expect(try archive.verify().findings == [])
    }

    @Test func `an earlier starting date makes room for what only the later one left out`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        var settings = try archive.account(fixture.account).settings
        settings.since = UnixTime(1000)
        try archive.editAccount(fixture.account, settings)
        try archive.recordUnfetched(
            [(1, 100), (2, 500), (3, 999)].map { uid, time in
                UnfetchedUID(uid: UID(uid), reason: .beforeSince, internalDate: UnixTime(time))
            }, in: fixture.inbox, validity)

        settings.pollMinutes = 7
        try archive.editAccount(fixture.account, settings)
        #expect(try archive.knownUIDs(fixture.inbox, validity).sequenceSet == "1:3")
        settings.since = UnixTime(500)
        try archive.editAccount(fixture.account, settings)
        #expect(try archive.knownUIDs(fixture.inbox, validity).sequenceSet == "1")
        settings.since = nil
        try archive.editAccount(fixture.account, settings)
        #expect(try archive.knownUIDs(fixture.inbox, validity).isEmpty)
    }

    @Test func `facts are derived from the rows, gaps and vanished ones included`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        #expect(try archive.ledgerFacts(fixture.inbox, validity).highestUID == nil)
        _ = try archive.ingest([1, 2, 3, 9].map { (uid: UInt32) in fixture.arrival(uid, text: "\(uid)") })
        try archive.recordUnfetched(
            [
                UnfetchedUID(uid: UID(5), reason: .gone),
                UnfetchedUID(uid: UID(6), reason: .tooLarge(limit: 10), size: 11),
                UnfetchedUID(uid: UID(7), reason: .beforeSince), UnfetchedUID(uid: UID(1), reason: .gone),
            ], in: fixture.inbox, validity)
        #expect(
            try archive.markVanished(UIDSet([UID(2), UID(3), UID(100)]), in: fixture.inbox, validity) == 2)
        #expect(try archive.markVanished(UIDSet([UID(2)]), in: fixture.inbox, validity) == 0)
        try archive.noteSweep(fixture.inbox, validity, at: fixture.clock.now)
        let facts = try archive.ledgerFacts(fixture.inbox, validity)
        #expect(facts.presentCount == 4)
        #expect(facts.highestUID == UID(9))
        #expect(facts.lastFullSweep == fixture.clock.now)
        #expect(try archive.knownUIDs(fixture.inbox, validity).sequenceSet == "1:3,5:7,9")
        #expect(try archive.recordedUIDs(fixture.inbox, validity).present.sequenceSet == "1,6:7,9")
        #expect(try archive.ledgerCounts() == [.review: 4, .gone: 1, .tooLarge: 1, .ignored: 1])
        #expect(try archive.verify().findings == [])
    }

    @Test func `another UIDVALIDITY starts from nothing, and its copies are duplicates`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        #expect(try fixture.archive.knownUIDs(fixture.inbox, UIDValidity(8)).isEmpty)
        var again = fixture.arrival(1)
        again.uidValidity = UIDValidity(8)
        guard case .duplicate = try fixture.archive.ingest([again])[0] else {
            Issue.record("not a duplicate")
            return
        }
    }

    @Test func `an account shows its last failure until it succeeds`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        let start = fixture.clock.now
        let failure = MailFailure(
            MailFailure.Code("imap.login"), kind: .credential, "The server refused the login",
            remedy: "Mend it.")
        try archive.noteAttempt(fixture.account, startedAt: start, failure: failure, nextPoll: nil)
        var status = try archive.account(named: "anna").status
        #expect(status.state == .stopped)
        #expect(status.failure?.remedy == "Mend it.")
        #expect(try archive.dueAccounts(at: start).isEmpty)
        try archive.setSecret(Secret("new"), of: fixture.account)
        #expect(try archive.dueAccounts(at: start).count == 1)
        try archive.noteAttempt(
            fixture.account, startedAt: start, failure: nil, nextPoll: start.advanced(bySeconds: 300))
        status = try archive.account(fixture.account).status
        #expect(status.state == .ok)
        #expect(status.failure == nil)
        #expect(status.lastSuccess == start)
        #expect(try archive.dueAccounts(at: start.advanced(bySeconds: 299)).isEmpty)
        #expect(try archive.dueAccounts(at: start.advanced(bySeconds: 300)).count == 1)
    }

    @Test func `changed settings make a stopped account due at once, and equal ones do not`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        let start = fixture.clock.now
        let failure = MailFailure(MailFailure.Code("imap.login"), kind: .credential, "refused")
        try archive.noteAttempt(fixture.account, startedAt: start, failure: failure, nextPoll: nil)
        var settings = try archive.account(fixture.account).settings
        try archive.editAccount(fixture.account, settings)
        #expect(try archive.account(fixture.account).status.state == .stopped)
        settings.login = "anna@firma.example"
        try archive.editAccount(fixture.account, settings)
        let status = try archive.account(fixture.account).status
        #expect(status.state == .new && status.failures == 0)
        #expect(try archive.dueAccounts(at: start).map(\.id) == [fixture.account])
    }

    @Test func `an attempt on old settings says nothing about new ones`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        let tried = try archive.account(fixture.account)
        try archive.setSecret(Secret("new"), of: fixture.account)
        let refused = MailFailure(MailFailure.Code("imap.login"), kind: .credential, "refused")
        try archive.noteAttempt(
            fixture.account, revision: tried.revision, startedAt: fixture.clock.now, failure: refused,
            nextPoll: nil)
        #expect(try archive.account(fixture.account).status.state == .new)
    }

    @Test(arguments: ["ftp://proxy.example:1", "socks5://", "socks5://user:secret@proxy.example:1080"])
    func `a proxy that cannot be used, or has a password in it, is refused`(proxy: String) throws {
        let fixture = try ArchiveFixture()
        var settings = try fixture.archive.account(fixture.account).settings
        settings.proxy = proxy
        let failure = #expect(throws: MailFailure.self) {
            try fixture.archive.editAccount(fixture.account, settings)
        }
        #expect(failure?.revealed.contains("secret") == false)
        #expect(try fixture.archive.account(fixture.account).settings.proxy == nil)
    }

    @Test func `an account whose last attempt lies in the future is due`() throws {
        let fixture = try ArchiveFixture()
        let wrong = fixture.clock.now.advanced(bySeconds: 365 * 86_400)
        try fixture.archive.noteAttempt(
            fixture.account, startedAt: wrong, failure: nil, nextPoll: wrong.advanced(bySeconds: 300))
        #expect(try fixture.archive.dueAccounts(at: fixture.clock.now).map(\.id) == [fixture.account])
    }

    @Test func `an account with mail is disabled, not removed`() throws {
        let fixture = try ArchiveFixture()
        #expect(try !fixture.archive.removeAccount(fixture.account).isGone)
        #expect(try fixture.archive.dueAccounts(at: fixture.clock.now).isEmpty)
        let other = try fixture.archive.addAccount(ArchiveFixture.settings("other", nil))
        #expect(try fixture.archive.removeAccount(other).isGone)
        #expect(throws: MailFailure.self) { try fixture.archive.account(named: "other") }
        // A poll of it may go on still, and must not find its number with somebody else.
        let next = try fixture.archive.addAccount(ArchiveFixture.settings("next", nil))
        #expect(next.rawValue > other.rawValue)
        #expect(throws: MailFailure.self) {
            try fixture.archive.folder(account: other, name: FolderName("INBOX"), role: .inbox)
        }
    }

    @Test func `settings come back as they were given`() throws {
        let fixture = try ArchiveFixture()
        var settings = ArchiveFixture.settings("full", nil, email: EmailAddress("b@firma.example")!)
        settings.preset = "yandex"
        settings.smtp = ServerEndpoint(host: "smtp.example", port: 465, security: .tls)
        settings.pollMinutes = 9
        settings.timeoutSeconds = 77
        settings.sentFolder = FolderName("Отправленные")
        settings.furtherFolders = [FolderName("A\"B"), FolderName("Архив")]
        settings.since = UnixTime(1_600_000_000)
        settings.caFile = "ca.pem"
        settings.proxy = "socks5://127.0.0.1:9050"
        settings.isDeclared = true
        settings.isEnabled = false
        let id = try fixture.archive.addAccount(settings)
        #expect(try fixture.archive.account(id).settings == settings)
        settings.smtp = nil
        settings.furtherFolders = []
        try fixture.archive.editAccount(id, settings)
        #expect(try fixture.archive.account(named: "full").settings == settings)
        settings.name = "anna"
        #expect(throws: MailFailure.self) { try fixture.archive.editAccount(id, settings) }
    }
}
